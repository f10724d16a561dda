import { expect, test } from 'vitest';
import type { Agent } from '../../../src/agent.ts';
import type { Incident } from '../../../src/domain/incidents.ts';
import { SustainError } from '../../../src/platform/errors.ts';
import { rememberedBy } from '../../../src/wiring/remembered.ts';
import { DUBLIN, LONDON } from '../decide/builders.ts';
import { incident } from '../history/support.ts';
import { manualClock } from '../platform/clocks.ts';

function remembered(openIncidents: readonly Incident[]) {
  const port = { call: () => Promise.reject(new SustainError('SQLITE_IOERR', 'disk I/O error')) };
  return rememberedBy({ chronicle: { port, openIncidents } } as unknown as Agent, manualClock(5_000));
}

test('incidents that last are shown also when the history cannot be read', async () => {
  const shown = await remembered([incident()]).incidents({ limit: 10 });
  expect(shown).toMatchObject([{ id: incident().id, closedAt: null }]);
});

test('what listeners heard of an incident is said in the words of the alerts and the report', async () => {
  const asked = [incident({ deadAirMs: { [LONDON]: 5_210 }, unheard: [DUBLIN] }), incident({ id: 'other' })];
  expect(await remembered(asked).incidents({ limit: 10 })).toMatchObject([
    { unheard: [DUBLIN], heard: '5.2 s of dead air on london, not known for dublin' },
    { unheard: [], heard: 'no dead air, as far as the log can tell' },
  ]);
});

test('a history that cannot be read is not shown as one without incidents', async () => {
  await expect(remembered([]).incidents({ limit: 10 })).rejects.toThrow('disk I/O error');
});
