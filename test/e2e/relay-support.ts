import { get } from 'node:http';
import { ffmpegDecoders } from '../../src/audio/ffmpeg-decoder.ts';
import { type Correlation, correlate, interpolate } from '../../src/audio/splice.ts';
import { Secret } from '../../src/config/secret.ts';
import { noMemory } from '../../src/decide/state.ts';
import type { IcecastServer } from '../../src/demo/rig/index.ts';
import { type Material, runFfmpeg } from '../../src/demo/rig/material.ts';
import type { LegCondition } from '../../src/domain/conditions.ts';
import type { StationEvent } from '../../src/domain/events.ts';
import {
  type LegId,
  makeLeg,
  mount,
  type ServerName,
  serverName,
  sourceName,
  stationName,
} from '../../src/domain/ids.ts';
import type { Input } from '../../src/domain/inputs.ts';
import type { StationPolicy } from '../../src/domain/policy.ts';
import { parseServerUrl } from '../../src/icecast/address.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { legsInOrder } from '../../src/relay/legs.ts';
import type { RelayOutput } from '../../src/relay/outputs.ts';
import { type Relay, type RelayEvent, startRelay } from '../../src/relay/relay.ts';
import { Station } from '../../src/station.ts';
import { startLegListener } from '../../src/wiring/leg-listener.ts';
import { startServerLink } from '../../src/wiring/server-link.ts';

export const LONDON = serverName('london');
const RATE_HZ = 48_000;
const CHANNELS = 2;

export interface RelayAgentOptions {
  readonly servers: Readonly<Record<string, IcecastServer>>;
  readonly outputs?: readonly (Pick<RelayOutput, 'format'> & { readonly mount: string })[];
  readonly sources?: readonly string[];
  readonly restoreMs?: number;
  readonly tripMs?: number;
  readonly delayMs?: number;
}

export interface RelayAgent {
  readonly relay: Relay;
  /** Asks for a source as an operator does, or lets go. */
  force(source: string | null, server?: string): void;
  readonly events: readonly RelayEvent[];
  readonly stationEvents: readonly StationEvent[];
  conditionOf(source: string, server?: string): LegCondition;
  stop(): Promise<void>;
}

const MP3 = { codec: 'mp3', bitrateKbps: 128, sampleRateHz: 44_100, channels: 2 } as const;

function policyOf(options: RelayAgentOptions): StationPolicy {
  const servers = Object.keys(options.servers).map(serverName);
  const sources = (options.sources ?? ['primary', 'secondary', 'autodj']).map(sourceName);
  const station = stationName('myfm');
  return {
    station,
    mode: 'relay',
    self: LONDON,
    servers,
    sources,
    legs: servers.flatMap((server) =>
      sources.map((source) => makeLeg(station, source, server, mount(`/${source}`))),
    ),
    silence: {
      thresholdDbfs: -50,
      tripMs: options.tripMs ?? 5_000,
      restoreMs: options.restoreMs ?? 10_000,
      soundMs: 1_000,
    },
    programme: { preset: 'music', actOn: ['noise-only', 'tone', 'stuck-loop'] },
    stallMs: 2_000,
    absentMs: 1_000,
    dwellMs: 5_000,
    verifiedWithinMs: 5_000,
    flap: { holdDownMs: 30_000, holdDownMaxMs: 300_000, halfLifeMs: 900_000 },
    deputyAfterMs: 15_000,
  };
}

/** One agent in relay mode, put together as `agent.ts` and `station.ts` will do it. */
export function startRelayAgent(options: RelayAgentOptions): RelayAgent {
  const policy = policyOf(options);
  const clock = systemClock;
  const random = systemRandom;
  const log = silentLogger();
  const events: RelayEvent[] = [];
  const stationEvents: StationEvent[] = [];
  const listeners = new Map<LegId, ReturnType<typeof startLegListener>>();
  const station: Station = new Station(policy, noMemory, clock.nowMs(), {
    event: (event) => stationEvents.push(event),
    command: (command) => {
      // In relay mode listeners sit on the public mount: nobody is ever moved.
      if (command.kind === 'reconnect-monitor') listeners.get(command.leg)?.reconnect(command.because);
    },
  });
  const push = (input: Input) => setImmediate(() => station.take(input));
  const own = options.servers[LONDON];
  if (own === undefined) throw new Error('the agent stands beside london');
  let forced: LegId | null = null;
  const idOf = (source: string, server: string) =>
    makeLeg(policy.station, sourceName(source), serverName(server), mount(`/${source}`)).id;
  const relay = startRelay({
    legs: legsInOrder(policy),
    outputs: (options.outputs ?? [{ mount: '/stream', format: MP3 }]).map((output) => ({
      mount: mount(output.mount),
      format: output.format,
      server: addressOf(own),
      credentials: { user: own.source.user, password: own.source.password },
      words: { name: 'My FM', genre: 'Talk', description: 'As ever' },
    })),
    delayMs: options.delayMs ?? policy.silence.tripMs + 2_000,
    restoreMs: policy.silence.restoreMs,
    dwellMs: policy.dwellMs,
    thresholdDbfs: policy.silence.thresholdDbfs,
    ffmpegPath: 'ffmpeg',
    clock,
    random,
    log,
    conditionOf: (leg) => conditionIn(station, leg),
    holdOf: () => (forced === null ? null : { author: 'the test', leg: forced }),
    onEvent: (event) => events.push(event),
  });
  const decoders = ffmpegDecoders({ ffmpegPath: 'ffmpeg', clock, random, logger: log });
  const links = Object.entries(options.servers).map(([name, server]) =>
    startServerLink({
      name: serverName(name),
      self: LONDON,
      address: addressOf(server),
      admin: { user: server.admin.user, password: new Secret(server.admin.password, 'the rig') },
      mounts: policy.sources.map((source) => mount(`/${source}`)),
      clock,
      random,
      seen: (look) => {
        if (look.ok) {
          const listed = new Set(look.mounts.map((view) => view.mount));
          for (const leg of policy.legs) {
            if (leg.server === name) listeners.get(leg.id)?.setListed(listed.has(leg.mount));
          }
        }
        push({ kind: 'look', atMs: look.atMs, server: name as ServerName, look });
      },
    }),
  );
  for (const leg of policy.legs) {
    const server = options.servers[leg.server];
    if (server === undefined) continue;
    listeners.set(
      leg.id,
      startLegListener({
        leg,
        agent: LONDON,
        server: addressOf(server),
        policy,
        decoders,
        clock,
        random,
        log,
        input: push,
        title: () => {},
        openFeed: () => relay.openFeed(leg.id),
      }),
    );
  }
  const cancelTick = clock.every(100, () => push({ kind: 'tick', atMs: clock.nowMs() }));
  return {
    relay,
    events,
    stationEvents,
    force(source, server = LONDON) {
      forced = source === null ? null : idOf(source, server);
    },
    conditionOf: (source, server = LONDON) => conditionIn(station, idOf(source, server)),
    async stop() {
      cancelTick();
      for (const link of links) link.stop();
      await Promise.all([...listeners.values()].map((listener) => listener.stop()));
      await relay.stop();
    },
  };
}

function conditionIn(station: Station, leg: LegId): LegCondition {
  return station.state.legs.get(leg)?.condition ?? { is: 'unknown', sinceMs: 0, reason: 'starting' };
}

function addressOf(server: IcecastServer) {
  const address = parseServerUrl(server.url);
  if (address === null) throw new Error(`${server.url} is no address`);
  return address;
}

/** Everything that came on one mount, for looking at the sound itself. */
export interface Capture {
  readonly disconnects: () => number;
  /** Hangs up; what was heard can still be asked for. */
  readonly close: () => void;
  readonly stop: () => Promise<Heard>;
}

export interface Heard {
  /** Interleaved stereo at 48 kHz. */
  readonly pcm: Float32Array;
  readonly complaints: readonly string[];
  readonly seconds: number;
}

export function capture(url: string, demuxer = 'mp3'): Promise<Capture> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let disconnects = 0;
    const request = get(url, { agent: false, headers: { 'user-agent': 'VLC/3.0.18' } }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`${url} answered ${response.statusCode}`));
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('close', () => {
        disconnects += 1;
      });
      response.on('error', () => {});
      resolve({
        disconnects: () => disconnects,
        close: () => request.destroy(),
        async stop() {
          request.destroy();
          return decodeRecording(chunks, demuxer);
        },
      });
    });
    request.on('error', reject);
  });
}

/** `keepSound` false: only what the decoder has to complain about is wanted. */
export async function decodeRecording(
  chunks: readonly Buffer[],
  demuxer: string,
  keepSound = true,
): Promise<Heard> {
  const sound = ['-f', 'f32le', '-ar', String(RATE_HZ), '-ac', String(CHANNELS), 'pipe:1'];
  const args = ['-f', demuxer, '-i', 'pipe:0', ...(keepSound ? sound : ['-f', 'null', '-'])];
  const { output, complaints } = await runFfmpeg(args, Buffer.concat(chunks));
  const pcm = floatsOf(output);
  return {
    pcm,
    complaints: complaints.split('\n').filter((line) => line.trim() !== ''),
    seconds: pcm.length / CHANNELS / RATE_HZ,
  };
}

const floatsOf = (bytes: Buffer) =>
  new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length - (bytes.length % 8)),
  );

/** The longest run of sound under -60 dBFS in both channels, in steps of 10 ms; the decoder's own start left out. */
export function longestQuiet(pcm: Float32Array): { readonly atMs: number; readonly durationMs: number } {
  const step = (RATE_HZ / 100) * CHANNELS;
  let longest = { atMs: 0, durationMs: 0 };
  let runMs = 0;
  for (let at = step * 20; at + step <= pcm.length; at += step) {
    let square = 0;
    for (let i = at; i < at + step; i += 1) square += (pcm[i] ?? 0) ** 2;
    runMs = 10 * Math.log10(square / step + 1e-20) < -60 ? runMs + 10 : 0;
    if (runMs > longest.durationMs) longest = { atMs: (at / step) * 10 + 10 - runMs, durationMs: runMs };
  }
  return longest;
}

export const longestQuietMs = (pcm: Float32Array): number => longestQuiet(pcm).durationMs;

/** How the place in the programme goes on: one entry per half second that was found in it. */
export interface Place {
  readonly atMs: number;
  readonly programmeMs: number;
  readonly peak: number;
}

/** Where in the material what was heard every half second lies; short pieces, as the tempo may be off by 0.4 %. What isn't found in it is left out. */
export async function placesIn(pcm: Float32Array, material: Material): Promise<readonly Place[]> {
  const bytes = new Uint8Array(
    material.samples.buffer,
    material.samples.byteOffset,
    material.samples.byteLength,
  );
  const { output } = await runFfmpeg(
    [
      '-f',
      's16le',
      '-ar',
      '44100',
      '-ac',
      '2',
      '-i',
      'pipe:0',
      '-f',
      'f32le',
      '-ar',
      String(RATE_HZ),
      'pipe:1',
    ],
    bytes,
  );
  const once = floatsOf(output);
  // The material is a loop, so it is laid down twice.
  const twice = new Float32Array(once.length * 2);
  twice.set(once);
  twice.set(once, once.length);
  const loopFrames = once.length / CHANNELS;
  const places: Place[] = [];
  let expected: number | null = null;
  const piece = 0.4 * RATE_HZ;
  const hop = RATE_HZ / 2;
  for (let frame = hop; (frame + piece) * CHANNELS <= pcm.length; frame += hop) {
    const from: number = expected === null ? 0 : Math.max(0, expected - 3 * RATE_HZ);
    const to = expected === null ? loopFrames + 2 * RATE_HZ : expected + 3 * RATE_HZ + piece;
    const haystack = twice.slice(from * CHANNELS, to * CHANNELS);
    const found = await findAtAnyTempo(pcm, frame, piece, haystack);
    if (found === null || found.peak < 0.6) {
      expected = null;
      continue;
    }
    const place = from + found.offsetFrames;
    places.push({ atMs: frame / 48, programmeMs: place / 48, peak: found.peak });
    expected = (place + hop) % loopFrames;
  }
  return places;
}

/** Latency is worked off with up to 0.4 % of tempo, at which 0.4 s of sound no longer look like the original. */
async function findAtAnyTempo(pcm: Float32Array, frame: number, frames: number, haystack: Float32Array) {
  let best: Correlation | null = null;
  for (const tempo of [1, 1.002, 0.998, 1.004, 0.996]) {
    const reach = 64;
    const around = pcm.slice(
      (frame - reach) * CHANNELS,
      (frame + Math.ceil(frames * 1.005) + reach) * CHANNELS,
    );
    const needle = new Float32Array(frames * CHANNELS);
    if (around.length / CHANNELS < frames * 1.005 + 2 * reach) return best;
    interpolate(around, reach, tempo, needle);
    const found = await correlate(needle, haystack);
    if (found !== null && found.peak > (best?.peak ?? 0)) best = found;
    // Good enough, or another programme altogether.
    if (best === null || best.peak > 0.95 || best.peak < 0.4) break;
  }
  return best;
}

/** Where the programme jumped by more than `overMs`: what a listener hears as a repeat or a hole. */
export function jumpsIn(places: readonly Place[], loopMs: number, overMs = 5): readonly string[] {
  return places.flatMap((place, index) => {
    const before = places[index - 1];
    if (before === undefined) return [];
    const raw = place.programmeMs - before.programmeMs - (place.atMs - before.atMs);
    const jumpMs = raw - loopMs * Math.round(raw / loopMs);
    if (Math.abs(jumpMs) <= overMs) return [];
    const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
    return [
      `${jumpMs.toFixed(1)} ms at ${seconds(place.atMs)}, ${seconds(place.programmeMs)} into the programme (peak ${place.peak.toFixed(2)})`,
    ];
  });
}
