import { Resolver } from 'node:dns/promises';
import { systemClock } from '../../platform/clock.ts';
import type { DnsServer } from './dns-server.ts';

/** What one name answered, and from when. Null: nothing. */
export interface NameAnswer {
  readonly atMs: number;
  readonly address: string | null;
}

/** Asks an authority for a name again and again, as a resolver with a cache stands before it. */
export interface NameWatch {
  /** Each change, the newest last. */
  readonly answers: readonly NameAnswer[];
  /** What the authority answers now. */
  current(): string | null;
  /** What a player is told: the answer that the resolver took last, until its TTL is over. */
  resolve(): string | null;
  stop(): void;
}

const ASK_EVERY_MS = 200;

export function watchName(server: DnsServer, name: string, ttlMs: number): NameWatch {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`${server.dnsAddress.host}:${server.dnsAddress.port}`]);
  const answers: NameAnswer[] = [];
  let cached: NameAnswer = { atMs: Number.NEGATIVE_INFINITY, address: null };
  let isAsking = false;
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    const address = await resolver.resolve4(name).then(
      ([first]) => first ?? null,
      // An authority that does not answer leaves what it said before.
      (error: NodeJS.ErrnoException) =>
        error.code === 'ENODATA' || error.code === 'ENOTFOUND' ? null : undefined,
    );
    isAsking = false;
    if (address !== undefined && address !== (answers.at(-1)?.address ?? null))
      answers.push({ atMs: systemClock.nowMs(), address });
  };
  const cancel = systemClock.every(ASK_EVERY_MS, () => void ask());
  const current = () => answers.at(-1)?.address ?? null;
  return {
    answers,
    current,
    resolve() {
      const nowMs = systemClock.nowMs();
      if (nowMs - cached.atMs >= ttlMs) cached = { atMs: nowMs, address: current() };
      return cached.address;
    },
    stop: cancel,
  };
}
