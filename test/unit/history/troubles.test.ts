import { describe, expect, test } from 'vitest';
import type { Incident } from '../../../src/domain/incidents.ts';
import { troublesOf } from '../../../src/history/report/troubles.ts';
import { DUBLIN, LONDON, MYFM } from '../decide/builders.ts';

const incident = (id: string, openedUnixMs: number, changes: Partial<Incident> = {}): Incident => ({
  id,
  station: MYFM,
  thread: 'sound',
  severity: 'warning',
  title: `the trouble of ${id}`,
  cause: 'silence',
  openedUnixMs,
  closedUnixMs: openedUnixMs + 60_000,
  acknowledged: null,
  servers: [LONDON],
  reasons: [],
  hadReasons: [],
  calmSinceUnixMs: null,
  left: [],
  deadAirMs: {},
  steps: [],
  ...changes,
});

describe('what several agents found', () => {
  test('at once and in one thread is one trouble, with what each knows of its own server', () => {
    const found = troublesOf([
      {
        agent: DUBLIN,
        incident: incident('b', 1_500, {
          servers: [DUBLIN, LONDON],
          severity: 'critical',
          deadAirMs: { dublin: 5_000, london: 9_000 },
        }),
      },
      { agent: LONDON, incident: incident('a', 1_000, { deadAirMs: { london: 7_000 } }) },
    ]);
    expect(found).toEqual([
      expect.objectContaining({
        title: 'the trouble of a',
        severity: 'critical',
        openedUnixMs: 1_000,
        closedUnixMs: 61_500,
        servers: [LONDON, DUBLIN],
        deadAirMs: { london: 7_000, dublin: 5_000 },
      }),
    ]);
    expect(found[0]).not.toHaveProperty('unheard');
  });

  test('is not known of a server that none of them heard, and lasts as long as it lasts for one', () => {
    const [trouble] = troublesOf([
      { agent: LONDON, incident: incident('a', 0, { servers: [DUBLIN], unheard: [DUBLIN] }) },
      {
        agent: 'paris',
        incident: incident('c', 0, { servers: [DUBLIN], unheard: [DUBLIN], closedUnixMs: null }),
      },
    ]);
    expect(trouble).toMatchObject({ unheard: [DUBLIN], closedUnixMs: null });
  });

  test.each([
    ['later', DUBLIN, incident('b', 31_000)],
    ['in another thread', DUBLIN, incident('b', 0, { thread: 'server london' })],
    ['by the same agent', LONDON, incident('b', 10_000)],
  ])('%s is another trouble', (_how, agent, other) => {
    expect(
      troublesOf([
        { agent: LONDON, incident: incident('a', 0) },
        { agent, incident: other },
      ]),
    ).toEqual([incident('a', 0), other]);
  });
});
