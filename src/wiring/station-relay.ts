import { PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { DecoderFactory } from '../audio/decoder.ts';
import { createProcessor, type Processor } from '../audio/processor.ts';
import { decodeWholeFile } from '../audio/whole-file.ts';
import type { Credentials, ProcessingConfig, StationConfig } from '../config/index.ts';
import { isInForce } from '../decide/planned-silence.ts';
import { requiredLegHealthMs } from '../decide/relapse.ts';
import type { StationEvent } from '../domain/events.ts';
import type { Input } from '../domain/inputs.ts';
import type { ProcessingReading } from '../domain/readings.ts';
import type { StreamView } from '../domain/view.ts';
import type { ServerAddress } from '../icecast/address.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { type Emergency, emergencyOf } from '../relay/emergency.ts';
import { legsInOrder } from '../relay/legs.ts';
import { type Relay, startRelay } from '../relay/relay.ts';
import type { SoundProcessing } from '../relay/sound-processing.ts';
import type { Station } from '../station.ts';
import { relayDelayMs } from './relay-delay.ts';
import { type StreamSkew, type StreamSkewOptions, startStreamSkew } from './stream-skew.ts';

export interface StationRelayOptions {
  readonly station: Station;
  readonly serve: StationConfig['serve'];
  /** The server that this agent stands beside, and who feeds mounts there. */
  readonly server: ServerAddress;
  readonly source: Credentials;
  /** Every server, our own among them, for comparing the public streams. */
  readonly servers: StreamSkewOptions['servers'];
  readonly ffmpegPath: string;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly input: (input: Input) => void;
  readonly event: (event: StationEvent) => void;
  /** What goes to the encoders, for meters. */
  readonly played: (pcm: Float32Array) => void;
  /** What the processing chain did, each 100 ms of it. */
  readonly processed: (reading: ProcessingReading) => void;
}

/** A minute of it takes 11 MiB for as long as the agent runs. */
export const MOST_EMERGENCY_SECONDS = 300;
/** A file that wasn't there may have been put there. */
const EMERGENCY_AGAIN_MS = 30_000;

/** A relay and the processing chain before its encoders. */
export interface StationRelay extends Relay {
  readonly processing: StationProcessing | null;
  readonly streams: readonly StreamView[];
  /** Why the emergency file can't be played now; null when it can, or none is wanted. */
  readonly emergencyProblem: string | null;
}

export interface StationProcessing {
  readonly preset: string;
  readonly processor: Processor;
  /** From now on this, without a click; a bypassed stage is one whose `on` is 0. */
  change(processing: ProcessingConfig): void;
}

/** The relay of one station: it plays what the decision knows of the legs, and tells it what is on air. */
export function startStationRelay(options: StationRelayOptions): StationRelay {
  const { station, serve, clock, server, source } = options;
  // Asked for each time, as a reload may change it.
  const now = () => station.policy;
  const emergency = keepEmergency(options);
  const credentials = { user: source.user, password: source.password.reveal() };
  const processing = serve.processing === null ? null : startProcessing(serve.processing, options.processed);
  const delayMs = relayDelayMs(serve, now().silence.tripMs);
  const chain = processing === null ? null : soundProcessing(processing);
  const processingMs = Math.round(chain?.latencyMs ?? 0);
  options.log.info({ delayMs, processingMs }, 'relay mode runs this far behind the sources');
  const relay = startRelay({
    legs: legsInOrder(now()),
    outputs: serve.outputs.map(({ mount, ...format }) => ({
      mount,
      format,
      server,
      credentials,
      words: serve.stream,
    })),
    delayMs,
    restoreMs: now().silence.restoreMs,
    get dwellMs() {
      return now().dwellMs;
    },
    get thresholdDbfs() {
      return now().silence.thresholdDbfs;
    },
    differentFadeMs: serve.crossfadeMs,
    emergency: () => emergency.loaded,
    ffmpegPath: options.ffmpegPath,
    clock,
    random: options.random,
    log: options.log,
    ...(chain === null ? {} : { processing: chain }),
    onPlayed: options.played,
    conditionOf: (id) =>
      station.state.legs.get(id)?.condition ?? { is: 'unknown', sinceMs: clock.nowMs(), reason: 'starting' },
    requiredHealthMs: (id) => requiredLegHealthMs(station.state, id, clock.nowMs(), now()),
    holdOf() {
      const { silence, desks } = station.state;
      if (silence !== null && isInForce(silence, clock.nowMs()))
        return { author: silence.says, leg: null, isSilence: true };
      const hold = desks.get(now().self)?.hold ?? null;
      if (hold === null) return null;
      const { legs, self } = now();
      const leg = legs.find((one) => one.server === self && one.source === hold.source);
      return { author: hold.author, leg: leg?.id ?? null };
    },
    onEvent(event) {
      options.event(event);
      if (event.kind !== 'relay-switched') return;
      const { atMs, from, to, trigger } = event;
      options.input({ kind: 'on-air', atMs, from, leg: to, trigger });
    },
  });
  const skew = compareStreams(options, () => relay.view.playing !== 'nothing');
  return {
    openFeed: (leg) => relay.openFeed(leg),
    get view() {
      return relay.view;
    },
    processing,
    get streams() {
      return skew?.views ?? [];
    },
    get emergencyProblem() {
      return emergency.problem;
    },
    stop() {
      emergency.stop();
      skew?.stop();
      return relay.stop();
    },
  };
}

/** The first public mount stands for all: they carry the same sound. */
function compareStreams(options: StationRelayOptions, isPlaying: () => boolean): StreamSkew | null {
  const { station, serve, servers, decoders, clock, random, log } = options;
  const mount = serve.outputs[0]?.mount;
  if (mount === undefined) return null;
  return startStreamSkew({ policy: station.policy, mount, servers, decoders, clock, random, log, isPlaying });
}

function soundProcessing({ processor }: StationProcessing): SoundProcessing {
  return {
    latencyMs: (processor.latencyFrames * 1_000) / PCM_RATE_HZ,
    process: (pcm) => processor.process(pcm),
  };
}

function startProcessing(
  config: ProcessingConfig,
  onReading: (reading: ProcessingReading) => void,
): StationProcessing {
  let preset = config.preset;
  const processor = createProcessor({ values: config.values, onReading });
  return {
    get preset() {
      return preset;
    },
    processor,
    change(wanted) {
      preset = wanted.preset;
      processor.change(wanted.values);
    },
  };
}

interface KeptEmergency {
  readonly loaded: Emergency | null;
  readonly problem: string | null;
  stop(): void;
}

/**
 * A file that can't be used is told and tried again, and the noise floor stands in: it is no reason not to be on the air.
 */
export function keepEmergency({
  serve,
  station,
  ffmpegPath,
  clock,
  log,
}: Pick<StationRelayOptions, 'serve' | 'station' | 'ffmpegPath' | 'clock' | 'log'>): KeptEmergency {
  let loaded: Emergency | null = null;
  let problem: string | null = null;
  let isOver = false;
  let cancelRetry: Cancel = () => {};
  const { emergencyFile } = serve;
  const load = async (path: string): Promise<void> => {
    try {
      const { thresholdDbfs } = station.policy.silence;
      const file = { path, ffmpegPath, clock, mostSeconds: MOST_EMERGENCY_SECONDS, thresholdDbfs };
      loaded = emergencyOf(await decodeWholeFile(file));
      if (problem !== null) log.info({ path }, 'the emergency file can be played again');
      problem = null;
    } catch (thrown) {
      const said = messageOf(thrown);
      if (said !== problem)
        log.error({ err: said }, 'the emergency file cannot be played; the noise floor stands in');
      problem = said;
      if (!isOver) cancelRetry = clock.after(EMERGENCY_AGAIN_MS, () => void load(path));
    }
  };
  if (emergencyFile !== null) void load(emergencyFile);
  return {
    get loaded() {
      return loaded;
    },
    get problem() {
      return problem;
    },
    stop() {
      isOver = true;
      cancelRetry();
    },
  };
}
