import type { Config } from '../config/index.ts';
import type { ServerName, StationName } from '../domain/ids.ts';
import type { SilenceWindow } from '../domain/planned-silence.ts';
import type { Clock } from '../platform/clock.ts';
import type { Colleagues } from './colleagues.ts';
import { numberMark, readNumber, sealOn } from './mark-seal.ts';

/** A silence that an agent is told of by another. */
export interface SharedSilence {
  readonly station: StationName;
  readonly agent: string;
  readonly window: SilenceWindow;
}

const FORM = /^q([0-9a-w]{1,9})x([0-9a-w]{1,5})x([0-9a-f]{12})$/;
/** What is further off is said when it comes nearer. */
const AHEAD_MS = 24 * 3_600_000;
/** A colleague that lives and has said nothing of it for so long has cancelled it. */
const CANCELLED_MS = 20_000;
const ALIVE_MS = 12_000;
const MOST_SAID = 6;
const SEAL_LENGTH = 12;

/**
 * Silences that operators planned on one agent are kept by all: each agent's sign of life on a server says its next ones, in
 * words that only who knows the admin password of that server can make.
 */
export class SharedSilences {
  readonly #config: Config;
  readonly #colleagues: Colleagues;
  readonly #clock: Clock;
  readonly #heard = new Map<string, SharedSilence & { shownAtMs: number }>();

  constructor(config: Config, colleagues: Colleagues, clock: Clock) {
    this.#config = config;
    this.#colleagues = colleagues;
    this.#clock = clock;
  }

  /** What our own sign of life on a server says. */
  marksFor(
    server: ServerName,
    own: readonly { readonly station: StationName; readonly window: SilenceWindow }[],
  ): readonly string[] {
    const nowUnixMs = this.#clock.wallTime().getTime();
    return own
      .filter(({ window }) => window.fromUnixMs - nowUnixMs < AHEAD_MS)
      .sort((a, b) => a.window.fromUnixMs - b.window.fromUnixMs)
      .slice(0, MOST_SAID)
      .flatMap(({ station, window }) => this.#mark(server, station, window) ?? []);
  }

  /** What the others say, and said before they fell silent. */
  heard(): readonly SharedSilence[] {
    const nowMs = this.#clock.nowMs();
    const nowUnixMs = this.#clock.wallTime().getTime();
    const sights = this.#colleagues.sights;
    for (const { agent, marks } of sights) {
      for (const mark of marks) {
        const shared = this.#read(agent, mark);
        if (shared === null) continue;
        const { station, window } = shared;
        const key = [agent, station, window.fromUnixMs, window.untilUnixMs].join(' ');
        this.#heard.set(key, { ...shared, shownAtMs: nowMs });
      }
    }
    for (const [key, { agent, window, shownAtMs }] of this.#heard) {
      const lives = sights.some((sight) => sight.agent === agent && sight.seenAgoMs <= ALIVE_MS);
      const isCancelled = lives && nowMs - shownAtMs > CANCELLED_MS;
      if (isCancelled || nowUnixMs > window.untilUnixMs + AHEAD_MS) this.#heard.delete(key);
    }
    return [...this.#heard.values()];
  }

  #mark(server: ServerName, station: StationName, window: SilenceWindow): string | null {
    const from = numberMark(Math.round(window.fromUnixMs / 1000));
    const length = numberMark(Math.round((window.untilUnixMs - window.fromUnixMs) / 1000));
    const seal = this.#seal(server, station, from, length);
    return seal === null ? null : `q${from}x${length}x${seal}`;
  }

  #read(agent: string, mark: string): SharedSilence | null {
    const [, from = '', length = '', seal = ''] = FORM.exec(mark) ?? [];
    if (seal === '') return null;
    for (const { name: station } of this.#config.stations) {
      for (const { name: server } of this.#config.servers) {
        if (this.#seal(server, station, from, length) !== seal) continue;
        const fromUnixMs = readNumber(from) * 1000;
        const untilUnixMs = fromUnixMs + readNumber(length) * 1000;
        return { station, agent, window: { fromUnixMs, untilUnixMs, says: `planned on ${agent}` } };
      }
    }
    return null;
  }

  #seal(server: ServerName, station: StationName, from: string, length: string): string | null {
    return sealOn(this.#config, server, ['silence', station, from, length], SEAL_LENGTH);
  }
}
