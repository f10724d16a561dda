import { expect, test } from 'vitest';
import { type Config, Secret } from '../../../src/config/index.ts';
import { incidentMark, readIncident } from '../../../src/wiring/shared-incidents.ts';
import { DUBLIN, LONDON, MYFM } from '../decide/builders.ts';

test('what listeners heard of an incident is known to the others, whatever the figure', () => {
  const admin = { user: 'admin', password: new Secret('shared', 'the test') };
  const config = { servers: [LONDON, DUBLIN].map((name) => ({ name, admin })) } as unknown as Config;
  const known = { station: MYFM, thread: 'dead-air' };
  const figures = Array.from({ length: 3_000 }, (_, index) => index * 100);
  const heard = figures.filter((deadAirMs) => {
    const said = {
      ...known,
      severity: 'critical',
      openedUnixMs: 1.7e12,
      servers: [LONDON],
      isTold: true,
    } as const;
    const mark = incidentMark(config, DUBLIN, { ...said, deadAirMs });
    return mark !== null && readIncident(config, known, [mark])[0]?.deadAirMs === deadAirMs;
  });
  expect(heard).toEqual(figures);
});
