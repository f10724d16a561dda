import { describe, expect, test } from 'vitest';
import { alertsOf } from '../../../src/decide/alerts.ts';
import {
  chainDiffersSince,
  newServer,
  type ServerState,
  withServerLook,
} from '../../../src/decide/server.ts';
import { newState, noMemory } from '../../../src/decide/state.ts';
import { step } from '../../../src/decide/step.ts';
import { type ChainSign, processingFingerprint } from '../../../src/domain/chain-sign.ts';
import { monitorId } from '../../../src/domain/ids.ts';
import type { StationPolicy } from '../../../src/domain/policy.ts';
import {
  PROCESSING_PARAMETERS,
  type ProcessingValues,
  resolveProcessing,
} from '../../../src/domain/processing.ts';
import { parseUserAgent, userAgentOf } from '../../../src/icecast/user-agent.ts';
import { DUBLIN, deskWith, goodLook, LONDON, MYFM, policyWith } from './builders.ts';

const OURS = resolveProcessing({
  preset: 'music',
  changes: {},
  loudnessLufs: null,
  ceilingDbtp: null,
  lowestBitrateKbps: null,
});
const signOf = (values: ProcessingValues, shown = true): ChainSign => ({
  station: MYFM,
  fingerprint: processingFingerprint(values),
  values: shown ? values : null,
});
const POLICY: StationPolicy = { ...policyWith({}), processing: OURS };

/** Dublin's agent as it shows itself in looks, each at its time. */
function dublin(...looks: readonly (readonly [atMs: number, chains: readonly ChainSign[]])[]): ServerState {
  return looks.reduce(
    (state, [atMs, chains]) =>
      withServerLook(
        state,
        goodLook(
          atMs,
          [],
          [{ agent: DUBLIN, connectedSeconds: 1, ...(chains.length > 0 ? { chains } : {}) }],
        ),
        MYFM,
      ),
    newServer(DUBLIN, POLICY, 0),
  );
}

const A_MINUTE_AGO_MS = -60_000;

/** What is told when that has been so for a minute. */
function alertsAt(nowMs: number, server: ServerState, policy = POLICY) {
  const chainDiffersSinceMs = chainDiffersSince(
    { ...server, chainDiffersSinceMs: A_MINUTE_AGO_MS },
    nowMs,
    policy,
  );
  const differing = { ...server, chainDiffersSinceMs };
  return alertsOf(differing, { ...deskWith(), server: DUBLIN }, [], nowMs, policy).filter(
    ({ code }) => code === 'processing-differs',
  );
}

/** What is told of Dublin's agent, second by second, with the chains that it shows and that are ours from then on. */
function toldOver(
  seconds: number,
  chains: readonly (readonly [fromS: number, ours: ProcessingValues, theirs: ProcessingValues])[],
): readonly string[] {
  let state = newState(POLICY, noMemory, 0);
  const told: string[] = [];
  for (let second = 1; second <= seconds; second += 1) {
    const [, ours, theirs] = chains.findLast(([fromS]) => fromS <= second) ?? [0, OURS, OURS];
    const presence = { agent: DUBLIN, connectedSeconds: 1, chains: [signOf(theirs)] };
    const look = goodLook(second * 1000, [], [presence]);
    const next = step(
      state,
      { kind: 'look', atMs: second * 1000, server: DUBLIN, look },
      { ...POLICY, processing: ours },
    );
    state = next.state;
    for (const event of next.events)
      if (event.kind === 'alert-opened' || event.kind === 'alert-closed')
        told.push(`${second} ${event.kind} ${event.code}`);
  }
  return told.filter((one) => one.endsWith('processing-differs'));
}

describe('the chains of two agents', () => {
  test('are the same: there is nothing to tell', () => {
    expect(alertsAt(1_000, dublin([500, [signOf(OURS)]]))).toEqual([]);
  });

  test('differ: the alert names the parameters, with both values', () => {
    const theirs = { ...OURS, 'leveller.speed': 2_000, 'compressor.on': 0 };
    const [alert] = alertsAt(1_000, dublin([500, [signOf(theirs)]]));
    expect(alert?.subject).toBe(DUBLIN);
    expect(alert?.detail).toContain(
      'leveller.speed is 1200ms here and 2s there, compressor.on is on here and off there',
    );
    expect(alert?.detail).toContain(processingFingerprint(theirs));
  });

  test.each(PROCESSING_PARAMETERS.map(({ key }) => key))(
    'a difference in %s alone is found and named',
    (key) => {
      const theirs = { ...OURS, [key]: (OURS[key] ?? 0) + 0.5 };
      expect(alertsAt(1_000, dublin([500, [signOf(theirs)]]))[0]?.detail).toContain(key);
    },
  );

  test('differ in much: the first are named and the rest is counted', () => {
    const theirs = Object.fromEntries(Object.entries(OURS).map(([key, value]) => [key, value + 1]));
    expect(alertsAt(1_000, dublin([500, [signOf(theirs)]]))[0]?.detail).toContain('55 more differ');
  });

  test('differ, and the other does not say in what: it is waited for, and then told all the same', () => {
    const silent = signOf({ ...OURS, ceiling: -2 }, false);
    const server = dublin([500, [silent]], [15_000, [silent]]);
    expect(alertsAt(15_100, server)).toEqual([]);
    expect(alertsAt(25_000, server)[0]?.detail).toContain('does not show which');
  });

  test('are no matter when the other agent is gone', () => {
    expect(alertsAt(60_000, dublin([500, [signOf({ ...OURS, ceiling: -2 })]]))).toEqual([]);
  });

  test('one has none: that is a difference as well', () => {
    expect(alertsAt(1_000, dublin([500, []]))[0]?.detail).toContain('this agent processes the sound');
    const without = { ...POLICY, processing: null };
    expect(alertsAt(1_000, dublin([500, [signOf(OURS)]]), without)[0]?.detail).toContain(
      'beside dublin processes',
    );
    expect(alertsAt(1_000, dublin([500, []]), without)).toEqual([]);
  });
});

describe('a chain that is turned on one server after the other', () => {
  const LOUD = { ...OURS, ceiling: -2 };

  test('by two reloads within a minute is told to nobody', () => {
    expect(
      toldOver(120, [
        [0, OURS, OURS],
        [10, LOUD, OURS],
        [60, LOUD, LOUD],
      ]),
    ).toEqual([]);
  });

  test('on one only is told a minute later, until the other follows', () => {
    expect(
      toldOver(120, [
        [0, OURS, OURS],
        [10, LOUD, OURS],
        [90, LOUD, LOUD],
      ]),
    ).toEqual(['70 alert-opened processing-differs', '90 alert-closed processing-differs']);
  });
});

describe('what a presence shows of its chains', () => {
  const presence = (chains: readonly ChainSign[]) =>
    userAgentOf({ role: 'presence', agent: LONDON, id: monitorId('ab12'), chains });

  test('comes back as it was shown, with and without values', () => {
    for (const sign of [signOf(OURS), signOf(OURS, false)])
      expect(parseUserAgent(presence([sign]))?.chains).toEqual([sign]);
  });

  test('never makes a request that Icecast would not take, however many stations there are', () => {
    const many = Array.from({ length: 40 }, () => signOf({ ...OURS, 'band1.gain': -12.345_678_9 }));
    expect(presence(many).length).toBeLessThan(3_000);
    expect(parseUserAgent(presence(many))?.chains?.length).toBe(40);
  });

  test.each(['chain=myfm', 'chain=myfm:xyz', 'chain=:0123456789ab', 'values=myfm:1,2'])(
    'is left alone where it is spoilt: %s',
    (part) => {
      const client = parseUserAgent(`Sustain/9 (presence; agent=london; id=ab; ${part})`);
      expect(client?.agent).toBe(LONDON);
      expect(client?.chains).toBeUndefined();
    },
  );

  test('of a version with other parameters is a fingerprint without values', () => {
    const told = presence([signOf(OURS)]).replace(/values=myfm:[^,]*,/, 'values=myfm:');
    expect(parseUserAgent(told)?.chains?.[0]?.values).toBeNull();
  });
});
