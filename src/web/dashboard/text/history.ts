import type { EventView, LoudnessSeries, LoudnessView } from '../../../domain/view.ts';
import { plainly, said } from './events.ts';
import { title } from './words.ts';

/** The scale's lower end; silence lies on it. */
export const LEAST_LUFS = -60;

/** A stretch of time in which a channel stood the same, as parts of the whole width. */
export interface Run {
  readonly is: 'audible' | 'faulty' | 'unknown';
  readonly from: number;
  readonly length: number;
}

export interface Mark {
  /** Seconds since 1970, as the plot has them. */
  readonly at: number;
  readonly time: string;
  readonly number: number;
  readonly says: string;
  readonly because: string | null;
  readonly isFault: boolean;
}

const LETTERS: Readonly<Record<string, Run['is']>> = { a: 'audible', f: 'faulty', u: 'unknown' };

/** Times of the points in seconds, and for each series its loudness; a gap where nothing was heard. */
export function plotted(
  view: LoudnessView,
  series: readonly LoudnessSeries[],
): [number[], ...(number | null)[][]] {
  const count = Math.max(0, ...series.map(({ shortTermLufs }) => shortTermLufs.length));
  const first = Date.parse(view.from) / 1000;
  const times = Array.from({ length: count }, (_, index) => first + (index * view.stepMs) / 1000);
  const clamped = (lufs: number | null) => (lufs === null ? null : Math.max(LEAST_LUFS, lufs));
  return [times, ...series.map(({ shortTermLufs }) => shortTermLufs.map(clamped))];
}

export function runsOf(conditions: string): readonly Run[] {
  const runs: Run[] = [];
  const step = 1 / Math.max(1, conditions.length);
  for (const [index, letter] of [...conditions].entries()) {
    const is = LETTERS[letter] ?? 'unknown';
    const last = runs.at(-1);
    if (last?.is === is) runs[runs.length - 1] = { ...last, length: last.length + step };
    else runs.push({ is, from: index * step, length: step });
  }
  return runs;
}

/** Whose sound a channel is: `primary` of `myfm/primary@london`, `/stream` of a public mount. */
export function sourceOf({ channel, kind }: Pick<LoudnessSeries, 'channel' | 'kind'>): string {
  return channel.slice(kind === 'output' ? 0 : channel.indexOf('/') + 1, channel.lastIndexOf('@'));
}

export const serverOf = ({ channel }: Pick<LoudnessSeries, 'channel'>): string =>
  channel.slice(channel.lastIndexOf('@') + 1);

/** Of another server an agent knows only what was said while it listened. */
export function noSwitch(server: string, self: string): string {
  return `No switch on ${title(server)} ${server === self ? '' : 'was heard of '}in this time.`;
}

/** Every switch that concerns a server, numbered in the order of time. */
export function marksOf(switches: readonly EventView[], server: string, self: string): readonly Mark[] {
  return switches
    .filter(({ event }) => ('server' in event ? event.server : self) === server)
    .map(({ time, event }, index) => {
      const { says, because } = plainly(said(event));
      const isFault = 'trigger' in event && event.trigger === 'fault';
      return { at: Date.parse(time) / 1000, time, number: index + 1, says, because, isFault };
    });
}
