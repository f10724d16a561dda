import { type LegEar, openLegEar } from '../../../src/audio/leg-ear.ts';
import type { Leg, MonitorId, ServerName } from '../../../src/domain/ids.ts';
import type { LevelReading, Pulse } from '../../../src/domain/readings.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import type { LegFeed } from '../../../src/relay/legs.ts';

export const RATE_HZ = 48_000;
export const CHANNELS = 2;
export const STEP_MS = 100;
export const START_MS = 1_000;
const STEP_FRAMES = (STEP_MS * RATE_HZ) / 1_000;
const STEP_SAMPLES = STEP_FRAMES * CHANNELS;
const BURST_STEPS = 40;

/** What one leg carries. */
export interface Carried {
  readonly of: string;
  readonly on: ServerName;
  /** Whole seconds of it, which go round. */
  readonly programme: Float32Array;
  /** So much later than the studio. */
  readonly lagMs?: number;
  /** What the encoder sends now: nothing, silence, its programme, or its last so many ms over and over. */
  sends(nowMs: number): 'nothing' | 'silence' | 'programme' | { readonly loopMs: number };
  /** The encoder doesn't go on in its programme while it sends nothing. */
  readonly isPaused?: (nowMs: number) => boolean;
  /** The network holds back what comes meanwhile and brings it at once afterwards, or a little at a time. */
  isHeldBack?(nowMs: number): boolean | 'dribbling';
  /** Icecast has no source here, and hangs up on who listens or carries them off to this source. */
  isGone?(nowMs: number): boolean | { readonly to: string };
  /** The agent can't reach it. */
  isCut?(nowMs: number): boolean;
}

/** The encoder of one leg, its line and its mount on Icecast. */
export class Mount {
  readonly leg: Leg;
  readonly carried: Carried;
  /** Everything that Icecast got from the source of now, a step each. */
  arrived: Float32Array[] = [];
  isThere = true;
  #waiting: Float32Array[] = [];
  #pausedSteps = 0;
  #loopFrom: number | null = null;

  constructor(leg: Leg, carried: Carried) {
    this.leg = leg;
    this.carried = carried;
  }

  /** What the encoder did in the step that ends now. */
  send(nowMs: number): void {
    const { sends, isPaused, isHeldBack, isGone } = this.carried;
    this.isThere = isGone === undefined || isGone(nowMs) === false;
    if (!this.isThere) {
      this.arrived = [];
      this.#waiting = [];
    }
    const step = (nowMs - START_MS) / STEP_MS - 1;
    const what = sends(nowMs);
    if (isPaused?.(nowMs)) this.#pausedSteps += 1;
    else if (this.isThere && what !== 'nothing') this.#waiting.push(this.#sound(what, step));
    if (typeof what !== 'object') this.#loopFrom = null;
    const held = isHeldBack?.(nowMs) ?? false;
    if (held === true) return;
    const most = held === 'dribbling' ? 2 - (step % 2) : this.#waiting.length;
    this.arrived.push(...this.#waiting.splice(0, most));
  }

  #sound(what: 'silence' | 'programme' | { readonly loopMs: number }, step: number): Float32Array {
    if (what === 'silence') return SILENCE;
    const { programme, lagMs = 0 } = this.carried;
    const lagFrames = Math.round((lagMs * RATE_HZ) / 1_000);
    const at = (step - this.#pausedSteps) * STEP_FRAMES - lagFrames;
    if (what === 'programme') return soundOf(programme, at);
    const loopFrames = (what.loopMs * RATE_HZ) / 1_000;
    this.#loopFrom ??= at;
    return soundOf(programme, this.#loopFrom - loopFrames + ((at - this.#loopFrom) % loopFrames));
  }
}

const SILENCE = new Float32Array(STEP_SAMPLES);

/** 100 ms out of a programme that goes round and round. */
function soundOf(programme: Float32Array, fromFrame: number): Float32Array {
  const turn = programme.length;
  const at = (((fromFrame * CHANNELS) % turn) + turn) % turn;
  if (at + STEP_SAMPLES <= turn) return programme.subarray(at, at + STEP_SAMPLES);
  const out = new Float32Array(STEP_SAMPLES);
  out.set(programme.subarray(at));
  out.set(programme.subarray(0, at + STEP_SAMPLES - turn), turn - at);
  return out;
}

export interface ConnectionOptions {
  readonly monitor: MonitorId;
  readonly mount: Mount;
  readonly clock: Clock;
  readonly openFeed: () => LegFeed;
  readonly reading: (reading: LevelReading) => void;
  readonly pulse: (pulse: Pulse) => void;
}

/** One connection of the agent to a mount, with the ear that hears it. */
export class Connection {
  readonly monitor: MonitorId;
  /** Where Icecast has it now. */
  mount: Mount;
  readonly #ear: LegEar;
  #feed: LegFeed | null = null;
  #next: number;
  #isRead = true;

  constructor(options: ConnectionOptions) {
    const { monitor, mount, clock } = options;
    this.monitor = monitor;
    this.mount = mount;
    this.#next = Math.max(0, mount.arrived.length - BURST_STEPS);
    this.#ear = openLegEar({
      monitor,
      demuxer: 'mp3',
      openedAtMs: clock.nowMs(),
      thresholdDbfs: -50,
      preset: 'music',
      decoders: {
        open: ({ onPcm }) => ({
          write: (bytes) =>
            onPcm(
              new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / Float32Array.BYTES_PER_ELEMENT),
            ),
          state: 'running',
          lastPcmAtMs: null,
          droppedBytes: 0,
          close: () => Promise.resolve(),
        }),
      },
      clock,
      onReading: options.reading,
      onPulse: options.pulse,
      onPcm: (pcm) => {
        this.#feed ??= options.openFeed();
        this.#feed.pcm(pcm);
      },
    });
  }

  /** The source is gone, and Icecast has its listeners go on with another one. */
  carryTo(mount: Mount): void {
    this.mount = mount;
    this.#next = mount.arrived.length;
  }

  bring(nowMs: number): void {
    if (!this.#isRead) return;
    const { arrived } = this.mount;
    for (; this.#next < arrived.length; this.#next += 1) {
      const pcm = arrived[this.#next] ?? SILENCE;
      this.#ear.write(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength), nowMs);
    }
  }

  close(): void {
    this.#isRead = false;
    this.#feed?.close();
    void this.#ear.close();
  }
}
