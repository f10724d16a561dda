import { get } from 'node:http';
import { WebSocket } from 'ws';
import type { AgentProcess } from '../../src/demo/agent-process.ts';
import { levelSteps } from '../../src/demo/rig/analysis.ts';
import { mapFrames } from '../../src/demo/rig/frames.ts';
import { runFfmpeg } from '../../src/demo/rig/material.ts';
import { channelName } from '../../src/domain/levels.ts';
import { decodeFrame, type LevelsHello } from '../../src/web/levels/frame.ts';

/** A moment at which sound began or ended in a stream, and when the bytes of it came to a listener. */
export interface Onset {
  readonly is: 'sound' | 'silence';
  /** Monotonic ms of this process. */
  readonly arrivedAtMs: number;
}

const LOUD_DBFS = -45;
/** Shorter than this it is none. */
const LEAST_MS = 200;

/** Listens to an MP3 mount until `stop`, which tells every onset that came after the burst. */
export function watchOnsets(url: string): { stop(): Promise<readonly Onset[]> } {
  const chunks: Buffer[] = [];
  const arrivals: { atMs: number; byteEnd: number }[] = [];
  let byteEnd = 0;
  const request = get(url, { agent: false, headers: { 'user-agent': 'VLC/3.0.18' } }, (response) => {
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      byteEnd += chunk.length;
      arrivals.push({ atMs: performance.now(), byteEnd });
    });
    response.on('error', () => undefined);
  });
  request.on('error', () => undefined);
  return {
    async stop() {
      request.destroy();
      const bytes = Buffer.concat(chunks);
      const { marks } = mapFrames(bytes, 'mp3');
      const { output } = await runFfmpeg(
        ['-f', 'mp3', '-i', 'pipe:0', '-f', 's16le', '-ac', '2', '-ar', '44100', 'pipe:1'],
        bytes,
      );
      const whole = output.length - (output.length % 4);
      const pcm = new Int16Array(output.buffer.slice(output.byteOffset, output.byteOffset + whole));
      const arrivalOf = (mediaMs: number) => {
        const needed = marks.find(({ mediaEndMs }) => mediaEndMs > mediaMs)?.byteEnd ?? byteEnd;
        return arrivals.find((arrival) => arrival.byteEnd >= needed)?.atMs ?? Number.NaN;
      };
      // What the burst brings came all at once, and not when it was on air.
      const burstEndsAtMs = (arrivals[0]?.atMs ?? 0) + 1_000;
      return onsetsOf(levelSteps(pcm, 0))
        .map(({ is, mediaMs }): Onset => ({ is, arrivedAtMs: arrivalOf(mediaMs) }))
        .filter(({ arrivedAtMs }) => arrivedAtMs > burstEndsAtMs);
    },
  };
}

/** When a channel of `/api/v1/levels` went over a level, in a reader that is no browser, until asked. */
export function watchFrames({ webUrl, operatorToken }: AgentProcess, channel: string, thresholdDb: number) {
  const socket = new WebSocket(`${webUrl.replace(/^http/, 'ws')}/api/v1/levels`, {
    headers: { authorization: `Bearer ${operatorToken}` },
  });
  const overAtMs: number[] = [];
  let index = -1;
  let wasOver = true;
  socket.on('message', (message: Buffer, isBinary) => {
    if (!isBinary) {
      const { stations } = JSON.parse(message.toString()) as LevelsHello;
      index = stations[0]?.channels.findIndex((one) => channelName(one) === channel) ?? -1;
      return;
    }
    const { buffer, byteOffset, byteLength } = message;
    const frame = decodeFrame(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
    const levels = frame?.channels[index];
    if (levels === undefined) return;
    const isOver = levels.rmsDbfs[0] > thresholdDb;
    if (isOver && !wasOver) overAtMs.push(performance.now());
    wasOver = isOver;
  });
  socket.on('error', () => undefined);
  return {
    stop(): readonly number[] {
      socket.terminate();
      return overAtMs;
    },
  };
}

function onsetsOf(steps: readonly { atMs: number; durationMs: number; levelDbfs: number }[]) {
  const runs: { loud: boolean; atMs: number; lengthMs: number }[] = [];
  for (const { atMs, durationMs, levelDbfs } of steps) {
    const loud = levelDbfs > LOUD_DBFS;
    const last = runs.at(-1);
    if (last?.loud === loud) last.lengthMs += durationMs;
    else runs.push({ loud, atMs, lengthMs: durationMs });
  }
  const long = runs.filter(({ lengthMs }) => lengthMs >= LEAST_MS);
  return long.slice(1).map(({ loud, atMs }) => ({
    is: loud ? ('sound' as const) : ('silence' as const),
    mediaMs: atMs,
  }));
}
