import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StationConfig } from '../../../src/config/index.ts';
import { LATE_MS } from '../../../src/decide/planned-silence.ts';
import { stationName } from '../../../src/domain/ids.ts';
import type { Input } from '../../../src/domain/inputs.ts';
import { type PlanRequest, parsePlannedDay } from '../../../src/domain/planned-silence.ts';
import { plannedSilenceFile } from '../../../src/wiring/memory-file.ts';
import type { SharedSilence } from '../../../src/wiring/shared-silences.ts';
import { SilencePlans } from '../../../src/wiring/silence-plans.ts';
import { MYFM } from '../decide/builders.ts';
import { temporaryFolder } from '../history/support.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const ELEVEN = Date.UTC(2026, 10, 8, 11);
const DAILY = { day: { is: 'daily' }, atSeconds: 11 * 3600, lengthMs: 120_000, says: 'noon' } as const;

function request(day: string, changes: Partial<PlanRequest> = {}): PlanRequest {
  const parsed = parsePlannedDay(day);
  if (!parsed.ok) throw new Error(parsed.message);
  const at = { atSeconds: 11 * 3600, lengthMs: 120_000, timeZone: null };
  return { day: parsed.day, ...at, says: 'two minutes', author: 'ann', ...changes };
}

const OTHERFM = stationName('otherfm');

async function plansIn(
  directory = temporaryFolder(),
  nowUnixMs = ELEVEN - 60_000,
  config: object[] = [],
  ofOtherfm: object[] = [],
) {
  const clock = manualClock(nowUnixMs);
  const inputs: (Input & { kind: 'planned-silence' })[] = [];
  const told: string[] = [];
  const shared: SharedSilence[] = [];
  let ids = 0;
  const plans = new SilencePlans({
    stations: [
      { name: MYFM, timeZone: 'UTC', plannedSilence: config } as unknown as StationConfig,
      { name: OTHERFM, timeZone: 'UTC', plannedSilence: ofOtherfm } as unknown as StationConfig,
    ],
    file: plannedSilenceFile(directory, clock, keptLog().log),
    clock,
    random: {
      next: () => 0.5,
      token: () => {
        ids += 1;
        return `id${ids}`;
      },
    },
    input: (_station, input) => {
      if (input.kind === 'planned-silence') inputs.push(input);
    },
    shared: () => shared,
    event: (station, { is, detail, author }) =>
      told.push(
        `${station === MYFM ? '' : `${station}: `}${is} ${detail}${author === undefined ? '' : ` ${author}`}`,
      ),
  });
  await plans.begin();
  return { plans, clock, inputs, told, shared, directory };
}

const saved = (directory: string) =>
  expect.poll(() => existsSync(join(directory, '.planned-silence.json'))).toBe(true);

describe('a silence that an operator planned', () => {
  test('is told to the decision when it begins and when it is over, and then forgotten', async () => {
    const { plans, clock, inputs, told } = await plansIn();
    expect(plans.plan(MYFM, request('2026-11-08'))).toMatchObject({
      ok: true,
      planned: { day: '2026-11-08', at: '11:00', timeZone: 'UTC', inForce: false, author: 'ann' },
    });
    clock.advance(59_000);
    expect(inputs).toEqual([]);
    clock.advance(2_000);
    expect(inputs).toMatchObject([{ fromMs: ELEVEN, untilMs: ELEVEN + 120_000 + LATE_MS }]);
    expect(plans.list(MYFM)).toMatchObject([{ inForce: true }]);
    clock.advance(120_000 + LATE_MS);
    expect(inputs).toHaveLength(2);
    expect(inputs[1]?.untilMs).toBeLessThanOrEqual(clock.nowMs());
    expect(plans.list(MYFM)).toEqual([]);
    expect(told).toEqual([
      'planned 120 s at 11:00, 2026-11-08 (two minutes) ann',
      'begun two minutes',
      'over two minutes',
    ]);
  });

  test('is there after a restart, also in the middle of it', async () => {
    const { plans, directory } = await plansIn();
    plans.plan(MYFM, request('every 8 november'));
    await saved(directory);
    const { inputs, plans: later } = await plansIn(directory, ELEVEN + 30_000);
    expect(inputs).toMatchObject([{ fromMs: ELEVEN }]);
    expect(later.list(MYFM)).toMatchObject([{ day: 'every 8 November', inForce: true, from: 'operator' }]);
  });

  test('is over at once when it is cancelled', async () => {
    const { plans, clock, inputs, told } = await plansIn();
    plans.plan(MYFM, request('every sunday'));
    clock.advance(61_000);
    expect(plans.cancel(MYFM, 'id1', 'bob')).toMatchObject({ ok: true });
    expect(inputs.at(-1)).toMatchObject({ untilMs: clock.nowMs() });
    expect(told.slice(-2)).toEqual([
      'cancelled 120 s at 11:00, every Sunday (two minutes) bob',
      'over two minutes',
    ]);
  });

  test('is refused when it is over already, or there is no such station', async () => {
    const { plans } = await plansIn();
    expect(plans.plan(MYFM, request('2026-11-07'))).toEqual({ ok: false, is: 'over' });
    expect(plans.plan('nofm' as never, request('every day'))).toEqual({ ok: false, is: 'no-station' });
    expect(plans.cancel(MYFM, 'id9', 'bob')).toEqual({ ok: false, is: 'not-planned' });
  });
});

test('a silence of the config comes each time, and is changed in the config only', async () => {
  const { plans, clock, told } = await plansIn(temporaryFolder(), ELEVEN - 60_000, [DAILY]);
  clock.advance(2 * 24 * 3_600_000);
  expect(told).toEqual(['begun noon', 'over noon', 'begun noon', 'over noon']);
  expect(plans.cancel(MYFM, 'config-1', 'bob')).toEqual({ ok: false, is: 'in-config' });
});

test('each station keeps the silences of its own config, though each has a first one', async () => {
  const noon = { ...DAILY, atSeconds: 12 * 3600, says: 'of otherfm' };
  const { plans, clock, told } = await plansIn(temporaryFolder(), ELEVEN - 60_000, [DAILY], [noon]);
  clock.advance(61_000);
  expect(told).toEqual(['begun noon']);
  clock.advance(3_600_000);
  expect(told).toEqual(['begun noon', 'over noon', 'otherfm: begun of otherfm']);
  expect(plans.list(OTHERFM)).toMatchObject([{ at: '12:00', inForce: true }]);
  clock.advance(3_600_000);
  plans.plan(MYFM, request('2026-11-09'));
  clock.advance(22.1 * 3_600_000);
  expect(told.slice(3)).toEqual([
    'otherfm: over of otherfm',
    'planned 120 s at 11:00, 2026-11-09 (two minutes) ann',
    'begun noon',
    'over noon',
  ]);
});

test('a silence that was planned on another agent is kept here too', async () => {
  const { plans, clock, shared, told } = await plansIn();
  const window = { fromUnixMs: ELEVEN, untilUnixMs: ELEVEN + 120_000, says: 'planned on dublin' };
  shared.push({ station: MYFM, agent: 'dublin', window });
  clock.advance(61_000);
  expect(told).toEqual(['begun planned on dublin']);
  expect(plans.list(MYFM)).toMatchObject([{ from: 'colleague', inForce: true, at: '11:00:00' }]);
});

describe('when the wall clock is put', () => {
  const HOUR_MS = 3_600_000;

  test('a silence is kept at its hour, though a clock that was ahead has shown its end already', async () => {
    const { plans, clock, told, directory } = await plansIn(temporaryFolder(), ELEVEN - 50 * 60_000, [DAILY]);
    plans.plan(OTHERFM, request('2026-11-08'));
    clock.putForward(HOUR_MS);
    clock.advance(60_000);
    expect(plans.list(OTHERFM)).toEqual([]);
    clock.putForward(-HOUR_MS);
    clock.advance(50 * 60_000);
    expect(told.slice(1)).toEqual(['begun noon', 'otherfm: begun two minutes']);
    await saved(directory);
    clock.advance(5 * 60_000);
    clock.standStill(25 * HOUR_MS);
    clock.advance(1_000);
    const plansSaved = () => JSON.parse(readFileSync(join(directory, '.planned-silence.json'), 'utf8'));
    await expect.poll(plansSaved).toMatchObject({ plans: [] });
  });

  test('a silence that comes each day is none that comes in ten years', async () => {
    const { clock, told } = await plansIn(temporaryFolder(), ELEVEN - 2 * HOUR_MS, [DAILY]);
    const tenYears = 3653 * 24 * HOUR_MS;
    clock.putForward(tenYears);
    clock.advance(HOUR_MS);
    clock.putForward(-tenYears);
    clock.advance(HOUR_MS);
    expect(told).toEqual(['begun noon']);
  });

  test('one that lasts goes on until the clock shows its end', async () => {
    const { clock, inputs, told } = await plansIn(temporaryFolder(), ELEVEN - 60_000, [DAILY]);
    clock.advance(120_000);
    clock.putForward(-45_000);
    clock.advance(1_000);
    expect(inputs).toMatchObject([
      { untilMs: ELEVEN + 120_000 + LATE_MS },
      { untilMs: ELEVEN + 165_000 + LATE_MS },
    ]);
    clock.putForward(-3_600_000);
    clock.advance(1_000);
    expect(told).toEqual(['begun noon', 'over noon']);
  });
});
