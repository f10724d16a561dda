import { createStreamClock } from '../../../src/audio/stream-clock.ts';
import { Secret } from '../../../src/config/secret.ts';
import { noMemory } from '../../../src/decide/state.ts';
import type { StationEvent } from '../../../src/domain/events.ts';
import { type Leg, type MonitorId, monitorId, type ServerName } from '../../../src/domain/ids.ts';
import type { Input } from '../../../src/domain/inputs.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import type { LegFeed } from '../../../src/relay/legs.ts';
import { Station } from '../../../src/station.ts';
import { startStationRelay } from '../../../src/wiring/station-relay.ts';
import { policyWith, pulse, reading, viewOf } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';

export const RATE_HZ = 48_000;
const CHANNELS = 2;
export const START_MS = 1_000;
const STEP_MS = 100;
const STEP_FRAMES = (STEP_MS * RATE_HZ) / 1_000;
const BURST_MS = 4_000;

type RelaySwitch = StationEvent & { kind: 'relay-switched' };

/** What one leg carries. */
export interface Carried {
  readonly of: string;
  readonly on: ServerName;
  /** Whole seconds of it, which go round. */
  readonly programme: Float32Array;
  /** What the encoder sends now: nothing, silence or its programme. */
  sends(nowMs: number): 'nothing' | 'silence' | 'programme';
  /** The network holds back what comes meanwhile and brings it at once afterwards. */
  isHeldBack?(nowMs: number): boolean;
}

interface Line {
  readonly carried: Carried;
  readonly leg: Leg;
  /** Everything that the encoder has sent, a step each. */
  readonly sent: Float32Array[];
  monitor: MonitorId;
  feed: LegFeed;
  edge: ReturnType<typeof createStreamClock>;
  openedAtMs: number;
  fromStep: number;
  steps: number;
  lastByteAtMs: number;
  /** Ends of the blocks whose time is not settled yet. */
  unread: number[];
}

/** Noise under a slow envelope: unlike itself everywhere, and of a loudness that changes as speech and music do. */
export function noise(seconds: number, seed: number): Float32Array {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  };
  const out = new Float32Array(seconds * RATE_HZ * CHANNELS);
  let [slow, slower, envelope, wanted] = [0, 0, 0.5, 0.5];
  for (let frame = 0; frame < seconds * RATE_HZ; frame += 1) {
    if (frame % 4_800 === 0) wanted = 0.2 + 0.8 * Math.abs(random());
    envelope += (wanted - envelope) * 0.0005;
    slow += (random() - slow) * 0.15;
    slower += (slow - slower) * 0.3;
    out.fill(0.5 * envelope * slower, frame * CHANNELS, (frame + 1) * CHANNELS);
  }
  return out;
}

/**
 * The decision and the relay of one station as they ship, on a clock that is moved by hand: legs that send, and an
 * Icecast that hands it on.
 */
export function relayHouse(
  carried: readonly Carried[],
  settle: () => Promise<unknown>,
  { delayMs = 8_000, ...more }: Parameters<typeof policyWith>[0] & { readonly delayMs?: number } = {},
) {
  const clock = manualClock(START_MS);
  const servers = [...new Set(carried.map(({ on }) => on))];
  const all = policyWith({ mode: 'relay', servers, dwellMs: 5_000, ...more });
  const carriedBy = (leg: Leg) => carried.find(({ of, on }) => of === leg.source && on === leg.server);
  const policy = { ...all, legs: all.legs.filter((leg) => carriedBy(leg) !== undefined) };
  const switches: RelaySwitch[] = [];
  const played: Float32Array[] = [];
  const take = (input: Input) => station.take(input);
  const station = new Station(policy, noMemory, clock.nowMs(), { command() {}, event() {} });
  const relay = startStationRelay({
    station,
    serve: {
      mode: 'relay',
      delayMs,
      crossfadeMs: 250,
      outputs: [],
      emergencyFile: null,
      processing: null,
      stream: { name: 'My FM' },
    },
    server: { host: 'none.invalid', port: 1, tls: false },
    source: { user: 'source', password: new Secret('hackme', 'the test') },
    servers: [],
    ffmpegPath: 'none',
    decoders: {
      open() {
        throw new Error('nothing is decoded here');
      },
    },
    clock,
    random: systemRandom,
    log: silentLogger(),
    input: take,
    event: (event) => {
      if (event.kind === 'relay-switched') switches.push(event);
    },
    played: (pcm) => played.push(pcm),
    processed() {},
  });
  let monitors = 0;
  const connect = (leg: Leg, atMs: number) => {
    monitors += 1;
    const monitor = monitorId(`m${monitors}`);
    take({
      kind: 'link',
      atMs,
      leg: leg.id,
      link: { is: 'open', sinceMs: atMs, monitor, contentType: 'audio/mpeg' },
    });
    const edge = createStreamClock({ rateHz: RATE_HZ });
    return { monitor, feed: relay.openFeed(leg.id), edge, openedAtMs: atMs, steps: 0, unread: [] };
  };
  const lines: Line[] = policy.legs.map((leg) => {
    const found = carriedBy(leg);
    if (found === undefined) throw new Error(`nothing is carried by ${leg.id}`);
    return { carried: found, leg, sent: [], fromStep: 0, lastByteAtMs: START_MS, ...connect(leg, START_MS) };
  });
  const send = ({ carried: from, sent }: Line, nowMs: number) => {
    const step = (nowMs - START_MS) / STEP_MS - 1;
    const sends = from.sends(nowMs);
    if (sends !== 'nothing') sent.push(sends === 'silence' ? SILENCE : soundOf(from.programme, step));
  };
  const bring = (line: Line, nowMs: number) => {
    const { carried: from, leg, sent } = line;
    if (from.isHeldBack?.(nowMs)) return;
    for (let at = line.fromStep + line.steps; at < sent.length; at += 1) {
      const pcm = sent[at] ?? new Float32Array(0);
      line.feed.pcm(pcm);
      line.steps += 1;
      line.edge.arrived(line.steps * STEP_FRAMES, nowMs);
      line.unread.push(at);
      line.lastByteAtMs = nowMs;
    }
    if (!line.edge.settled(nowMs)) return;
    for (const at of line.unread.splice(0)) {
      const atMs = line.edge.timeOf((at - line.fromStep + 1) * STEP_FRAMES);
      take({
        kind: 'levels',
        atMs: nowMs,
        leg: leg.id,
        reading: reading(atMs, sent[at] === SILENCE ? 0 : STEP_MS, line.monitor),
      });
    }
  };
  const watch = (nowMs: number) => {
    const step = Math.round((nowMs - START_MS) / STEP_MS);
    for (const { leg, monitor, openedAtMs, lastByteAtMs } of lines) {
      const bytes = { monitor, openedAtMs, lastByteAtMs, lastPcmAtMs: lastByteAtMs };
      if (step % 2 === 0) take({ kind: 'pulse', atMs: nowMs, leg: leg.id, pulse: pulse(nowMs, bytes) });
    }
    for (const server of step % 5 === 0 ? servers : []) {
      const mounts = lines
        .filter(({ leg }) => leg.server === server)
        .map(({ leg, monitor }) => viewOf(leg.source, { monitors: [monitor] }));
      const look = { ok: true as const, startedAtMs: nowMs - 10, atMs: nowMs, mounts, presences: [] };
      take({ kind: 'look', atMs: nowMs, server, look });
    }
    take({ kind: 'tick', atMs: nowMs });
  };
  return {
    clock,
    relay,
    station,
    switches,
    played,
    /** The agent stands still, and Icecast hangs up on its monitors, which didn't read. */
    standStill(seconds: number) {
      const fromMs = clock.nowMs();
      clock.standStill(seconds * 1_000);
      for (const line of lines)
        for (let atMs = fromMs + STEP_MS; atMs <= clock.nowMs(); atMs += STEP_MS) send(line, atMs);
      take({ kind: 'gap', atMs: clock.nowMs(), lostMs: seconds * 1_000 });
      for (const line of lines) {
        line.feed.close();
        const fromStep = Math.max(0, line.sent.length - BURST_MS / STEP_MS);
        Object.assign(line, connect(line.leg, clock.nowMs()), { fromStep });
      }
    },
    async pass(seconds: number) {
      for (let step = 0; step < (seconds * 1_000) / STEP_MS; step += 1) {
        clock.advance(STEP_MS);
        for (const line of lines) {
          send(line, clock.nowMs());
          bring(line, clock.nowMs());
        }
        watch(clock.nowMs());
        await settle();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

const SILENCE = new Float32Array(STEP_FRAMES * CHANNELS);

/** 100 ms out of a programme that goes round and round. */
function soundOf(programme: Float32Array, step: number): Float32Array {
  const samples = STEP_FRAMES * CHANNELS;
  const at = (step * samples) % programme.length;
  return programme.subarray(at, at + samples);
}
