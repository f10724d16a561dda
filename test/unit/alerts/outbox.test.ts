import { describe, expect, test } from 'vitest';
import { type Delivery, failed, type Hook } from '../../../src/alerts/hook.ts';
import type { AlertMessage } from '../../../src/alerts/message.ts';
import { Outbox, type Verdict } from '../../../src/alerts/outbox.ts';
import type { OutboxRow } from '../../../src/domain/outbox.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from '../wiring/support.ts';
import { message } from './support.ts';

const START = 1_800_000_000_000;

/** An outbox with one hook whose answers the test gives, and the rows as a disk would have them. */
function outboxWith(changes: Partial<Hook> = {}, left: readonly OutboxRow[] = []) {
  const clock = manualClock(START);
  const disk = new Map(left.map((row) => [row.id, row]));
  const told: string[][] = [];
  const world = { answer: { is: 'sent' } as Delivery, verdict: { do: 'send' } as Verdict };
  const { log, lines } = keptLog();
  const hook: Hook = {
    name: 'hook',
    minimum: 'warning',
    stations: null,
    deliver: async (messages) => {
      told.push(messages.map(({ id }) => id));
      return world.answer;
    },
    ...changes,
  };
  const outbox = new Outbox({
    hooks: [hook],
    store: {
      waiting: async () => [...disk.values()].filter(({ state }) => state === 'waiting'),
      update: async (rows) => {
        for (const row of rows) disk.set(row.id, row);
        return true;
      },
    },
    clock,
    random: { next: () => 0.5, token: () => 'a' },
    log,
    judge: () => world.verdict,
    sent: () => {},
  });
  /** Hooks as a changed config has them, with what each was told. */
  const exchange = (...names: readonly string[]) => {
    const taken: [name: string, ids: readonly string[]][] = [];
    outbox.exchange(
      names.map((name) => ({
        ...hook,
        name,
        deliver: async (messages) => {
          taken.push([name, messages.map(({ id }) => id)]);
          return { is: 'sent' };
        },
      })),
    );
    return taken;
  };
  const tell = (one: AlertMessage, dueUnixMs = clock.nowMs()) => {
    const rows = outbox.rowsFor(one, dueUnixMs);
    for (const row of rows) disk.set(row.id, row);
    outbox.take(rows);
  };
  const states = () => [...disk.values()].map(({ state }) => state);
  return { outbox, clock, disk, told, world, lines, tell, states, exchange };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const numbered = (index: number, changes: Partial<AlertMessage['incident']> = {}) =>
  message('opened', { id: `i${index}`, ...changes }, START + index);

describe('an alert', () => {
  test('is told once and is sent from then on', async () => {
    const { tell, told, states, outbox } = outboxWith();
    tell(message());
    outbox.take(outbox.rowsFor(message(), START));
    await settled();
    expect(told).toEqual([['myfm-london-abc-sound.opened']]);
    expect(states()).toEqual(['sent']);
    expect(outbox.figures).toEqual([{ hook: 'hook', waiting: 0, sent: 1, failed: 0, dead: 0 }]);
  });

  test('that not everybody gets is told, and who does not is said once', async () => {
    const { tell, world, states, lines } = outboxWith();
    world.answer = { is: 'sent', but: 'no such mailbox' };
    tell(numbered(1));
    await settled();
    tell(numbered(2));
    await settled();
    expect(states()).toEqual(['sent', 'sent']);
    expect(lines).toMatchObject([
      { hook: 'hook', detail: 'no such mailbox', msg: 'not everybody gets the alerts' },
    ]);
  });

  test('that an agent before left behind is told by the next', async () => {
    const { outbox: before } = outboxWith();
    const { outbox, told } = outboxWith({}, before.rowsFor(message(), START));
    await outbox.begin();
    await settled();
    expect(told).toHaveLength(1);
  });

  test('that an agent left behind more than a day ago is told to nobody', async () => {
    const { outbox: before } = outboxWith();
    const old = before.rowsFor(message('opened', {}, START - 25 * 3_600_000), START);
    const { outbox, told, states, lines } = outboxWith({}, old);
    await outbox.begin();
    await settled();
    expect(told).toEqual([]);
    expect(states()).toEqual(['dead']);
    expect(lines).toMatchObject([{ count: 1, msg: 'alerts from before are too old to be told' }]);
  });

  test('is tried again, each time later, in its order, and given up after a day', async () => {
    const { tell, told, world, clock, states, lines } = outboxWith();
    world.answer = failed('it answered 500');
    tell(numbered(1));
    tell(numbered(2));
    await settled();
    for (let minute = 0; minute < 30 * 60; minute += 1) {
      clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(told.length).toBeGreaterThan(50);
    expect(told.length).toBeLessThan(150);
    expect(told[0]).toEqual(['i1.opened']);
    expect(states()).toEqual(['dead', 'dead']);
    expect(lines.filter(({ msg }) => msg === 'an alert did not get through')).toHaveLength(1);
  });

  test('comes in time though the wall clock is put back by an hour while it waits', async () => {
    const { tell, told, clock } = outboxWith();
    tell(numbered(1), START + 12_000);
    clock.putForward(-3_600_000);
    clock.advance(12_000);
    await settled();
    expect(told).toEqual([['i1.opened']]);
  });

  test('is not given up because the wall clock was put forward by two days', async () => {
    const { tell, told, world, clock, states } = outboxWith();
    world.answer = failed('it answered 500');
    tell(numbered(1));
    clock.putForward(48 * 3_600_000);
    await settled();
    expect(states()).toEqual(['waiting']);
    world.answer = { is: 'sent' };
    clock.advance(60_000);
    await settled();
    expect(told).toHaveLength(2);
    expect(states()).toEqual(['sent']);
  });

  test('that was left behind by a clock that ran a month ahead waits an hour at most', async () => {
    const { outbox: before } = outboxWith();
    const month = 30 * 24 * 3_600_000;
    const { outbox, told, clock } = outboxWith(
      {},
      before.rowsFor(message('opened', {}, START + month), START + month),
    );
    await outbox.begin();
    clock.advance(3_600_000);
    await settled();
    expect(told).toHaveLength(1);
  });

  test('that would fail each time is given up at once', async () => {
    const { tell, world, states } = outboxWith();
    world.answer = failed('gone', { forGood: true });
    tell(message());
    await settled();
    expect(states()).toEqual(['dead']);
  });

  test('that is new is tried soon after a long failure, behind what waits', async () => {
    const { tell, told, world, clock } = outboxWith();
    world.answer = failed('it cannot be reached');
    tell(numbered(1));
    for (let second = 0; second < 3_600; second += 1) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    world.answer = { is: 'sent' };
    told.length = 0;
    tell(numbered(2));
    clock.advance(5_000);
    await settled();
    expect(told).toEqual([['i1.opened'], ['i2.opened']]);
  });

  test('that is refused for what it is holds up no other', async () => {
    const told: string[][] = [];
    const { tell, clock, states, outbox } = outboxWith({
      deliver: async (messages) => {
        told.push(messages.map(({ id }) => id));
        const isPoison = messages.some(({ id }) => id === 'i1.opened');
        return isPoison ? failed('it answered 400', { isOfMessage: true }) : { is: 'sent' };
      },
    });
    tell(numbered(1));
    tell(numbered(2));
    await settled();
    clock.advance(6_000);
    await settled();
    expect(told.slice(0, 2)).toEqual([['i1.opened'], ['i2.opened']]);
    for (let minute = 0; minute < 60; minute += 1) {
      clock.advance(60_000);
      await settled();
    }
    told.length = 0;
    tell(numbered(3));
    clock.advance(5_000);
    await settled();
    expect(told).toEqual([['i3.opened']]);
    expect(states()).toEqual(['waiting', 'sent', 'sent']);
    outbox.stop();
  });

  test('that is new waits as long as the receiver asked', async () => {
    const { tell, told, world, clock } = outboxWith();
    world.answer = failed('busy', { retryAfterMs: 120_000 });
    tell(numbered(1));
    await settled();
    tell(numbered(2));
    clock.advance(119_000);
    await settled();
    expect(told).toHaveLength(1);
  });

  test('waits as long as the receiver asks it to', async () => {
    const { tell, told, world, clock } = outboxWith();
    world.answer = failed('busy', { retryAfterMs: 120_000 });
    tell(message());
    await settled();
    clock.advance(119_000);
    await settled();
    expect(told).toHaveLength(1);
    clock.advance(2_000);
    await settled();
    expect(told).toHaveLength(2);
  });

  test('that a colleague has told is dropped, and says by whom', async () => {
    const { tell, told, world, disk } = outboxWith();
    world.verdict = { do: 'drop', because: 'told by dublin' };
    tell(message());
    await settled();
    expect(told).toEqual([]);
    expect([...disk.values()]).toMatchObject([{ state: 'dropped', lastError: 'told by dublin' }]);
  });

  test('goes only to those who want it', () => {
    const { outbox } = outboxWith({ minimum: 'critical', stations: ['myfm'] });
    expect(outbox.rowsFor(message(), 0)).toEqual([]);
    expect(outbox.rowsFor(message('escalated', { severity: 'critical' }), 0)).toHaveLength(1);
    expect(outbox.rowsFor(message('opened', { severity: 'critical', station: 'nofm' as never }), 0)).toEqual(
      [],
    );
  });

  test('for a hook that is not in the config any more is dead', async () => {
    const { outbox, disk } = outboxWith({}, []);
    const row: OutboxRow = { ...(outbox.rowsFor(message(), 0)[0] as OutboxRow), hook: 'gone', id: 'x gone' };
    outbox.take([row]);
    await settled();
    expect(disk.get('x gone')?.state).toBe('dead');
  });
});

describe('a storm', () => {
  test('is told one by one at first, then all together a minute later', async () => {
    const { tell, told, clock, states } = outboxWith();
    for (let index = 0; index < 5; index += 1) {
      tell(numbered(index));
      await settled();
    }
    for (let index = 5; index < 40; index += 1) tell(numbered(index));
    await settled();
    expect(told).toHaveLength(5);
    clock.advance(60_000);
    await settled();
    expect(told).toHaveLength(6);
    expect(told[5]).toHaveLength(35);
    expect(new Set(states())).toEqual(new Set(['sent']));
  });

  test('lets what is critical through within 10 s, with what waits', async () => {
    const { tell, told, clock } = outboxWith();
    for (let index = 0; index < 5; index += 1) {
      tell(numbered(index));
      await settled();
    }
    tell(numbered(5));
    tell(numbered(6, { severity: 'critical' }));
    await settled();
    clock.advance(10_000);
    await settled();
    expect(told.slice(5)).toEqual([['i5.opened', 'i6.opened']]);
  });
});

describe('hooks that are exchanged while alerts wait', () => {
  test('what one did not take goes at once to the new one of its name', async () => {
    const { tell, told, world, states, exchange, outbox } = outboxWith();
    world.answer = failed('it answered 500');
    tell(numbered(1));
    await settled();
    expect(told).toEqual([['i1.opened']]);
    const taken = exchange('hook', 'other');
    await settled();
    expect(taken).toEqual([['hook', ['i1.opened']]]);
    expect(states()).toEqual(['sent']);
    expect(outbox.rowsFor(numbered(2), START).map(({ hook }) => hook)).toEqual(['hook', 'other']);
  });

  test('what waits for a colleague goes on waiting', async () => {
    const { tell, exchange, clock } = outboxWith();
    tell(numbered(1), START + 10_000);
    const taken = exchange('hook');
    clock.advance(9_000);
    await settled();
    expect(taken).toEqual([]);
    clock.advance(2_000);
    await settled();
    expect(taken).toEqual([['hook', ['i1.opened']]]);
  });

  test.each([
    ['it answered 500', false],
    ['no such receiver', true],
  ])('a try under way fails for the old one only: %s', async (detail, forGood) => {
    let answer: (delivery: Delivery) => void = () => {};
    const asked = new Promise<Delivery>((resolve) => {
      answer = resolve;
    });
    const { tell, states, exchange } = outboxWith({ deliver: () => asked });
    tell(numbered(1));
    await settled();
    const taken = exchange('hook');
    answer(failed(detail, { forGood }));
    await settled();
    expect(taken).toEqual([['hook', ['i1.opened']]]);
    expect(states()).toEqual(['sent']);
  });

  test('what waits for one that is gone is given up, and said', async () => {
    const { tell, disk, world, exchange, lines, clock } = outboxWith();
    world.answer = failed('it answered 500');
    tell(numbered(1));
    await settled();
    const taken = exchange('other');
    clock.advance(3_600_000);
    await settled();
    expect(taken).toEqual([]);
    expect([...disk.values()]).toMatchObject([{ state: 'dead', lastError: 'it is not in the config' }]);
    expect(lines.at(-1)).toMatchObject({ hooks: ['hook'], count: 1 });
  });
});
