import { expect, test } from 'vitest';
import {
  type Incident,
  newIncidentBook,
  noteInBook,
  openAsOf,
  passTime,
} from '../../../src/domain/incidents.ts';
import type { RecordedEvent } from '../../../src/domain/record.ts';
import { StoryReader } from '../../../src/history/report/story.ts';
import { seeded } from '../../../src/simulate/station.ts';
import { AUTODJ, audible, faulty, LONDON, MYFM, POLICY, PRIMARY } from '../decide/builders.ts';

interface At {
  readonly unixMs: number;
  readonly event: RecordedEvent;
}

/** What an agent tells: each event as it comes, and a look each second. */
function told(stream: readonly At[], endUnixMs: number): Map<string, Incident> {
  const found = new Map<string, Incident>();
  let book = newIncidentBook(POLICY, 0);
  const keep = (step: ReturnType<typeof passTime>) => {
    book = step.book;
    for (const { incident } of step.changes) found.set(incident.id, incident);
  };
  let lookAtMs = 700;
  for (const { unixMs, event } of [...stream, { unixMs: endUnixMs, event: null }]) {
    // An agent that was gone looked at nothing.
    const goneUnixMs = event?.kind === 'agent-started' ? (event.lastSeenUnixMs ?? unixMs) : unixMs;
    for (; lookAtMs < unixMs; lookAtMs += 1000) if (lookAtMs < goneUnixMs) keep(passTime(book, lookAtMs));
    if (event !== null) keep(noteInBook(book, { unixMs, station: MYFM, event }));
  }
  for (const incident of openAsOf(book, endUnixMs)) found.set(incident.id, incident);
  return found;
}

/** What a report makes of the log, which has the events alone. */
function reported(stream: readonly At[], endUnixMs: number): Map<string, Incident> {
  const reader = new StoryReader();
  const settings = { kind: 'settings', atMs: 0, policy: POLICY } as const;
  for (const [index, { unixMs, event }] of [{ unixMs: 0, event: settings }, ...stream].entries())
    reader.take({ seq: index + 1, unixMs, station: MYFM, event });
  const story = reader.end(endUnixMs).stations.get(MYFM);
  return new Map(story?.incidents.map((incident) => [incident.id, incident]));
}

const [LEG] = POLICY.legs;
if (LEG === undefined) throw new Error('no leg');
const { id: leg } = LEG;
const switched = { kind: 'switched', atMs: 0, server: LONDON, because: 'silent' } as const;
const away = { ...switched, from: PRIMARY, to: AUTODJ, trigger: 'fault' } as const;
const back = { ...switched, from: AUTODJ, to: PRIMARY, trigger: 'return' } as const;
const backup = { atMs: 0, code: 'backup-not-proven', subject: 'myfm/autodj@london', detail: '' } as const;
const nothing = { atMs: 0, code: 'nothing-audible', subject: LONDON, detail: '' } as const;

function somethingAt(unixMs: number, pick: number, agoMs: number): RecordedEvent {
  const sinceMs = unixMs - agoMs;
  const kinds: readonly RecordedEvent[] = [
    { kind: 'leg-changed', atMs: unixMs, leg, from: audible(0, 0), to: faulty(sinceMs) },
    { kind: 'leg-changed', atMs: unixMs, leg, from: faulty(0), to: audible(sinceMs, unixMs) },
    away,
    back,
    { kind: 'alert-opened', ...backup },
    { kind: 'alert-closed', ...backup },
    { kind: 'alert-opened', ...nothing },
    { kind: 'alert-closed', ...nothing },
    { kind: 'took-over', atMs: 0, server: LONDON, source: PRIMARY, because: 'first' },
    { kind: 'agent-started', atMs: 0, agent: LONDON, version: '0', lastSeenUnixMs: sinceMs },
  ];
  return kinds[Math.floor(pick * kinds.length)] ?? back;
}

test('a report finds the incidents that were told, to the millisecond, though hours lie between two events', () => {
  const stream = [
    { unixMs: 100, event: { ...back, to: PRIMARY } },
    { unixMs: 10_000, event: away },
    { unixMs: 11_000, event: somethingAt(11_000, 0.95, 500) },
    { unixMs: 21_750_000, event: back },
  ];
  const [incident] = [...reported(stream, 22_000_000).values()];
  expect(incident).toMatchObject({ openedUnixMs: 10_000, closedUnixMs: 11_000 + 90_000 });
  expect(reported(stream, 22_000_000)).toEqual(told(stream, 22_000_000));
});

test('whatever happens when, report and telling agree', () => {
  const random = seeded(7);
  for (let run = 0; run < 150; run += 1) {
    let unixMs = 0;
    const stream = Array.from({ length: 25 }, () => {
      unixMs += Math.floor(random() ** 4 * 400_000);
      return { unixMs, event: somethingAt(unixMs, random(), Math.floor(random() * 6_000)) };
    });
    const endUnixMs = unixMs + 200_000;
    expect(reported(stream, endUnixMs), `run ${run}`).toEqual(told(stream, endUnixMs));
  }
});
