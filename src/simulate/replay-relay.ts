import { isInForce } from '../decide/planned-silence.ts';
import type { StationState } from '../decide/state.ts';
import type { LegId } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { RelayLine, type RelaySwitch } from './relay-line.ts';
import type { PastSwitch } from './replay.ts';

export interface ReplayedAgent {
  readonly policy: StationPolicy;
  readonly stateNow: () => StationState;
  readonly feed: (input: Input) => void;
}

/** A shorter silence is a pause. */
const NOTICED_MS = 3_000;

/** The relay of a station over its past: the model of it that the simulator has, and what it would have played. */
export class ReplayRelay {
  readonly #agent: ReplayedAgent;
  readonly #line: RelayLine;
  readonly #delayMs: number;
  readonly #switched: (one: PastSwitch) => void;
  readonly #carried = new Map<string, 'sound' | 'silent' | 'stalled'>();
  #silentMs = 0;
  #playedSilenceMs = 0;

  constructor(agent: ReplayedAgent, delayMs: number, switched: (one: PastSwitch) => void) {
    this.#agent = agent;
    this.#delayMs = delayMs;
    this.#switched = switched;
    const { policy, feed, stateNow } = agent;
    this.#line = new RelayLine(
      {
        policy,
        feed,
        get state() {
          return stateNow();
        },
      },
      delayMs,
      (server, source) => ({
        is: this.#carried.get(`${policy.station}/${source}@${server}`) ?? 'sound',
        source: null,
      }),
    );
  }

  /** Silences of 3 s and more that were played so far, in ms. */
  get playedSilenceMs(): number {
    return this.#playedSilenceMs + this.#noticed(this.#silentMs);
  }

  /** The first source is on air, from the first server. */
  get isOnFirst(): boolean {
    const { policy } = this.#agent;
    const { onAir } = this.#line;
    return onAir !== null && onAir.source === policy.sources[0] && onAir.server === policy.self;
  }

  /** What a leg brings from now on. */
  carries(leg: LegId, is: 'sound' | 'silent' | 'stalled'): void {
    this.#carried.set(leg, is);
  }

  advance(atMs: number, stepMs: number): void {
    const before = this.#line.onAir;
    const changed = this.#line.advance(atMs);
    if (changed !== null && changed.trigger !== 'start') this.#tell(changed, before?.id ?? null, atMs);
    const { silence } = this.#agent.stateNow();
    const isSilent = this.#line.output(atMs)?.is === 'silent' && !isInForce(silence, atMs - this.#delayMs);
    if (isSilent) this.#silentMs += stepMs;
    else {
      this.#playedSilenceMs += this.#noticed(this.#silentMs);
      this.#silentMs = 0;
    }
  }

  #noticed(silentMs: number): number {
    return silentMs >= NOTICED_MS ? silentMs : 0;
  }

  #tell({ to, trigger }: RelaySwitch, from: LegId | null, atMs: number): void {
    const { policy, stateNow } = this.#agent;
    const condition = from === null ? undefined : stateNow().legs.get(from)?.condition;
    const because =
      trigger === 'fault'
        ? `${from} is ${condition?.is === 'faulty' ? condition.fault : 'faulty'}`
        : `${to} has been good for long enough`;
    this.#switched({ unixMs: atMs, server: policy.self, from, to, trigger, because });
  }
}
