import type { StationEvent } from '../../../domain/events.ts';
import type { FailoverEvent } from '../../../domain/failover.ts';
import { eventsBehind, type Noted } from '../text/events.ts';
import { agent } from './agent.svelte.ts';
import { type Answer, post } from './api.ts';
import { session } from './session.svelte.ts';

/** What became of an operator's wish. */
export type Outcome =
  | { readonly is: 'done'; readonly says: string }
  | { readonly is: 'refused'; readonly says: string }
  | { readonly is: 'failed'; readonly says: string };

const WITHIN_MS = 6_000;

/** What the operator asked for last, told at the foot of the page until it is closed. */
class Notice {
  outcome = $state.raw<Outcome | null>(null);
}

export const notice = new Notice();

/**
 * Sends a wish and waits for the event that tells what became of it: the agent's answer says only that it was taken.
 * `where`: the station, or `dns`.
 */
export async function wish(path: string, body: object): Promise<Outcome> {
  const before = newestEvents();
  const answer: Answer<unknown> = await post(path, body);
  if (!answer.ok) return { is: answer.status === 409 ? 'refused' : 'failed', says: answer.error };
  const untilMs = Date.now() + WITHIN_MS;
  while (Date.now() < untilMs) {
    agent.soon();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const outcome = outcomeSince(before);
    if (outcome !== null) return { ...outcome, says: `${outcome.says}.` };
  }
  return { is: 'failed', says: 'the agent took it, but has not said yet what came of it: look at the log' };
}

interface Newest {
  readonly stations: ReadonlyMap<string, Noted | undefined>;
  readonly dns: Noted | undefined;
}

function newestEvents(): Newest {
  const { view } = agent;
  return {
    stations: new Map((view?.stations ?? []).map(({ station, events }) => [station, events.at(-1)])),
    dns: view?.dns?.events.at(-1),
  };
}

function outcomeSince(before: Newest): Outcome | null {
  const { view } = agent;
  const ofStations = (view?.stations ?? []).flatMap(({ station, events }) =>
    eventsBehind(before.stations.get(station), events).map(({ event }) => event),
  );
  const ofName = eventsBehind(before.dns, view?.dns?.events ?? []).map(({ event }) => event);
  const mine = [...ofStations, ...ofName].filter(
    (event) => 'author' in event && event.author === session.name,
  );
  for (const event of mine) {
    const outcome = outcomeOf(event);
    if (outcome !== null) return outcome;
  }
  return null;
}

function outcomeOf(event: StationEvent | FailoverEvent): Outcome | null {
  switch (event.kind) {
    case 'hold-changed':
      return { is: 'done', says: `${event.server}: ${event.detail}` };
    case 'dns-hold-changed':
      return { is: 'done', says: `DNS: ${event.detail}` };
    case 'refused':
      return { is: 'refused', says: `${event.server}: ${event.detail}` };
    case 'dns-refused':
      return { is: 'refused', says: `DNS: ${event.detail}` };
    default:
      return null;
  }
}

export const HOURS = 3_600_000;
/** How long a hold may be asked for, on the page. */
export const LENGTHS: readonly { readonly ms: number; readonly says: string }[] = [
  { ms: 5 * 60_000, says: '5 minutes' },
  { ms: 15 * 60_000, says: '15 minutes' },
  { ms: HOURS, says: '1 hour' },
  { ms: 4 * HOURS, says: '4 hours' },
  { ms: 12 * HOURS, says: '12 hours' },
  { ms: 24 * HOURS, says: '1 day' },
];
