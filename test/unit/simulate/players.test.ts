import { describe, expect, it } from 'vitest';
import type { Output } from '../../../src/simulate/parts.ts';
import {
  castPlayers,
  outagesOf,
  type Player,
  type PlayerModel,
  sceneOf,
} from '../../../src/simulate/players.ts';
import { DUBLIN, LONDON, SERVERS, seeded } from '../../../src/simulate/station.ts';
import type { Change } from '../../../src/simulate/station-world.ts';

const MODEL: PlayerModel = {
  ttlMs: 30_000,
  clampedShare: 0,
  clampMs: 0,
  stickyShare: 0,
  sessionMs: Number.POSITIVE_INFINITY,
  bufferMs: 4_000,
  readTimeoutMs: 10_000,
  reconnectMs: 2_000,
};
const PLAIN: Player = { ttlMs: 30_000, isSticky: false, askedAgoMs: Number.POSITIVE_INFINITY };

const output = (atMs: number, is: Output['is'], server = LONDON): Change => ({
  atMs,
  what: 'output',
  server,
  output: { is, source: null },
});
const moved = (atMs: number, server = DUBLIN): Change => ({ atMs, what: 'name', server, isFalse: false });

const lost = (changes: readonly Change[], player: Player = PLAIN, model: PlayerModel = MODEL) =>
  outagesOf(sceneOf(changes, 0, 1_000_000, SERVERS), player, model, seeded(1));

describe('a listener', () => {
  it('hears silence for as long as it is sent, and a pause is no silence', () => {
    expect(lost([output(10_000, 'silent'), output(15_000, 'sound')])).toEqual([
      { fromMs: 10_000, toMs: 15_000 },
    ]);
    expect(lost([output(10_000, 'pause'), output(15_000, 'sound')])).toEqual([]);
  });

  it('does not hear a stall that is shorter than the buffer, which is not filled again', () => {
    expect(lost([output(10_000, 'stalled'), output(12_000, 'sound')])).toEqual([]);
    const twice = [
      output(10_000, 'stalled'),
      output(13_000, 'sound'),
      output(20_000, 'stalled'),
      output(22_000, 'sound'),
    ];
    expect(lost(twice)).toEqual([{ fromMs: 21_000, toMs: 22_000 }]);
  });

  it('comes back to a server that is back, at the next try', () => {
    const changes = [output(10_000, 'refuses'), output(15_300, 'sound')];
    expect(lost(changes)).toEqual([{ fromMs: 14_000, toMs: 16_000 }]);
  });

  it('goes where the name points once its resolver has asked again', () => {
    // Asked at 12 s, when the name had not moved yet: the answer is kept for its TTL, to 42 s.
    const changes = [output(10_000, 'refuses'), moved(13_000)];
    expect(lost(changes)).toEqual([{ fromMs: 14_000, toMs: 42_000 }]);
    // A name that moves before the first try is found at once.
    expect(lost([output(10_000, 'refuses'), moved(11_000)])).toEqual([]);
  });

  it('with a resolver that keeps answers for longer waits for that', () => {
    const changes = [output(10_000, 'refuses'), moved(13_000)];
    expect(lost(changes, { ...PLAIN, ttlMs: 300_000 })).toEqual([{ fromMs: 14_000, toMs: 312_000 }]);
  });

  it('leaves a server that hangs when its patience is over', () => {
    expect(lost([output(10_000, 'hangs'), moved(14_000)])).toEqual([{ fromMs: 14_000, toMs: 22_000 }]);
  });

  it('whose player never asks again stays with its server until it is back, or until it tunes in anew', () => {
    const sticky = { ...PLAIN, isSticky: true };
    const changes = [output(10_000, 'refuses'), moved(13_000), output(500_000, 'sound')];
    expect(lost(changes, sticky)).toEqual([{ fromMs: 14_000, toMs: 500_000 }]);
    const [outage] = lost(changes, sticky, { ...MODEL, sessionMs: 30_000 });
    expect(outage?.toMs).toBeLessThan(500_000);
  });

  it('who is sent back to the name by an ended connection plays on out of the buffer', () => {
    const changes: Change[] = [
      output(10_000, 'silent'),
      moved(30_000),
      { atMs: 90_000, what: 'ended', server: LONDON },
    ];
    expect(lost(changes)).toEqual([{ fromMs: 10_000, toMs: 90_000 }]);
  });

  it('of a cast behaves as the shares say', () => {
    const cast = castPlayers(
      100,
      { ...MODEL, clampedShare: 0.15, clampMs: 300_000, stickyShare: 0.08 },
      seeded(3),
    );
    expect(cast.filter(({ isSticky }) => isSticky)).toHaveLength(8);
    expect(cast.filter(({ ttlMs }) => ttlMs === 300_000)).toHaveLength(15);
  });
});
