import { heardWords } from '../domain/incidents.ts';
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
  const oneLine = (text: string) => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  const { title, lines, mood } = plainWordsOf(messages);
  return { title: oneLine(title), lines: lines.map(oneLine), mood };
}

function plainWordsOf(messages: readonly AlertMessage[]): Words {
  const [only] = messages;
  if (messages.length === 1 && only !== undefined) return wordsOfOne(only);
  const rank = { good: 0, noted: 1, bad: 2, worse: 3 } as const;
  const moods = messages.map((message) => wordsOfOne(message).mood);
  const mood = moods.reduce((worst, one) => (rank[one] > rank[worst] ? one : worst), 'good' as const);
  const lines = messages.slice(0, MOST_LINES).map((message) => `• ${wordsOfOne(message).title}`);
  const left = messages.length - lines.length;
  return {
    title: `${messages.length} alerts in one`,
    lines: left === 0 ? lines : [...lines, `… and ${left} more`],
    mood,
  };
}

function wordsOfOne({ kind, unixMs, agent, incident }: AlertMessage): Words {
  const { station, severity, title, cause, says, also, servers, openedUnixMs, closedUnixMs } = incident;
  const where = servers.length === 0 ? '' : ` (${servers.join(', ')})`;
  const foot = `incident ${incident.id}, told by ${agent} at ${new Date(unixMs).toISOString()}`;
  switch (kind) {
    case 'opened':
      return {
        title: `${station}: ${severity === 'critical' ? 'CRITICAL: ' : ''}${title}`,
        lines: [`Why: ${cause}${where}`, ...alsoOf(also), foot],
        mood: severity === 'critical' ? 'worse' : 'bad',
      };
    case 'escalated':
      return {
        title: `${station}: now CRITICAL: ${says}`,
        lines: [`It began with: ${title}`, ...alsoOf(also), foot],
        mood: 'worse',
      };
    case 'widened':
      return {
        title: `${station}: now also: ${says}`,
        lines: [`It began with: ${title}`, `On: ${servers.join(', ')}`, ...alsoOf(also), foot],
        mood: severity === 'critical' ? 'worse' : 'bad',
      };
    case 'acknowledged':
      return {
        title: `${station}: ${incident.acknowledgedBy ?? 'somebody'} looks after it: ${title}`,
        lines: [foot],
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
