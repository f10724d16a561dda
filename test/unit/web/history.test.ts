import { expect, test } from 'vitest';
import type { EventFilter, IncidentFilter } from '../../../src/domain/history-view.ts';
import { INCIDENT, REMEMBERED, startTestWeb } from './support.ts';

const as = (token: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
});

test('a question for incidents and events reaches the history with its times, and no more than 1000 are asked for', async () => {
  const asked: (IncidentFilter | EventFilter)[] = [];
  const web = await startTestWeb(
    {},
    {
      remembered: {
        ...REMEMBERED,
        async incidents(filter) {
          asked.push(filter);
          return [];
        },
        async events(filter) {
          asked.push(filter);
          return { events: [], before: null };
        },
      },
    },
  );
  await web.get('/api/v1/incidents?open=true&station=myfm', 'Bearer see');
  await web.get(
    '/api/v1/events?from=2026-11-08T11:00:00%2B01:00&before=77&by=operators&limit=9999',
    'Bearer see',
  );
  expect(asked).toEqual([
    { openOnly: true, station: 'myfm', limit: 100 },
    { fromUnixMs: Date.UTC(2026, 10, 8, 10), beforeSeq: 77, operatorActsOnly: true, limit: 1000 },
  ]);
});

test('a history that cannot be read is said, as 503 and not as 500', async () => {
  const web = await startTestWeb(
    {},
    {
      remembered: {
        ...REMEMBERED,
        incidents: () => Promise.reject(new Error('disk I/O error')),
      },
    },
  );
  const answer = await web.get('/api/v1/incidents', 'Bearer see');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({ error: 'the history cannot be read now: disk I/O error' });
});

test('an operator acknowledges an open incident by name; nobody else does, and no other incident', async () => {
  const web = await startTestWeb();
  const acknowledge = async (id: string, token: string, body: object) => {
    const answer = await fetch(`${web.web.url}/api/v1/incidents/${id}/acknowledge`, {
      method: 'POST',
      headers: as(token),
      body: JSON.stringify(body),
    });
    return answer.status;
  };
  expect(await acknowledge(INCIDENT.id, 'do', { author: 'ann' })).toBe(202);
  expect(await acknowledge(INCIDENT.id, 'do', {})).toBe(400);
  expect(await acknowledge(INCIDENT.id, 'see', { author: 'ann' })).toBe(403);
  expect(await acknowledge('myfm-london-0-sound', 'do', { author: 'ann' })).toBe(404);
});

test('an operator plans a silence in words and cancels it; nonsense is refused with what to send', async () => {
  const planned = {
    id: 'a1',
    day: '2026-11-08',
    at: '11:00',
    forMs: 120_000,
    timeZone: 'UTC',
    says: '',
    author: 'ann',
    from: 'operator',
    inForce: false,
    next: null,
  } as const;
  const asked: unknown[] = [];
  const web = await startTestWeb(
    {},
    {
      silencePlans: {
        list: (station) => (station === 'myfm' ? [planned] : null),
        timeZoneOf: () => 'Europe/London',
        plan: (...all) => {
          asked.push(all);
          return { ok: true, planned };
        },
        cancel: (_station, id) =>
          id === 'config-1' ? { ok: false, is: 'in-config' } : { ok: true, planned },
      },
    },
  );
  const path = `${web.web.url}/api/v1/stations/myfm/planned-silence`;
  const body = { day: 'every 8 november', at: '11:00', forMs: 120_000, author: 'ann' };
  const plan = async (changes: object) =>
    (await web.post('myfm/planned-silence', { ...body, ...changes })).status;
  expect(await plan({})).toBe(201);
  expect(asked).toEqual([
    [
      'myfm',
      {
        day: { is: 'yearly', month: 11, day: 8 },
        atSeconds: 39_600,
        lengthMs: 120_000,
        timeZone: null,
        says: '',
        author: 'ann',
      },
    ],
  ]);
  expect(await plan({ day: '8 november' })).toBe(400);
  expect(await plan({ at: 'eleven' })).toBe(400);
  expect(await plan({ timeZone: 'Mars/Olympus' })).toBe(400);
  expect(await plan({ forMs: 5 * 3_600_000 })).toBe(400);
  const remove = async (id: string, query = '?author=ann', token = 'do') =>
    (
      await fetch(`${path}/${id}${query}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;
  expect(await remove('a1')).toBe(200);
  expect(await remove('a1', '')).toBe(400);
  expect(await remove('a1', '?author=ann', 'see')).toBe(403);
  expect(await remove('config-1')).toBe(409);
  const listed = await web.get('/api/v1/stations/myfm/planned-silence', 'Bearer see');
  expect(await listed.json()).toEqual({ planned: [planned], timeZone: 'Europe/London' });
  expect((await web.get('/api/v1/stations/nofm/planned-silence', 'Bearer see')).status).toBe(404);
});
