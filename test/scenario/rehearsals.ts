import type { WorldFault } from '../../src/simulate/faults.ts';
import { DUBLIN, LONDON } from '../../src/simulate/station.ts';
import { BOTH, BY_NAME, COMES_BACK, type HousePolicy, Rehearsal, STAYS } from './rehearsal.ts';

/** What the tour measures, or `measured-times`, worked out in the simulated house. In ms, by the name of the figure. */
export type Figures = Readonly<Record<string, number>>;

export interface Scenario {
  readonly id: string;
  run(phaseMs: number): Figures;
}

const TOUR: HousePolicy = { holdDownMs: 1_000, holdDownMaxMs: 5_000 };
const TIMES: HousePolicy = { holdDownMs: 10_000, holdDownMaxMs: 40_000 };

const listeners = (house: Rehearsal, fromMs: number): Figures =>
  Object.fromEntries(
    BOTH.map((home) => [`a listener of ${home} | dead air`, house.deadAirMs(fromMs, { home, ...STAYS })]),
  );

const silence: Scenario = {
  id: 'silence',
  run(phaseMs) {
    const house = new Rehearsal(TOUR, phaseMs);
    const fromMs = house.nowMs;
    const repairs = [house.mute('primary'), house.mute('secondary')];
    house.airs('autodj');
    house.wait(9_000);
    for (const repair of repairs) repair();
    house.airs('primary');
    house.wait(6_000);
    return listeners(house, fromMs);
  },
};

const killed: Scenario = {
  id: 'encoder-killed',
  run(phaseMs) {
    const house = new Rehearsal(TOUR, phaseMs);
    const fromMs = house.nowMs;
    const repair = house.breaks({ what: 'source', source: 'primary', is: 'gone', on: 'all' });
    house.airs('secondary');
    house.wait(8_000);
    repair();
    house.airs('primary');
    house.wait(6_000);
    return listeners(house, fromMs);
  },
};

const stalled: Scenario = {
  id: 'encoder-stalled',
  run(phaseMs) {
    const house = new Rehearsal(TOUR, phaseMs);
    const fromMs = house.nowMs;
    const repair = house.breaks({ what: 'source', source: 'primary', is: 'stalled', on: 'all' });
    const foundMs = house.airs('secondary');
    house.wait(5_000);
    repair();
    house.airs('primary');
    house.wait(6_000);
    return { ...listeners(house, fromMs), 'both servers | until the stall was found': foundMs };
  },
};

const serverKilled: Scenario = {
  id: 'server-killed',
  run(phaseMs) {
    const house = new Rehearsal(TOUR, phaseMs);
    const fromMs = house.nowMs;
    const repair = house.breaks({ what: 'server', server: LONDON, is: 'dead' });
    house.wait(5_000);
    repair();
    house.airs('primary');
    house.wait(8_000);
    return {
      'a listener of dublin | dead air': house.deadAirMs(fromMs, { home: DUBLIN, ...STAYS }),
      'a listener of london | dead air': house.deadAirMs(fromMs, COMES_BACK),
    };
  },
};

const agentKilled: Scenario = {
  id: 'agent-killed',
  run(phaseMs) {
    const house = new Rehearsal(TOUR, phaseMs);
    const fromMs = house.nowMs;
    const repair = house.breaks({ what: 'agent', server: LONDON, is: 'dead' });
    house.until(() => house.role(LONDON, DUBLIN) === 'deputy');
    const lostMs = house.deadAirMs(fromMs, { home: LONDON, ...STAYS });
    const mutedMs = house.nowMs;
    const unmute = house.mute('primary');
    house.airs('secondary', LONDON, DUBLIN);
    house.wait(4_000);
    repair();
    house.wait(6_000);
    unmute();
    house.airs('primary');
    house.wait(6_000);
    return {
      'a listener of london | dead air by the loss of the agent': lostMs,
      'a listener of london | dead air, with the deputy at work': house.deadAirMs(mutedMs, {
        home: LONDON,
        ...STAYS,
      }),
    };
  },
};

function relayed(id: string, is: 'gone' | 'stalled' | 'silent', lastsMs: number): Scenario {
  return {
    id,
    run(phaseMs) {
      const house = new Rehearsal({ ...TOUR, mode: 'relay' }, phaseMs);
      const fromMs = house.nowMs;
      const repair = house.breaks({ what: 'source', source: 'primary', is, on: 'all' });
      house.hears('secondary');
      house.wait(lastsMs);
      repair();
      house.hears('primary');
      house.wait(12_000);
      return listeners(house, fromMs);
    },
  };
}

const relayAgentKilled: Scenario = {
  id: 'relay-agent-killed',
  run(phaseMs) {
    const house = new Rehearsal({ ...TOUR, mode: 'relay' }, phaseMs);
    const fromMs = house.nowMs;
    const repair = house.breaks({ what: 'agent', server: LONDON, is: 'dead' });
    house.wait(10_000);
    repair();
    house.wait(30_000);
    return {
      'a listener of london | dead air, by Icecast carrying listeners to /primary and back': house.deadAirMs(
        fromMs,
        {
          home: LONDON,
          ...STAYS,
        },
      ),
      'a listener of dublin | dead air': house.deadAirMs(fromMs, { home: DUBLIN, ...STAYS }),
    };
  },
};

/** One after the other in the same house, since the second time the hold-down makes the return later. */
function named(phaseMs: number): Record<string, Figures> {
  const house = new Rehearsal(TOUR, phaseMs);
  const lost = (fault: WorldFault): Figures => {
    const fromMs = house.nowMs;
    const repair = house.breaks(fault);
    const movedMs = house.names(DUBLIN);
    house.wait(12_000);
    repair();
    const backMs = house.names(LONDON);
    house.wait(2_000);
    return {
      'the authority of the zone | until it answers with dublin': movedMs,
      'a listener who came by name | dead air': house.deadAirMs(fromMs, BY_NAME),
      'the authority of the zone | until it answers with london again, from the repair on': backMs,
    };
  };
  const machine = lost({ what: 'machine', server: LONDON });
  house.wait(15_000);
  return { 'machine-killed': machine, 'icecast-hangs': lost({ what: 'server', server: LONDON, is: 'hung' }) };
}

/** The scenarios of `npm run demo -- --tour`. */
export const tourRehearsals: readonly Scenario[] = [
  silence,
  killed,
  stalled,
  serverKilled,
  agentKilled,
  relayed('relay-silence', 'silent', 30_000),
  relayed('relay-encoder-killed', 'gone', 10_000),
  relayed('relay-encoder-stalled', 'stalled', 10_000),
  relayAgentKilled,
  { id: 'machine-killed', run: (phaseMs) => named(phaseMs)['machine-killed'] ?? {} },
  { id: 'icecast-hangs', run: (phaseMs) => named(phaseMs)['icecast-hangs'] ?? {} },
];

/** A wait that ends in another phase of the looks each time, as what came before it may be bound to them. */
const anyPhase = (phaseMs: number) => phaseMs % 500;

/** Switches and returns with their hold-down: the first test of `measured-times`. */
export function switchTimes(phaseMs: number): Figures {
  const figures: Record<string, number> = {};
  const house = new Rehearsal(TIMES, phaseMs);
  const both = [house.mute('primary'), house.mute('secondary')];
  figures['both silent: until the AutoDJ'] = house.airs('autodj');
  house.wait(5_000);
  for (const repair of both) repair();
  figures['both silent: until the return'] = house.airs('primary');

  house.wait(10_000 + anyPhase(phaseMs));
  const start = house.breaks({ what: 'source', source: 'primary', is: 'gone', on: 'all' });
  figures['encoder killed: until the second'] = house.airs('secondary');
  house.wait(5_000);
  start();
  figures['encoder killed: until the return'] = house.airs('primary');

  house.wait(10_000 + anyPhase(phaseMs));
  const unmuteFirst = house.mute('primary');
  figures['third failure: until the second'] = house.airs('secondary');
  const unmuteSecond = house.mute('secondary');
  figures['second silent too: until the AutoDJ'] = house.airs('autodj');
  house.wait(3_000);
  unmuteFirst();
  figures['third failure: until the return'] = house.airs('primary');
  unmuteSecond();

  house.wait(15_000 + anyPhase(phaseMs));
  house.breaks({ what: 'agent', server: LONDON, is: 'dead' });
  figures['agent killed: until the deputy'] = house.until(() => house.role(LONDON, DUBLIN) === 'deputy');
  return figures;
}

/** A name whose server dies, and dies again: the second test of `measured-times`. */
export function nameTimes(phaseMs: number): Figures {
  const figures: Record<string, number> = {};
  const house = new Rehearsal(TIMES, phaseMs);
  for (const which of ['first', 'second'] as const) {
    const restart = house.breaks({ what: 'server', server: LONDON, is: 'dead' });
    figures[`Icecast killed, ${which}: until the name moves`] = house.names(DUBLIN);
    house.wait(8_000);
    restart();
    figures[`Icecast killed, ${which}: until the name is back`] = house.names(LONDON);
    house.wait(5_000 + anyPhase(phaseMs));
  }
  return figures;
}
