import type { Config } from '../config/index.ts';
import { ordersOf } from '../decide/operator.ts';
import type { ServerLook } from '../domain/icecast.ts';
import type { ServerName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import { HOLD_MAX_MS, type HoldOrder } from '../domain/operator.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { Clock } from '../platform/clock.ts';
import type { Station } from '../station.ts';
import { endMark, nameMark, numberMark, readEnd, readName, readNumber, sealOn } from './mark-seal.ts';

export interface SharedHoldsOptions {
  readonly config: Config;
  readonly stations: () => readonly Station[];
  readonly clock: Clock;
  readonly input: (station: Station, input: Input) => void;
}

interface Said {
  readonly policy: StationPolicy;
  readonly order: HoldOrder;
}

/** When it was asked, of which agent, until when (0: it is over), which source (0: none is forced), the author's name, a seal. */
const FORM =
  /^o([0-9a-w]{1,8})x([0-9a-w]{1,2})x([0-9a-w]{1,8})x([0-9a-w]{1,2})x((?:[0-9a-f]{2}){1,64})x([0-9a-f]{12})$/;
const SEAL_LENGTH = 12;
const MOST_AUTHOR_BYTES = 64;
const MOST_SAID = 4;
/** The newest are said each time, the others in turns: who has heard of one keeps it. */
const ALWAYS_SAID = 2;
const REMEMBERED_MS = 60_000;

/**
 * What operators asked of one agent goes for all, as another may have to stand in for it: each agent's sign of life on a
 * server says the last word on each server that it knows of, in words that only who knows the admin password of that server
 * can make.
 */
export class SharedHolds {
  readonly #options: SharedHoldsOptions;
  readonly #turns = new Map<ServerName, number>();
  /** Marks that were read, and when they were last seen. */
  readonly #read = new Map<string, number>();

  constructor(options: SharedHoldsOptions) {
    this.#options = options;
  }

  /** What our own sign of life on a server says. */
  marksFor(server: ServerName): readonly string[] {
    const all = this.#said();
    const room = MOST_SAID - ALWAYS_SAID;
    const turn = this.#turns.get(server) ?? 0;
    this.#turns.set(server, turn + room);
    const others = all.slice(ALWAYS_SAID);
    const first = others.length <= room ? 0 : turn % others.length;
    const now = [...others.slice(first), ...others.slice(0, first)].slice(0, room);
    return [...all.slice(0, ALWAYS_SAID), ...now].flatMap((said) => this.#mark(server, said) ?? []);
  }

  /** Another text when there is something new to say. */
  get news(): string {
    const [newest] = this.#said();
    return newest === undefined
      ? ''
      : [newest.policy.station, newest.order.server, idOf(newest.order)].join(' ');
  }

  /** Before the look itself is decided on, so that nothing is done in it that somebody has forbidden. */
  saw({ presences }: ServerLook & { ok: true }): void {
    const nowMs = this.#options.clock.nowMs();
    for (const mark of presences.flatMap(({ marks = [] }) => marks)) {
      if (!this.#read.has(mark)) this.#take(mark);
      this.#read.set(mark, nowMs);
    }
    for (const [mark, seenMs] of this.#read) if (nowMs - seenMs > REMEMBERED_MS) this.#read.delete(mark);
  }

  /** A release is said for as long as somebody may believe in a hold of before it. The newest comes first. */
  #said(): readonly Said[] {
    const nowUnixMs = this.#options.clock.wallTime().getTime();
    return this.#options
      .stations()
      .flatMap(({ policy, state }) => ordersOf(state).map((order) => ({ policy, order })))
      .filter(({ order }) => nowUnixMs - order.unixSeconds * 1000 < HOLD_MAX_MS)
      .sort((a, b) => b.order.unixSeconds - a.order.unixSeconds);
  }

  #mark(on: ServerName, { policy, order }: Said): string | null {
    const { unixSeconds, by, author, hold } = order;
    const agent = policy.servers.indexOf(by);
    if (agent < 0) return null;
    const source = hold?.source == null ? 0 : policy.sources.indexOf(hold.source) + 1;
    const words = [
      numberMark(unixSeconds),
      numberMark(agent),
      endMark(hold, this.#options.clock),
      numberMark(source),
      nameMark(author, MOST_AUTHOR_BYTES),
    ];
    const seal = this.#seal(on, policy, order.server, words);
    return seal === null ? null : `o${[...words, seal].join('x')}`;
  }

  #take(mark: string): void {
    const [, ...parts] = FORM.exec(mark) ?? [];
    const words = parts.slice(0, -1);
    const seal = parts.at(-1);
    if (seal === undefined) return;
    for (const station of this.#options.stations()) {
      const { policy } = station;
      for (const server of policy.servers) {
        if (!policy.servers.some((on) => this.#seal(on, policy, server, words) === seal)) continue;
        const order = this.#order(policy, server, words);
        if (order === null) return;
        this.#options.input(station, { kind: 'heard-order', atMs: this.#options.clock.nowMs(), order });
        return;
      }
    }
  }

  #order(policy: StationPolicy, server: ServerName, words: readonly string[]): HoldOrder | null {
    const [asked = '', agent = '', until = '', source = '', author = ''] = words;
    const by = policy.servers[readNumber(agent)];
    if (by === undefined) return null;
    const untilMs = readEnd(until, this.#options.clock);
    const hold =
      untilMs === null ? null : { untilMs, source: policy.sources[readNumber(source) - 1] ?? null };
    return { unixSeconds: readNumber(asked), by, author: readName(author), server, hold };
  }

  /** The names of all servers and sources are in it, as agents whose configs differ in them would mean others by the same number. */
  #seal(
    on: ServerName,
    { station, servers, sources }: StationPolicy,
    server: ServerName,
    words: readonly string[],
  ) {
    const of = ['order', station, server, servers.join(), sources.join()];
    return sealOn(this.#options.config, on, [...of, ...words], SEAL_LENGTH);
  }
}

const idOf = ({ unixSeconds, by }: HoldOrder): string => `${unixSeconds} ${by}`;
