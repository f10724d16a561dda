import { expect, test } from 'vitest';
import { noMemory } from '../../../src/decide/state.ts';
import type { LevelRow } from '../../../src/history/levels.ts';
import { Station } from '../../../src/station.ts';
import { ProvenLevels } from '../../../src/wiring/proven-levels.ts';
import { goodLook, LONDON, MONITOR, openLink, POLICY, PRIMARY, reading, viewOf } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';

test('a level is written down when a look that began after it was here proves its connection, however early it was live', () => {
  const clock = manualClock(10_000);
  const rows: LevelRow[] = [];
  const levels = new ProvenLevels(clock, (row) => rows.push(row));
  const station = new Station(POLICY, noMemory, clock.nowMs(), { command() {}, event() {} });
  const leg = station.policy.legs.find(({ server, source }) => server === LONDON && source === PRIMARY);
  if (leg === undefined) throw new Error('no such leg');
  station.take({ kind: 'link', atMs: 10_000, leg: leg.id, link: openLink(5_000) });
  const look = (startedAtMs: number) => {
    const mounts = [viewOf(PRIMARY, { monitors: [MONITOR] })];
    station.take({
      kind: 'look',
      atMs: startedAtMs + 10,
      server: LONDON,
      look: goodLook(startedAtMs, mounts),
    });
    levels.settle(station);
    levels.flush();
    return rows.length;
  };
  levels.heard(leg.id, { ...reading(11_100, 100), arrivedAtMs: 12_000 });
  expect(look(11_500)).toBe(0);
  expect(look(12_000)).toBe(1);
});
