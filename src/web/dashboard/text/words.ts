export { withLegsInWords as plain } from '../../../domain/leg-words.ts';

import type { IncidentView } from '../../../domain/history-view.ts';
import { WHY_NOT_COMPARED } from '../../../domain/sentences.ts';
import type { AgentView, LegView, OutputStatus, StreamView } from '../../../domain/view.ts';

/** How something stands. Each has a word and a shape of its own on the page, so that no colour has to be told apart. */
export type Tone = 'good' | 'warn' | 'bad' | 'unknown';

/** What is wrong with a leg, or why nothing is known of it, in a word or two. */
const REASONS: Readonly<Record<string, string>> = {
  silent: 'silent',
  'noise-only': 'noise only',
  tone: 'a tone only',
  'channel-lost': 'one channel dead',
  'phase-inverted': 'phase inverted',
  'stuck-loop': 'stuck in a loop',
  stalled: 'stalled',
  undecodable: 'not decodable',
  absent: 'not connected',
  unresponsive: 'no answer',
  starting: 'starting',
  unproven: 'not proven yet',
  'no-data': 'no sound came yet',
  decoder: 'our decoder fails',
  'admin-unauthorised': 'admin password wrong',
  'admin-silent': 'admin does not answer',
};

const WARNINGS: Readonly<Record<string, string>> = {
  clipped: 'clipped',
  'too-loud': 'too loud',
  'too-quiet': 'too quiet',
  mono: 'mono',
  'loop-suspected': 'a loop?',
  'nearly-silent': 'nearly silent',
};

type Standing = Pick<LegView, 'condition' | 'reason'>;

export function toneOf({ condition }: Standing): Tone {
  return condition === 'audible' ? 'good' : condition === 'faulty' ? 'bad' : 'unknown';
}

export function wordOf({ condition, reason }: Standing): string {
  if (condition === 'audible') return 'sounding';
  return REASONS[reason] ?? (reason === '' ? condition : reason.replaceAll('-', ' '));
}

/** Why Icecast doesn't take a public mount. */
const REFUSALS: Readonly<Record<string, string>> = {
  unauthorised: 'Icecast says that the source password is wrong',
  rejected: 'Icecast refuses it',
  'too-slow': 'Icecast is too slow in taking it',
  closed: 'Icecast took it off',
};

export function outputTone({ state }: Pick<OutputStatus, 'state'>): Tone {
  return state === 'feeding' ? 'good' : state === 'connecting' ? 'unknown' : 'bad';
}

/** How a public mount of the relay is fed. */
export function outputWord({ state, reason }: Pick<OutputStatus, 'state' | 'reason'>): string {
  switch (state) {
    case 'feeding':
      return 'fed';
    case 'connecting':
      return 'being connected';
    case 'no-sound':
      return 'let go, as its encoder gives no sound';
    case 'failed':
      return `not fed: ${REFUSALS[reason] ?? 'Icecast does not answer'}`;
  }
}

export const warningWord = (warning: string): string => WARNINGS[warning] ?? warning.replaceAll('-', ' ');

/** `4 s`, `3 min`, `2 h 5 min`, `3 d 4 h` */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A level for reading: `−18.2`, `silence`, or a dash where nothing is known. */
export function level(db: number | null): string {
  if (db === null || Number.isNaN(db)) return '–';
  if (db === Number.NEGATIVE_INFINITY || db < -99) return '−∞';
  const text = Math.abs(db).toFixed(1);
  return db < 0 && text !== '0.0' ? `−${text}` : text;
}

/** `12:03:08`, in the reader's own time zone. */
export function clock(time: string | number): string {
  return new Date(time).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
}

/** The reader's own time zone, which all times on the page are in: `GMT`, `MESZ`, `GMT+2`. */
export function zone(time: number): string {
  const parts = new Intl.DateTimeFormat([], { hour: 'numeric', timeZoneName: 'short' }).formatToParts(time);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

/** Why the clock on the page is another than that of the machine it is on; empty when it isn't. */
export function clockWords(aheadMs: number): string {
  if (aheadMs === 0) return '';
  const byMs = Math.abs(aheadMs);
  const roundMs = byMs < 100_000 ? 1_000 : 60_000;
  const by = duration(Math.round(byMs / roundMs) * roundMs);
  return `the agent’s; this computer’s is ${by} ${aheadMs < 0 ? 'behind' : 'ahead'}`;
}

/** Whether listeners are known to have heard nothing, or not the programme. */
export const hasDeadAir = ({ deadAirMs }: Pick<IncidentView, 'deadAirMs'>): boolean =>
  Object.values(deadAirMs).some((ms) => ms > 0);

/** With the day before it when that isn't today. */
export function moment(time: string | number, nowMs: number): string {
  const date = new Date(time);
  if (date.toDateString() === new Date(nowMs).toDateString()) return clock(time);
  return `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })} ${clock(time)}`;
}

/** `a`, `a and b`, `a, b and c` */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Which station the end of the page's address names; empty for none, and for what is no text. */
export function stationIn(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return '';
  }
}

/** A name as a heading has it. */
export const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Where a mount is to be heard straight from Icecast. */
export function icecastUrl(view: AgentView, server: string, mount: string): string | null {
  const url = view.servers.find((one) => one.server === server)?.url;
  return url === undefined ? null : `${url.replace(/\/$/, '')}${mount}`;
}

/** How the public stream of another server lies to that of this agent's own; null: they have not been compared yet. */
export function streamWords(stream: StreamView | null): string {
  if (stream === null) return 'its public mount has not been compared with the one here yet';
  const { relation, skewMs, driftMsPerS, louderDb, why, agoMs } = stream;
  const ago = `(${duration(agoMs)} ago)`;
  if (relation === 'unknown')
    return `its public mount could not be compared with the one here${why === null ? '' : `: ${WHY_NOT_COMPARED[why]}`} ${ago}`;
  if (relation === 'different')
    return `its public mount doesn’t match the one here: another programme, or more than 25 s away ${ago}`;
  const later =
    skewMs === null ? '' : `, ${(Math.abs(skewMs) / 1000).toFixed(2)} s ${skewMs < 0 ? 'earlier' : 'later'}`;
  const drift = driftMsPerS ?? 0;
  const way = drift * (skewMs ?? 0) < 0 ? 'less' : 'more';
  const drifting = drift === 0 ? '' : ` and ${Math.abs(drift * 60).toFixed(0)} ms ${way} each minute`;
  const louder =
    louderDb === null
      ? ''
      : Math.abs(louderDb) < 0.5
        ? ', as loud'
        : `, ${Math.abs(louderDb).toFixed(1)} dB ${louderDb < 0 ? 'softer' : 'louder'}`;
  return `its public mount carries the same as here${later}${drifting}${louder} ${ago}`;
}
