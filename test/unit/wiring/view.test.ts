import { describe, expect, test } from 'vitest';
import { noMemory } from '../../../src/decide/state.ts';
import type { LegView } from '../../../src/domain/view.ts';
import { Station } from '../../../src/station.ts';
import { stationView } from '../../../src/wiring/view.ts';
import {
  AUTODJ,
  DUBLIN,
  deskWith,
  goodLook,
  LONDON,
  openLink,
  POLICY,
  PRIMARY,
  reading,
  viewOf,
} from '../decide/builders.ts';

const hands = { event: () => {}, command: () => {} };
const LEG = POLICY.legs[0];

function station(): Station {
  return new Station(POLICY, noMemory, 0, hands);
}

function legOf(of: Station, nowMs: number): LegView | undefined {
  return stationView(of, null, [], [], nowMs).servers[0]?.legs[0];
}

function listening(): Station {
  const running = station();
  if (LEG === undefined) throw new Error('no leg');
  running.take({ kind: 'link', atMs: 0, leg: LEG.id, link: openLink(0) });
  running.take({ kind: 'levels', atMs: 1000, leg: LEG.id, reading: reading(1000, 100) });
  return running;
}

describe('the picture of a station', () => {
  test('has every server and leg in order from the first moment on', () => {
    const view = stationView(station(), null, [], [], 2500);
    expect(view.servers.map(({ server }) => server)).toEqual(['london', 'dublin']);
    expect(view.servers[0]).toMatchObject({ role: 'own', condition: 'unknown', onAir: null, hold: null });
    expect(view.servers[1]).toMatchObject({ role: 'watching' });
    expect(view.servers[0]?.legs.map(({ leg }) => leg)).toEqual([
      'myfm/primary@london',
      'myfm/secondary@london',
      'myfm/autodj@london',
    ]);
    expect(view.servers[0]?.legs[0]).toMatchObject({
      condition: 'unknown',
      reason: 'starting',
      forMs: 2500,
      listeners: null,
      title: null,
      rmsDbfs: [],
    });
  });

  test('has the word of the agent that acts on a server, and not what this one, which watches, would choose there', () => {
    const real = station();
    const desks = new Map(real.state.desks).set(DUBLIN, deskWith({ server: DUBLIN, onAir: PRIMARY }));
    const watching: Station = Object.create(real, {
      policy: { value: POLICY },
      state: { value: { ...real.state, desks } },
    });
    const onAir = () => stationView(watching, null, [], [], 0).servers[1]?.onAir;
    expect(onAir()).toBe('primary');
    watching.spoken.set(DUBLIN, AUTODJ);
    expect(onAir()).toBe('autodj');
  });

  test('shows levels at once, rounded to a tenth, and drops them when they are old', () => {
    expect(legOf(listening(), 1000)).toMatchObject({
      rmsDbfs: [-20, -20],
      truePeakDbtp: -9.5,
      shortTermLufs: -18,
    });
    expect(legOf(listening(), 2500)?.rmsDbfs).toEqual([-20, -20]);
    expect(legOf(listening(), 2501)).toMatchObject({ rmsDbfs: [], truePeakDbtp: null, faults: [] });
  });

  test('has null for digital silence and for what is not known, as JSON has no infinity', () => {
    const running = listening();
    if (LEG === undefined) throw new Error('no leg');
    const silent = {
      ...reading(1100, 0),
      rmsDbfs: [Number.NEGATIVE_INFINITY, -90.04],
      momentaryLufs: Number.NaN,
    };
    running.take({ kind: 'levels', atMs: 1100, leg: LEG.id, reading: silent });
    const leg = legOf(running, 1100);
    expect(leg).toMatchObject({ rmsDbfs: [null, -90], momentaryLufs: null });
    expect(JSON.parse(JSON.stringify(leg))).toEqual(leg);
  });

  test('shows the listeners of a mount, and none of one that is missing', () => {
    const running = listening();
    const look = goodLook(1000, [viewOf(PRIMARY, { listeners: 12 })]);
    running.take({ kind: 'look', atMs: 1010, server: LONDON, look });
    expect(legOf(running, 1010)?.listeners).toBe(12);
    running.take({ kind: 'look', atMs: 1510, server: LONDON, look: goodLook(1500, []) });
    expect(legOf(running, 1510)?.listeners).toBeNull();
  });

  test('shows a hold with what remains of it', () => {
    const memory = {
      ageMs: 0,
      desks: {
        london: {
          onAir: PRIMARY,
          away: [],
          hold: { author: 'ann', remainingMs: 5000, source: null },
          order: null,
        },
      },
    };
    const held = new Station(POLICY, memory, 1000, hands);
    const hold = (nowMs: number) => stationView(held, null, [], [], nowMs).servers[0]?.hold;
    expect(hold(2000)).toEqual({ author: 'ann', remainingMs: 4000, source: null });
    expect(hold(60_000)?.remainingMs).toBe(0);
  });
});
