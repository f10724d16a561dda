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
