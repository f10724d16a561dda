import { describe, expect, test } from 'vitest';
import { requiredHealthMs } from '../../../src/decide/desk.ts';
import { newState, noMemory } from '../../../src/decide/state.ts';
import { step } from '../../../src/decide/step.ts';
import type { LegId } from '../../../src/domain/ids.ts';
import type { Input } from '../../../src/domain/inputs.ts';
import { LONDON, POLICY, PRIMARY, SECONDARY } from './builders.ts';

const RELAY = { ...POLICY, mode: 'relay' as const };
const legOf = (source: string): LegId => {
  const leg = RELAY.legs.find((one) => one.server === LONDON && one.source === source);
  if (leg === undefined) throw new Error(`no leg of ${source}`);
  return leg.id;
};
const onAir = (
  atMs: number,
  source: string | null,
  trigger: (Input & { kind: 'on-air' })['trigger'],
): Input => ({
  kind: 'on-air',
  atMs,
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
      onAir(9000, SECONDARY, 'fault'),
      { kind: 'tick', atMs: 9100 },
    ]);
    expect(desk?.onAir).toBe(SECONDARY);
    expect(commands).toEqual([]);
    expect(events).not.toContain('switched');
  });

  test('each failure on the air makes the next return wait longer', () => {
    const policyMs = RELAY.silence.restoreMs;
    const requiredAfter = (inputs: readonly Input[]) => {
      const { desk } = stepped(inputs);
      return desk === undefined ? Number.NaN : requiredHealthMs(desk, PRIMARY, 20_000, RELAY);
    };
    const once = [onAir(1000, PRIMARY, 'start'), onAir(9000, SECONDARY, 'fault')];
    expect(requiredAfter(once)).toBe(policyMs);
    expect(
      requiredAfter([...once, onAir(12_000, PRIMARY, 'return'), onAir(15_000, SECONDARY, 'fault')]),
    ).toBe(policyMs + RELAY.flap.holdDownMs);
  });

  test('that nothing is audible is told once the relay has played, and not before', () => {
    const up: Input = {
      kind: 'look',
      atMs: 500,
      server: LONDON,
      look: { ok: true, startedAtMs: 490, atMs: 500, mounts: [], presences: [] },
    };
    expect(stepped([up, { kind: 'tick', atMs: 600 }]).events).not.toContain('nothing-audible');
    expect(stepped([up, onAir(1000, PRIMARY, 'start'), onAir(2000, null, 'fault')]).events).toContain(
      'nothing-audible',
    );
  });

  test('a stop moves nobody', () => {
    expect(stepped([onAir(1000, SECONDARY, 'start'), { kind: 'stop', atMs: 2000 }]).commands).toEqual([]);
  });
});
