import type { House, HouseServer } from './house.ts';
import { deadAirMsIn, type HeardReport, waitUntil } from './rig/index.ts';
import { deadAir, dropped, listenOnBoth, type Scenario, turnOff, wait, waitForOnAir } from './scenarios.ts';
import type { Measured } from './table.ts';

/** A fault must not be heard at all; this much is what the shortest step of the analysis can't tell from a quiet bar. */
const NOT_HEARD_MS = 50;
const BOTH = ['london', 'dublin'] as const;

/** Until everything that was decided has also been played: the relay runs some eight seconds behind. */
const PLAYED_MS = 12_000;

async function waitOnBoth(house: House, source: string, timeoutMs: number): Promise<void> {
  await Promise.all(BOTH.map((server) => waitForOnAir(house, server, source, timeoutMs)));
}

function notHeard(heard: Record<HouseServer, HeardReport>): Measured[] {
  return BOTH.flatMap((server) => [
    deadAir(heard[server], server, NOT_HEARD_MS),
    dropped(heard[server], server),
  ]);
}

/** Breaks, waits until the second encoder is on air, repairs, and waits until the first one is heard again. */
function hidden(
  id: string,
  broken: string,
  breakIt: (house: House) => Promise<void>,
  repair: (house: House) => Promise<void>,
  lastsMs: number,
): Scenario {
  return {
    id,
    broken,
    mode: 'relay',
    async run(house) {
      const listeners = await listenOnBoth(house);
      await breakIt(house);
      const fromMs = performance.now();
      await waitOnBoth(house, 'secondary', 60_000);
      await wait(Math.max(0, lastsMs - (performance.now() - fromMs)));
      await repair(house);
      await waitOnBoth(house, 'primary', 60_000);
      await wait(PLAYED_MS);
      return notHeard(await turnOff(listeners));
    },
  };
}

const agentKilled: Scenario = {
  id: 'relay-agent-killed',
  broken: 'relay: the agent of london is killed (kill -9) and started again 10 s later',
  mode: 'relay',
  async run(house) {
    const listeners = await listenOnBoth(house);
    const killedAtMs = performance.now();
    await house.agents.london.kill();
    await wait(10_000);
    await house.agents.london.start();
    await waitUntil('london feeds its public mount', 60_000, async () => {
      const { stations } = await house.agents.london.state();
      return stations[0]?.relay?.outputs.every(({ state }) => state === 'feeding') === true;
    });
    await wait(PLAYED_MS);
    const heard = await turnOff(listeners);
    return [
      {
        where: 'a listener of london',
        what: 'dead air, by Icecast carrying listeners to /primary and back',
        measuredMs: Math.round(deadAirMsIn(heard.london, { fromMs: killedAtMs })),
        boundMs: 500,
      },
      dropped(heard.london, 'london'),
      deadAir(heard.dublin, 'dublin', NOT_HEARD_MS),
    ];
  },
};

/** What a listener of `/stream` hears, where guard mode would have let the fault through. */
export const relayScenarios: readonly Scenario[] = [
  hidden(
    'relay-silence',
    'relay: encoder 1 sends digital silence for 30 s',
    async (house) => void house.encoder1.programme.mute(),
    async (house) => void house.encoder1.programme.unmute(),
    30_000,
  ),
  hidden(
    'relay-encoder-killed',
    'relay: encoder 1 is killed (kill -9) and started again',
    (house) => house.encoder1.kill(),
    (house) => house.encoder1.start(),
    10_000,
  ),
  hidden(
    'relay-encoder-stalled',
    'relay: encoder 1 stalls with its socket open (SIGSTOP)',
    async (house) => house.encoder1.pause(),
    async (house) => house.encoder1.resume(),
    10_000,
  ),
  agentKilled,
];
