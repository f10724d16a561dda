import { describe, expect, test } from 'vitest';
import { core } from './core.ts';
import { type Fault, Simulation, type Timed } from './simulation.ts';

const FROM_MS = 60_000;
const UNTIL_MS = 180_000;

/** Two agents, and a silence that both know of: told at its beginning, as the wiring does. */
function withSilence(faults: readonly Timed[], untilMs: number, plannedUntilMs = UNTIL_MS): Simulation {
  const simulation = new Simulation(core, 7).run(FROM_MS, faults);
  for (const agent of simulation.agents.values())
    agent.feed({
      kind: 'planned-silence',
      atMs: FROM_MS,
      fromMs: FROM_MS,
      untilMs: plannedUntilMs,
      says: 'two minutes',
    });
  return simulation.run(
    untilMs,
    faults.filter(({ atMs }) => atMs >= FROM_MS),
  );
}

const at = (atMs: number, fault: Fault): Timed => ({ atMs, fault });
const all = (what: 'mute' | 'unmute'): Fault[] =>
  ['primary', 'secondary'].map((source) => ({ do: what, source, on: 'both' }));
const told = (simulation: Simulation, kind: string, fromMs = FROM_MS) =>
  simulation.told.filter(({ event }) => event.kind === kind && event.atMs >= fromMs);

describe('while a silence is planned', () => {
  const quiet = all('mute').map((fault) => at(FROM_MS + 1000, fault));
  const sound = (atMs: number) => all('unmute').map((fault) => at(atMs, fault));

  test('silence switches nothing, alerts nobody, and is over without a trace', () => {
    const simulation = withSilence([...quiet, ...sound(UNTIL_MS - 500)], 240_000);
    expect(told(simulation, 'switched')).toEqual([]);
    expect(told(simulation, 'alert-opened')).toEqual([]);
    expect(told(simulation, 'leg-changed')).toEqual([]);
  });

  test('an encoder that dies does not bring the AutoDJ into it', () => {
    const died: Fault = { do: 'kill', source: 'primary', on: 'both' };
    const simulation = withSilence([...quiet, at(FROM_MS + 30_000, died)], UNTIL_MS - 1);
    expect(told(simulation, 'switched')).toEqual([]);
    expect(told(simulation, 'alert-opened')).toEqual([]);
    // When it is over the dead source is left at once.
    simulation.run(UNTIL_MS + 2000);
    expect(told(simulation, 'switched').map(({ event }) => event)).toMatchObject([
      { to: 'autodj' },
      { to: 'autodj' },
    ]);
  });
});

describe('when a planned silence is over', () => {
  test('what is still silent has its whole trip delay from then on, and no more', () => {
    const quiet = all('mute').map((fault) => at(FROM_MS + 1000, fault));
    const simulation = withSilence(quiet, UNTIL_MS + 20_000);
    const [first] = told(simulation, 'switched');
    expect(first?.event.atMs).toBeGreaterThanOrEqual(UNTIL_MS + 5000);
    expect(first?.event.atMs).toBeLessThan(UNTIL_MS + 8000);
  });

  test('a source that was silent before it was planned has not become good by it', () => {
    const before: Fault = { do: 'mute', source: 'primary', on: 'both' };
    const simulation = withSilence([at(20_000, before)], UNTIL_MS + 60_000);
    expect(told(simulation, 'switched')).toEqual([]);
    expect(simulation.agents.get('london' as never)?.state.desks.get('london' as never)?.onAir).toBe(
      'secondary',
    );
  });
});
