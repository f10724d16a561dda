import { describe, expect, test } from 'vitest';
import { afterOnAir, requiredLegHealthMs } from '../../../src/decide/relapse.ts';
import { newState, noMemory, updateLeg } from '../../../src/decide/state.ts';
import { step } from '../../../src/decide/step.ts';
import type { LegId, ServerName } from '../../../src/domain/ids.ts';
import type { Input } from '../../../src/domain/inputs.ts';
import { AUTODJ, DUBLIN, LONDON, POLICY, PRIMARY, SECONDARY } from './builders.ts';

const RELAY = { ...POLICY, mode: 'relay' as const };
const legOf = (source: string, server: ServerName = LONDON): LegId => {
  const leg = RELAY.legs.find((one) => one.server === server && one.source === source);
  if (leg === undefined) throw new Error(`no leg of ${source}`);
  return leg.id;
};
const onAir = (
  atMs: number,
  source: string | null,
  trigger: (Input & { kind: 'on-air' })['trigger'],
  from: string | null = null,
): Input & { kind: 'on-air' } => ({
  kind: 'on-air',
  atMs,
  from: from === null ? null : legOf(from),
  leg: source === null ? null : legOf(source),
  trigger,
});

function stepped(inputs: readonly Input[]) {
  let state = newState(RELAY, noMemory, 0);
  const commands: string[] = [];
  const events: string[] = [];
  for (const input of inputs) {
    const next = step(state, input, RELAY);
    state = next.state;
    commands.push(...next.commands.map(({ kind }) => kind));
    events.push(...next.events.map((event) => (event.kind === 'alert-opened' ? event.code : event.kind)));
  }
  return { state, commands, events, desk: state.desks.get(LONDON) };
}

describe('in relay mode', () => {
  test('what is on air is what the relay says, and nobody is moved for it', () => {
    const { desk, commands, events } = stepped([
      onAir(1000, PRIMARY, 'start'),
      onAir(9000, SECONDARY, 'fault', PRIMARY),
      { kind: 'tick', atMs: 9100 },
    ]);
    expect(desk?.onAir).toBe(SECONDARY);
    expect(commands).toEqual([]);
    expect(events).not.toContain('switched');
  });

  test('each failure on the air makes the next return wait longer', () => {
    const restoreMs = RELAY.silence.restoreMs;
    const requiredAfter = (inputs: readonly Input[]) =>
      requiredLegHealthMs(stepped(inputs).state, legOf(PRIMARY), 20_000, RELAY);
    const once = [onAir(1000, PRIMARY, 'start'), onAir(9000, SECONDARY, 'fault', PRIMARY)];
    expect(requiredAfter(once)).toBe(restoreMs);
    const twice = [...once, onAir(12_000, PRIMARY, 'return'), onAir(15_000, SECONDARY, 'fault', PRIMARY)];
    expect(requiredAfter(twice)).toBe(restoreMs + RELAY.flap.holdDownMs);
  });

  /** The primary of another server, which has failed once before, is left a second time. */
  function relapsed(options: { readonly londonFailsAtMs: number | null; readonly to?: LegId }) {
    const { londonFailsAtMs, to = legOf(AUTODJ) } = options;
    const dublin = legOf(PRIMARY, DUBLIN);
    let state = newState(RELAY, noMemory, 0);
    for (const atMs of [10_000, 50_000]) {
      const failed = (id: LegId, failedAtMs: number) => {
        // It has come back meanwhile, as the fault is left when it is about to be played.
        state = updateLeg(state, id, (leg) => ({ ...leg, failedAtMs }));
      };
      failed(dublin, atMs - 5_000);
      if (londonFailsAtMs !== null) failed(legOf(PRIMARY), atMs - 10_000 + londonFailsAtMs);
      state = afterOnAir(state, { ...onAir(atMs, null, 'fault'), from: dublin, leg: to }, RELAY);
    }
    const addedTo = (leg: LegId) => requiredLegHealthMs(state, leg, 51_000, RELAY) - RELAY.silence.restoreMs;
    return { dublin: addedTo(dublin), london: addedTo(legOf(PRIMARY)) };
  }

  test('a relapse counts against the leg that was left, and not against its namesake that is well', () => {
    expect(relapsed({ londonFailsAtMs: null })).toEqual({ dublin: RELAY.flap.holdDownMs, london: 0 });
  });

  test('a relapse counts on every server where the source failed with it', () => {
    expect(relapsed({ londonFailsAtMs: 5_000 })).toEqual({
      dublin: RELAY.flap.holdDownMs,
      london: RELAY.flap.holdDownMs,
    });
  });

  test('one failure counts once, also when another leg of the source was tried meanwhile', () => {
    let state = newState(RELAY, noMemory, 0);
    for (const id of [legOf(PRIMARY), legOf(PRIMARY, DUBLIN)])
      state = updateLeg(state, id, (leg) => ({ ...leg, failedAtMs: 5_000 }));
    const tried: Input & { kind: 'on-air' } = {
      ...onAir(10_000, null, 'fault', PRIMARY),
      leg: legOf(PRIMARY, DUBLIN),
    };
    state = afterOnAir(state, tried, RELAY);
    state = afterOnAir(state, { ...tried, atMs: 10_500, from: tried.leg, leg: legOf(AUTODJ) }, RELAY);
    expect(requiredLegHealthMs(state, legOf(PRIMARY), 11_000, RELAY)).toBe(RELAY.silence.restoreMs);
  });

  test('a connection of ours that was renewed is no failure of its leg', () => {
    const renewed = relapsed({ londonFailsAtMs: null, to: legOf(PRIMARY, DUBLIN) });
    expect(renewed).toEqual({ dublin: 0, london: 0 });
  });

  test('that nothing is audible is told once the relay has played, and not before', () => {
    const up: Input = {
      kind: 'look',
      atMs: 500,
      server: LONDON,
      look: { ok: true, startedAtMs: 490, atMs: 500, mounts: [], presences: [] },
    };
    expect(stepped([up, { kind: 'tick', atMs: 600 }]).events).not.toContain('nothing-audible');
    expect(
      stepped([up, onAir(1000, PRIMARY, 'start'), onAir(2000, null, 'fault', PRIMARY)]).events,
    ).toContain('nothing-audible');
  });

  test('a stop moves nobody', () => {
    expect(stepped([onAir(1000, SECONDARY, 'start'), { kind: 'stop', atMs: 2000 }]).commands).toEqual([]);
  });
});
