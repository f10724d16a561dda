import { expect, test } from 'vitest';
import { noMemory } from '../../../src/decide/state.ts';
import type { StationEvent } from '../../../src/domain/events.ts';
import { type ServerName, type SourceName, sourceName } from '../../../src/domain/ids.ts';
import { Station } from '../../../src/station.ts';
import { hearSpoken } from '../../../src/wiring/spoken.ts';
import { stationView } from '../../../src/wiring/view.ts';
import { DUBLIN, MYFM, POLICY, PRIMARY } from '../decide/builders.ts';

/** What the page of london's agent shows as on air on dublin, after a look at dublin. */
function shownOf(said: {
  source: SourceName;
  connectedSeconds: number;
  agent?: typeof DUBLIN;
}): string | null {
  const station = new Station(POLICY, noMemory, 0, { event: () => {}, command: () => {} });
  hearSpoken([{ station, note: () => {} }], DUBLIN, {
    ok: true,
    startedAtMs: 0,
    atMs: 1,
    mounts: [],
    presences: [
      {
        agent: said.agent ?? DUBLIN,
        connectedSeconds: said.connectedSeconds,
        onAir: new Map([[MYFM, said.source]]),
      },
    ],
  });
  return stationView(station, null, [], [], 2).servers[1]?.onAir ?? null;
}

const AUTODJ = sourceName('autodj');

test('what the agent beside another server has on air is shown as it says', () => {
  expect(shownOf({ source: AUTODJ, connectedSeconds: 3 })).toBe('autodj');
});

test.each([
  ['an old word', { source: AUTODJ, connectedSeconds: 13 }],
  ['a source that there is not', { source: sourceName('pirate'), connectedSeconds: 1 }],
  ['the word of an agent of elsewhere', { source: AUTODJ, connectedSeconds: 1, agent: POLICY.self }],
])('%s is not shown', (_what, said) => {
  expect(shownOf(said)).toBeNull();
});

test('a change of what it has on air is an event of the station, once, whatever was silent between', () => {
  const station = new Station(POLICY, noMemory, 0, { event: () => {}, command: () => {} });
  const noted: StationEvent[] = [];
  const hear = (atMs: number, source: SourceName | null, server: ServerName = DUBLIN) =>
    hearSpoken([{ station, note: (event) => noted.push(event) }], server, {
      ok: true,
      startedAtMs: atMs,
      atMs,
      mounts: [],
      presences:
        source === null ? [] : [{ agent: server, connectedSeconds: 1, onAir: new Map([[MYFM, source]]) }],
    });
  for (const [index, source] of [PRIMARY, PRIMARY, null, AUTODJ, AUTODJ, null].entries())
    hear(1000 * index, source);
  for (const source of [PRIMARY, AUTODJ]) hear(9000, source, POLICY.self);
  expect(noted).toEqual([{ kind: 'heard-on-air', atMs: 3000, server: DUBLIN, from: PRIMARY, to: AUTODJ }]);
});
