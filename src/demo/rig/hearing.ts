import {
  type DeadAir,
  findDeadAir,
  findProgrammes,
  type HeardProgramme,
  type HeardStep,
  joinProgrammes,
  levelSteps,
  SILENT,
} from './analysis.ts';
import { type Container, containerOf, mapFrames } from './frames.ts';
import { CHANNELS, runFfmpeg, SAMPLE_RATE_HZ } from './material.ts';
import { type Arrival, type PlayerBuffer, playBack } from './player.ts';

/** What one listener heard. All times are monotonic ms of this process, all durations ms. */
export interface HeardReport {
  readonly name: string;
  /** From turning on to the first sound out of the loudspeaker; null when there was none. */
  readonly startupMs: number | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** From the first sound to the end. */
  readonly listenedMs: number;
  readonly deadAir: readonly DeadAir[];
  readonly deadAirMs: number;
  readonly longestDeadAirMs: number;
  /** Which programme was heard when; `silent` and `unclear` among them. */
  readonly programmes: readonly HeardProgramme[];
  readonly disconnects: number;
  /** Connections that were refused or gave no sound. */
  readonly refusals: number;
  readonly underruns: number;
  readonly underrunMs: number;
  /** Longest time without a byte while connected. */
  readonly longestArrivalGapMs: number;
  /** Lines in which the decoder complained: broken frames after a move, for one. */
  readonly decodeErrors: number;
  readonly strayBytes: number;
  readonly receivedBytes: number;
}

/** What one connection brought, with the time of every arrival. */
export interface Recording {
  readonly connectedAtMs: number;
  readonly contentType: string;
  readonly arrivals: { readonly atMs: number; readonly byteEnd: number }[];
  readonly chunks: Buffer[];
}

export interface Hearing {
  readonly name: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly recordings: readonly Recording[];
  readonly disconnects: number;
  readonly refusals: number;
  readonly buffer: PlayerBuffer;
}

interface Decoded {
  readonly pcm: Int16Array;
  readonly arrivals: readonly Arrival[];
  readonly decodeErrors: number;
  readonly strayBytes: number;
}

const DEMUXER: Record<Container, string> = {
  mp3: 'mp3',
  adts: 'aac',
  ogg: 'ogg',
};

async function decode(recording: Recording): Promise<Decoded> {
  const bytes = Buffer.concat(recording.chunks.slice());
  const container = containerOf(recording.contentType);
  const map = mapFrames(bytes, container);
  const { output, complaints } = await runFfmpeg(
    ['-f', DEMUXER[container], '-i', 'pipe:0', '-f', 's16le', '-ac', '2', '-ar', '44100', 'pipe:1'],
    bytes,
  );
  const whole = output.length - (output.length % (CHANNELS * 2));
  const pcm = new Int16Array(output.buffer.slice(output.byteOffset, output.byteOffset + whole));
  let mark = 0;
  const arrivals = recording.arrivals.map(({ atMs, byteEnd }) => {
    while ((map.marks[mark]?.byteEnd ?? Infinity) <= byteEnd) mark += 1;
    return { atMs, mediaEndMs: map.marks[mark - 1]?.mediaEndMs ?? 0 };
  });
  const decodeErrors = complaints.split('\n').filter((line) => line.trim() !== '').length;
  return { pcm, arrivals, decodeErrors, strayBytes: map.strayBytes };
}

/** Joins the connections of one listener: a player plays the old one out and goes on with the new one. */
function concatenate(parts: readonly Decoded[]): {
  pcm: Int16Array;
  arrivals: readonly Arrival[];
} {
  const pcm = new Int16Array(parts.reduce((sum, part) => sum + part.pcm.length, 0));
  const arrivals: Arrival[] = [];
  let samples = 0;
  for (const part of parts) {
    const baseMs = (samples / CHANNELS / SAMPLE_RATE_HZ) * 1000;
    const lengthMs = (part.pcm.length / CHANNELS / SAMPLE_RATE_HZ) * 1000;
    pcm.set(part.pcm, samples);
    samples += part.pcm.length;
    // The decoder can hold a frame or two less than arrived; what isn't there can't be played.
    for (const { atMs, mediaEndMs } of part.arrivals) {
      arrivals.push({
        atMs,
        mediaEndMs: baseMs + Math.min(mediaEndMs, lengthMs),
      });
    }
  }
  return { pcm, arrivals };
}

function slice(pcm: Int16Array, fromMs: number, durationMs: number): Int16Array {
  const sampleAt = (ms: number) => Math.round((ms / 1000) * SAMPLE_RATE_HZ) * CHANNELS;
  return pcm.subarray(sampleAt(fromMs), sampleAt(fromMs + durationMs));
}

/** Decodes what arrived, plays it through a player's buffer and measures what came out. */
export async function hear(hearing: Hearing): Promise<HeardReport> {
  const withSound = hearing.recordings.filter(({ arrivals }) => arrivals.length > 0);
  const parts: Decoded[] = [];
  for (const recording of withSound) parts.push(await decode(recording));
  const { pcm, arrivals } = concatenate(parts);
  const playback = playBack(arrivals, hearing.endedAtMs, hearing.buffer);
  const steps: HeardStep[] = [];
  const programmes: HeardProgramme[] = [];
  for (const part of playback) {
    if (part.is === 'underrun') {
      steps.push({
        atMs: part.atMs,
        durationMs: part.durationMs,
        levelDbfs: -Infinity,
        from: 'underrun',
      });
      programmes.push({
        programme: SILENT,
        atMs: part.atMs,
        durationMs: part.durationMs,
      });
      continue;
    }
    const heard = slice(pcm, part.mediaFromMs, part.durationMs);
    steps.push(...levelSteps(heard, part.atMs));
    programmes.push(...findProgrammes(heard, part.atMs));
  }
  // A decoder that joins in the middle of a stream begins with a frame or two of nothing: that is no dead air.
  const first = steps.findIndex((step) => step.levelDbfs >= -60);
  const audible = first < 0 ? [] : steps.slice(first);
  const firstSoundAtMs = audible[0]?.atMs ?? null;
  const deadAir = findDeadAir(audible);
  const underruns = playback.filter((part) => part.is === 'underrun');
  return {
    name: hearing.name,
    startupMs: firstSoundAtMs === null ? null : firstSoundAtMs - hearing.startedAtMs,
    startedAtMs: hearing.startedAtMs,
    endedAtMs: hearing.endedAtMs,
    listenedMs: firstSoundAtMs === null ? 0 : hearing.endedAtMs - firstSoundAtMs,
    deadAir,
    deadAirMs: sum(deadAir),
    longestDeadAirMs: Math.max(0, ...deadAir.map(({ durationMs }) => durationMs)),
    programmes: joinProgrammes(programmes),
    disconnects: hearing.disconnects,
    refusals: hearing.refusals,
    underruns: underruns.length,
    underrunMs: sum(underruns),
    longestArrivalGapMs: longestGap(withSound, hearing.endedAtMs),
    decodeErrors: parts.reduce((total, part) => total + part.decodeErrors, 0),
    strayBytes: parts.reduce((total, part) => total + part.strayBytes, 0),
    receivedBytes: withSound.reduce((total, { arrivals: all }) => total + (all.at(-1)?.byteEnd ?? 0), 0),
  };
}

function sum(stretches: readonly { durationMs: number }[]): number {
  return stretches.reduce((total, { durationMs }) => total + durationMs, 0);
}

function longestGap(recordings: readonly Recording[], endedAtMs: number): number {
  let longestMs = 0;
  recordings.forEach((recording, index) => {
    let beforeMs = recording.connectedAtMs;
    for (const { atMs } of recording.arrivals) {
      longestMs = Math.max(longestMs, atMs - beforeMs);
      beforeMs = atMs;
    }
    if (index === recordings.length - 1) longestMs = Math.max(longestMs, endedAtMs - beforeMs);
  });
  return longestMs;
}

/** How long a programme (or `silent`, `unclear`) was heard, in all or within a span of time. */
export function programmeMs(
  report: HeardReport,
  programme: string,
  span: { fromMs?: number; toMs?: number } = {},
): number {
  return overlapMs(
    report.programmes.filter((run) => run.programme === programme),
    span,
  );
}

/** How long anything was heard that is neither of these programmes nor silence. */
export function wrongProgrammeMs(
  report: HeardReport,
  right: readonly string[],
  span: { fromMs?: number; toMs?: number } = {},
): number {
  return overlapMs(
    report.programmes.filter((run) => run.programme !== SILENT && !right.includes(run.programme)),
    span,
  );
}

/** Dead air within a span of time. */
export function deadAirMsIn(report: HeardReport, span: { fromMs?: number; toMs?: number }): number {
  return overlapMs(report.deadAir, span);
}

function overlapMs(
  runs: readonly { atMs: number; durationMs: number }[],
  span: { fromMs?: number; toMs?: number },
): number {
  const { fromMs = -Infinity, toMs = Infinity } = span;
  return runs.reduce((total, { atMs, durationMs }) => {
    return total + Math.max(0, Math.min(atMs + durationMs, toMs) - Math.max(atMs, fromMs));
  }, 0);
}
