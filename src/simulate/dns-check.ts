import type { ServerName } from '../domain/ids.ts';

export interface DnsCheckPolicy {
  readonly intervalMs: number;
  readonly fall: number;
  readonly rise: number;
}

/** How long the check takes to change the name. */
const WRITE_MS = 300;

/** What a plain DNS check does: it asks each server for its mount at a fixed pace, and points the name to the first that answers. */
export class DnsCheck {
  readonly #policy: DnsCheckPolicy;
  readonly #servers: readonly ServerName[];
  readonly #isUp: Map<ServerName, boolean>;
  readonly #against = new Map<ServerName, number>();
  #written: { readonly atMs: number; readonly to: ServerName } | null = null;

  constructor(policy: DnsCheckPolicy, servers: readonly ServerName[]) {
    this.#policy = policy;
    this.#servers = servers;
    this.#isUp = new Map(servers.map((server) => [server, true]));
  }

  /** `answers`: whether a server gives a listener an answer and bytes. Returns where the name points from now on. */
  advance(
    nowMs: number,
    current: ServerName,
    canWrite: boolean,
    answers: (server: ServerName) => boolean,
  ): ServerName {
    if (this.#written !== null && nowMs >= this.#written.atMs) {
      const { to } = this.#written;
      this.#written = null;
      return to;
    }
    if (nowMs % this.#policy.intervalMs !== 0) return current;
    for (const server of this.#servers) this.#sample(server, answers(server));
    const wanted = this.#servers.find((server) => this.#isUp.get(server)) ?? current;
    if (wanted !== current && canWrite && this.#written === null)
      this.#written = { atMs: nowMs + WRITE_MS, to: wanted };
    return current;
  }

  #sample(server: ServerName, isGood: boolean): void {
    const isUp = this.#isUp.get(server) ?? true;
    const against = isGood === isUp ? 0 : (this.#against.get(server) ?? 0) + 1;
    const needed = isUp ? this.#policy.fall : this.#policy.rise;
    this.#against.set(server, against >= needed ? 0 : against);
    if (against >= needed) this.#isUp.set(server, isGood);
  }
}
