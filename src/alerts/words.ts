import { heardWords } from '../domain/incidents.ts';
import { withLegsInWords } from '../domain/leg-words.ts';
import { lengthText } from '../domain/lengths.ts';
import type { AlertMessage } from './message.ts';

/** What a person reads, whatever it comes in. */
export interface Words {
  readonly title: string;
  readonly lines: readonly string[];
  readonly mood: 'bad' | 'worse' | 'noted' | 'good';
}

const MOST_LINES = 20;

/** Each line is one line: what comes from elsewhere brings no headers or lines of its own along. */
export function wordsOf(messages: readonly AlertMessage[]): Words {
  const oneLine = (text: string) => withLegsInWords(text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' '));
  const { title, lines, mood } = plainWordsOf(messages);
  return { title: oneLine(title), lines: lines.map(oneLine), mood };
}

function plainWordsOf(messages: readonly AlertMessage[]): Words {
  const [only] = messages;
  if (messages.length === 1 && only !== undefined) return wordsOfOne(only);
  const rank = { good: 0, noted: 1, bad: 2, worse: 3 } as const;
  const moods = newestOf(messages).map((message) => wordsOfOne(message).mood);
  const mood = moods.reduce((worst, one) => (rank[one] > rank[worst] ? one : worst), 'good' as const);
  const lines = messages
    .slice(0, MOST_LINES)
    .map((message) => `• ${timeText(message.unixMs)}: ${wordsOfOne(message).title}`);
  const left = messages.length - lines.length;
  return {
    title: `${messages.length} alerts in one: ${outcomeOf(messages)}`,
    lines: left === 0 ? lines : [...lines, `… and ${left} more`],
    mood,
  };
}

/** The last of each incident: by it the trouble is as bad as ever, or over. */
function newestOf(messages: readonly AlertMessage[]): AlertMessage[] {
  return [...new Map(messages.map((message) => [message.incident.id, message])).values()];
}

/** What is not over yet, the worst first: on the lock screen of a telephone there is room for no more. */
function outcomeOf(messages: readonly AlertMessage[]): string {
  const open = newestOf(messages)
    .filter(({ kind }) => kind !== 'closed')
    .map(({ incident }) => incident);
  const worst = open.find(({ severity }) => severity === 'critical') ?? open[0];
  if (worst === undefined) return 'all of it is over';
  const more = open.length === 1 ? '' : ` (and ${open.length - 1} more)`;
  return `not over: ${headlineOf(worst)}${more}`;
}

const headlineOf = ({ station, severity, title }: AlertMessage['incident']): string =>
  `${station}: ${severity === 'critical' ? 'CRITICAL: ' : ''}${title}`;

function wordsOfOne({ kind, unixMs, agent, incident }: AlertMessage): Words {
  const { station, severity, title, cause, says, also, servers, openedUnixMs, closedUnixMs } = incident;
  const where = servers.length === 0 ? '' : ` (${servers.join(', ')})`;
  const since = closedUnixMs === null ? [`Since: ${timeText(openedUnixMs)}`] : [];
  const help = closedUnixMs === null ? helpOf(incident.codes ?? []) : [];
  const foot = `incident ${incident.id}, told by ${agent} at ${timeText(unixMs)}`;
  switch (kind) {
    case 'opened':
      return {
        title: headlineOf(incident),
        lines: [`Why: ${cause}${where}`, ...since, ...alsoOf(also), ...help, foot],
        mood: severity === 'critical' ? 'worse' : 'bad',
      };
    case 'escalated':
      return {
        title: `${station}: now CRITICAL: ${says}`,
        lines: [`It began with: ${title}`, ...since, ...alsoOf(also), ...help, foot],
        mood: 'worse',
      };
    case 'widened':
      return {
        title: `${station}: now also: ${says}`,
        lines: [
          `It began with: ${title}`,
          `On: ${servers.join(', ')}`,
          ...since,
          ...alsoOf(also),
          ...help,
          foot,
        ],
        mood: severity === 'critical' ? 'worse' : 'bad',
      };
    case 'acknowledged':
      return {
        title: `${station}: ${incident.acknowledgedBy ?? 'somebody'} looks after it: ${title}`,
        lines: [...since, foot],
        mood: 'noted',
      };
    case 'closed':
      return {
        title: `${station}: over after ${lengthText((closedUnixMs ?? unixMs) - openedUnixMs)}: ${title}`,
        lines: [`Why: ${cause}${where}`, `Listeners heard: ${heardWords(incident, lengthText)}`, foot],
        mood: 'good',
      };
    case 'test':
      return {
        title: `${station}: this is a test, nothing is wrong`,
        lines: ['Alerts of this agent get here.', foot],
        mood: 'noted',
      };
  }
}

function alsoOf(also: readonly string[]): string[] {
  return also.length === 0 ? [] : [`At the same time: ${also.join('; ')}`];
}

/** `2026-11-08 10:21:30 UTC`: whoever is woken by it may be anywhere. */
function timeText(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function helpOf(codes: readonly string[]): string[] {
  return codes.length === 0 ? [] : [`What to do: the runbook (docs/runbook.md), ${codes.join(', ')}`];
}
