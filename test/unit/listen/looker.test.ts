import { expect, test } from 'vitest';
import type { ServerLook } from '../../../src/domain/icecast.ts';
import { mount, serverName } from '../../../src/domain/ids.ts';
import type { AdminClient } from '../../../src/icecast/admin-client.ts';
import { type LookerOptions, startLooker } from '../../../src/listen/looker.ts';
import { eventually, pause } from '../icecast/eventually.ts';
import { FakeIcecast } from '../icecast/fake-admin.ts';
import { ManualClock } from '../icecast/manual-clock.ts';

/** A server whose every answer takes this long on the looker's clock. */
function slowClient(icecast: FakeIcecast, clock: ManualClock, takesMs: () => number): AdminClient {
  return {
    ...icecast.client,
    listMounts: () =>
      new Promise((resolve) => {
        icecast.asked.push('listmounts');
        clock.after(takesMs(), () => resolve(icecast.refusal ?? { ok: true, value: [] }));
      }),
    stats: async () => icecast.refusal ?? { ok: false, failure: 'timed-out', detail: '' },
  };
}

function looking(takesMs: () => number, more: Partial<LookerOptions> = {}) {
  const clock = new ManualClock();
  const icecast = new FakeIcecast();
  const looks: ServerLook[] = [];
  const looker = startLooker({
    clock,
    client: slowClient(icecast, clock, takesMs),
    agent: serverName('london'),
    mounts: [mount('/a')],
    seen: (look) => looks.push(look),
    ...more,
  });
  /** Time goes on in small steps, and promises between them. */
  const spend = async (ms: number) => {
    for (let spent = 0; spent < ms; spent += 10) {
      clock.advance(10);
      await pause(0);
    }
  };
  const startsMs = () => looks.map((look) => look.startedAtMs);
  return { clock, icecast, looks, looker, spend, startsMs };
}

test('looks come twice a second while they are cheap', async () => {
  const { spend, startsMs, looker } = looking(() => 20);
  await spend(2_600);
  looker.stop();
  const gaps = startsMs().map((atMs, index, all) => atMs - (all[index - 1] ?? atMs - 500));
  expect(gaps.length).toBe(6);
  expect(gaps.every((gap) => gap >= 490 && gap <= 520)).toBe(true);
});

test('looks that take long come seldom, so that they fill a tenth of the time', async () => {
  const { spend, startsMs, looker } = looking(() => 150);
  await spend(16_000);
  expect(looker.intervalMs).toBeCloseTo(1500, -1);
  looker.stop();
  expect(startsMs().length).toBeLessThanOrEqual(12);
});

test('there are never two looks at once, and none comes later than the longest interval', async () => {
  let under = 0;
  let most = 0;
  const clock = new ManualClock();
  const icecast = new FakeIcecast();
  const slow = slowClient(icecast, clock, () => 900);
  const looker = startLooker({
    clock,
    client: {
      ...slow,
      listMounts: async () => {
        under += 1;
        most = Math.max(most, under);
        const answer = await slow.listMounts();
        under -= 1;
        return answer;
      },
    },
    agent: serverName('london'),
    mounts: [],
    seen: () => {},
    maxIntervalMs: 2_000,
  });
  for (let spent = 0; spent < 10_000; spent += 20) {
    clock.advance(20);
    await pause(0);
    if (spent % 100 === 0) looker.lookNow();
  }
  looker.stop();
  expect(most).toBe(1);
  expect(looker.intervalMs).toBe(2_000);
});

test('a server that fails is looked at as often as before', async () => {
  const { icecast, spend, looks, looker } = looking(() => 300);
  icecast.refusal = { ok: false, failure: 'refused', detail: 'gone' };
  await spend(2_900);
  looker.stop();
  expect(looks.length).toBe(6);
  expect(looks.every((look) => !look.ok)).toBe(true);
});

test('a look can be had at once', async () => {
  const { spend, looks, looker } = looking(() => 10);
  await spend(100);
  expect(looks.length).toBe(1);
  looker.lookNow();
  await spend(30);
  expect(looks.length).toBe(2);
  looker.stop();
});

test('a look that throws is a failed look, and looking goes on', async () => {
  const clock = new ManualClock();
  const looks: ServerLook[] = [];
  const looker = startLooker({
    clock,
    client: { ...new FakeIcecast().client, listMounts: () => Promise.reject(new Error('a bug')) },
    agent: serverName('london'),
    mounts: [],
    seen: (look) => looks.push(look),
  });
  clock.advance(0);
  await eventually('first', () => looks.length === 1);
  clock.advance(500);
  await eventually('second', () => looks.length === 2);
  looker.stop();
  expect(looks[0]).toMatchObject({ ok: false, detail: 'a bug' });
});

test('after stop nothing is told, not even the look under way', async () => {
  const { spend, looks, looker, clock } = looking(() => 50);
  await spend(20);
  looker.stop();
  await spend(1_000);
  expect(looks).toEqual([]);
  expect(clock.pending).toBe(0);
});
