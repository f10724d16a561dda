import type { ChainSign } from '../domain/chain-sign.ts';
import { type MonitorId, type Mount, monitorId, type ServerName } from '../domain/ids.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { openStream, type StreamConnection, type StreamLimits } from '../icecast/stream-client.ts';
import { type OnAir, userAgentOf } from '../icecast/user-agent.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';

export interface PresenceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly server: ServerAddress;
  readonly agent: ServerName;
  /** Where it may sit, in order of preference: the next is tried when one has no room or no source. */
  readonly mounts: readonly Mount[];
  /** What it says to the other agents, asked at each renewal. */
  readonly marks?: () => readonly string[];
  /** What the agent has on air now, by station; when that changes, the presence is renewed at once. */
  readonly onAir?: () => OnAir;
  /** Another text when the others are to hear of something at once. */
  readonly news?: () => string;
  /** What is shown of our processing chains, asked anew at each renewal. */
  readonly chains?: () => readonly ChainSign[];
  readonly renewEveryMs?: number;
  readonly limits?: Partial<StreamLimits>;
}

export interface PresenceControl {
  /** True while a connection of this agent shows on the server. */
  readonly isShown: boolean;
  /** Whether a connection that shows our name is one that this agent has or had lately. */
  isOurs(id: MonitorId): boolean;
  setMounts(mounts: readonly Mount[]): void;
  stop(): void;
}

const RENEW_EVERY_MS = 5_000;
const SOMETHING_NEW_EVERY_MS = 500;
/** Each may be tried on several mounts, and be renewed twice a second; what Icecast still lists has to be among them. */
const IDS_REMEMBERED = 100;

/**
 * Shows the other agents that this one lives: one listener connection, younger than a few seconds, on the server that
 * they look at anyway. The new one is open before the old one goes, so that there is never none.
 */
export function startPresence(options: PresenceOptions): PresenceControl {
  return new ServerPresence(options);
}

class ServerPresence implements PresenceControl {
  readonly #options: PresenceOptions;
  readonly #cancels: readonly Cancel[];
  #mounts: readonly Mount[];
  #shown: StreamConnection | null = null;
  #opening: StreamConnection | null = null;
  #preferred = 0;
  #said = '';
  #ids: readonly MonitorId[] = [];

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#mounts = options.mounts;
    const { clock, renewEveryMs, onAir, news } = options;
    const mayBeNew = onAir !== undefined || news !== undefined;
    this.#cancels = [
      clock.every(renewEveryMs ?? RENEW_EVERY_MS, () => this.#renew()),
      ...(mayBeNew ? [clock.every(SOMETHING_NEW_EVERY_MS, () => this.#renewIfNew())] : []),
    ];
    this.#renew();
  }

  get isShown(): boolean {
    return this.#shown !== null;
  }

  isOurs(id: MonitorId): boolean {
    return this.#ids.includes(id);
  }

  setMounts(mounts: readonly Mount[]): void {
    this.#mounts = mounts;
    this.#preferred = 0;
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
    this.#opening?.destroy();
    this.#shown?.destroy();
    this.#opening = null;
    this.#shown = null;
  }

  #renewIfNew(): void {
    if (wordsOf(this.#options) !== this.#said) this.#renew();
  }

  #renew(): void {
    this.#said = wordsOf(this.#options);
    this.#opening?.destroy();
    this.#opening = null;
    this.#tryFrom(this.#preferred, this.#mounts.length);
  }

  #tryFrom(index: number, triesLeft: number): void {
    const mount = this.#mounts[index % Math.max(1, this.#mounts.length)];
    if (mount === undefined || triesLeft === 0) return;
    const { clock, random, server, agent, limits, marks, onAir, chains } = this.#options;
    const id = monitorId(random.token(8));
    this.#ids = [...this.#ids.slice(1 - IDS_REMEMBERED), id];
    const connection: StreamConnection = openStream(
      clock,
      {
        server,
        mount,
        userAgent: userAgentOf({
          role: 'presence',
          agent,
          id,
          marks: marks?.() ?? [],
          ...(onAir === undefined ? {} : { onAir: onAir() }),
          chains: chains?.() ?? [],
        }),
        icyMetadata: false,
        ...(limits === undefined ? {} : { limits }),
      },
      {
        opened: () => {
          this.#shown?.destroy();
          this.#shown = connection;
          this.#opening = null;
          this.#preferred = index % this.#mounts.length;
        },
        bytes: () => {},
        failed: () => {
          if (this.#shown === connection) this.#shown = null;
          if (this.#opening !== connection) return;
          this.#opening = null;
          this.#tryFrom(index + 1, triesLeft - 1);
        },
      },
    );
    this.#opening = connection;
  }
}

const wordsOf = ({ onAir, news }: PresenceOptions): string =>
  `${news?.() ?? ''};${[...(onAir?.() ?? [])].join()}`;
