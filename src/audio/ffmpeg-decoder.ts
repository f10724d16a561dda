import type { BackoffPolicy } from '../platform/backoff.ts';
import { describeExit, startChild } from '../platform/child.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { lookAtProcess } from '../platform/process-state.ts';
import type { Random } from '../platform/random.ts';
import { type Demuxer, decodeArguments } from './decode-command.ts';
import type { DecoderFactory } from './decoder.ts';
import { type DecoderWorker, LegDecoder, type WorkerEvents, type WorkerSource } from './leg-decoder.ts';
import { PcmFrames } from './pcm-frames.ts';
import { StartGate } from './start-gate.ts';

export interface FfmpegDecodersOptions {
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly backoff?: BackoffPolicy;
  /** What stands after the command; replaced in tests by a child that misbehaves. */
  argumentsFor?(demuxer: Demuxer): readonly string[];
}

const BLAMES_THE_BYTES = ['Invalid data found when processing input', 'does not contain any stream'];
const STARTS_AT_ONCE = 4;
const START_TAKES_MS = 1_000;
const COMPLAINT_CHARS = 500;

/** One ffmpeg per open decoder. */
export function ffmpegDecoders(options: FfmpegDecodersOptions): DecoderFactory {
  const source = ffmpegSource(options);
  return { open: (leg) => new LegDecoder({ ...options, source: () => source }, leg) };
}

export function ffmpegSource(options: FfmpegDecodersOptions): WorkerSource {
  const gate = new StartGate({ places: STARTS_AT_ONCE, placeMs: START_TAKES_MS, clock: options.clock });
  return {
    whenFree: (start) => gate.enter(start),
    start: (demuxer, events) => startFfmpeg(options, demuxer, events),
  };
}

function startFfmpeg(
  { ffmpegPath, argumentsFor, clock }: FfmpegDecodersOptions,
  demuxer: Demuxer,
  events: WorkerEvents,
): DecoderWorker {
  const frames = new PcmFrames();
  const child = startChild({
    command: ffmpegPath,
    args: (argumentsFor ?? decodeArguments)(demuxer),
    clock,
    onStdout(chunk) {
      const pcm = frames.push(chunk);
      if (pcm.length > 0) events.onPcm(pcm);
    },
    onDrain: () => events.onDrain(),
    onExit(exit) {
      const said = child.stderrTail();
      const blamesBytes = exit.is === 'exited' && BLAMES_THE_BYTES.some((words) => said.includes(words));
      events.onEnd({ because: describeExit(exit), blamesBytes });
    },
  });
  return {
    get pendingBytes() {
      return child.pendingBytes;
    },
    write: (bytes) => child.write(bytes),
    look: () => (child.pid === null ? 'waiting' : lookAtProcess(child.pid)),
    complaint: () => child.stderrTail().slice(-COMPLAINT_CHARS),
    end() {
      // One that hangs would not hear anything softer.
      child.kill('SIGKILL');
      return child.exited;
    },
  };
}
