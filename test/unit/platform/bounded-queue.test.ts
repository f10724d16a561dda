import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue, type Overflow } from '../../../src/platform/bounded-queue.ts';
import { manualClock } from './clocks.ts';

describe('a bounded queue', () => {
  it('gives back what went in, in order, past the size of its first ring', () => {
    const queue = new BoundedQueue<number>({ capacity: 1_000, whenFull: 'refuse', clock: manualClock() });
    for (let i = 0; i < 100; i += 1) queue.push(i);
    expect(Array.from({ length: 101 }, () => queue.shift())).toEqual([
      ...Array.from({ length: 100 }, (_, i) => i),
      undefined,
    ]);
  });

  it('that drops the oldest keeps the newest, and one that refuses keeps the oldest', () => {
    const clock = manualClock();
    const drops = new BoundedQueue<number>({ capacity: 3, whenFull: 'drop-oldest', clock });
    const refuses = new BoundedQueue<number>({ capacity: 3, whenFull: 'refuse', clock });
    expect([1, 2, 3, 4, 5].map((item) => drops.push(item))).toEqual([true, true, true, true, true]);
    expect([1, 2, 3, 4, 5].map((item) => refuses.push(item))).toEqual([true, true, true, false, false]);
    expect([drops.shift(), refuses.shift()]).toEqual([3, 1]);
    expect([drops.lost.items, refuses.lost.items]).toEqual([2, 2]);
  });

  it('says what was lost once a second while it goes on, and the rest when it is closed', () => {
    const clock = manualClock();
    const said: Overflow[] = [];
    const queue = new BoundedQueue<string>({
      capacity: 4,
      whenFull: 'drop-oldest',
      weigh: (text) => text.length,
      onOverflow: (lost) => said.push(lost),
      clock,
    });
    for (let i = 0; i < 100; i += 1) {
      queue.push('ab');
      clock.advance(25);
    }
    expect(said.map((lost) => lost.weight / 2)).toEqual(said.map((lost) => lost.items));
    expect(said.length).toBe(2);
    queue.close();
    expect(said.reduce((sum, lost) => sum + lost.items, 0)).toBe(98);
    clock.advance(10_000);
    expect(said.length).toBe(3);
  });

  it('does not take an item that is larger than itself, and loses nothing else for it', () => {
    const options = { capacity: 4, whenFull: 'drop-oldest', weigh: (text: string) => text.length } as const;
    const queue = new BoundedQueue<string>({ ...options, clock: manualClock() });
    queue.push('abc');
    expect(queue.push('abcde')).toBe(false);
    expect(queue.shift()).toBe('abc');
  });

  it('behaves like a plain list that is cut, whatever is done to it', () => {
    const step = fc.oneof(fc.record({ push: fc.integer({ min: 1, max: 9 }) }), fc.constant('shift' as const));
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 60 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
        const weigh = (weight: number) => weight;
        const queue = new BoundedQueue<number>({
          capacity,
          whenFull: 'drop-oldest',
          weigh,
          clock: manualClock(),
        });
        const list: number[] = [];
        const weight = () => list.reduce((sum, item) => sum + item, 0);
        let lost = 0;
        for (const next of steps) {
          if (next === 'shift') {
            expect(queue.shift()).toBe(list.shift());
          } else {
            queue.push(next.push);
            list.push(next.push);
            while (weight() > capacity) lost += list.shift() ?? 0;
          }
          expect([queue.length, queue.weight, queue.lost.weight]).toEqual([list.length, weight(), lost]);
        }
      }),
    );
  });
});
