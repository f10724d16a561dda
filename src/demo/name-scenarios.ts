import type { AgentProcess } from './agent-process.ts';
import type { House, HouseServer } from './house.ts';
import { deadAirMsIn, type NameWatch, waitUntil } from './rig/index.ts';
import { type Scenario, wait } from './scenarios.ts';
import type { Measured } from './table.ts';

/** From the fault to the answer of the authority. */
const MOVED_WITHIN_MS = 15_000;
/** With the TTL, the player's own patience, and its buffer anew. */
const HEARD_WITHIN_MS = 25_000;
/** The restore delay of the tour, and what it takes to find the server well. */
const BACK_WITHIN_MS = 40_000;

function nameOf(house: House): NameWatch {
  if (house.name === null) throw new Error('this house has no DNS');
  return house.name;
}

const addressOf = (house: House, server: HouseServer) => house.servers[server].admin.host;

/** Whether each of these agents finds every server well. */
export async function areAllWell(agents: readonly AgentProcess[]): Promise<boolean> {
  const views = await Promise.all(agents.map((agent) => agent.state()));
  return views.every(({ dns }) => dns?.servers.every(({ verdict }) => verdict === 'well') === true);
}

export async function waitForName(house: House, server: HouseServer, timeoutMs: number): Promise<number> {
  const name = nameOf(house);
  await waitUntil(
    `the name points to ${server}`,
    timeoutMs,
    () => name.current() === addressOf(house, server),
  );
  return name.answers.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
}

/** Breaks the whole of london, mends it when the name has gone, and waits until the name is back. */
function serverLost(
  id: string,
  broken: string,
  breakIt: (house: House) => Promise<void>,
  repair: (house: House) => Promise<void>,
): Scenario {
  return {
    id,
    mode: 'dns',
    broken,
    async run(house) {
      await waitForName(house, 'london', 60_000);
      // A server that was not yet agreed to be well is no place to send anybody.
      await waitUntil('every server is well', 60_000, () => areAllWell(Object.values(house.agents)));
      const listener = await house.listenByName();
      await wait(4_000);
      const brokeMs = performance.now();
      await breakIt(house);
      const movedMs = await waitForName(house, 'dublin', 30_000);
      // Until the player has found its way, and its buffer is as full as before.
      await wait(12_000);
      const mendedMs = performance.now();
      await repair(house);
      const backMs = await waitForName(house, 'london', 120_000);
      await wait(2_000);
      const heard = await listener.stop();
      const moves = nameOf(house).answers.filter(({ atMs }) => atMs > brokeMs).length;
      const findings: Measured[] = [
        {
          where: 'the authority of the zone',
          what: 'until it answers with dublin',
          measuredMs: Math.round(movedMs - brokeMs),
          boundMs: MOVED_WITHIN_MS,
        },
        {
          where: 'a listener who came by name',
          what: 'dead air',
          measuredMs: Math.round(deadAirMsIn(heard, { fromMs: brokeMs })),
          boundMs: HEARD_WITHIN_MS,
        },
        {
          where: 'the authority of the zone',
          what: 'until it answers with london again, from the repair on',
          measuredMs: Math.round(backMs - mendedMs),
          boundMs: BACK_WITHIN_MS,
        },
        {
          where: 'the authority of the zone',
          what: 'changes of the answer',
          measuredMs: moves,
          boundMs: 2,
          unit: 'times',
        },
      ];
      return findings;
    },
  };
}

/** With the machine all of it is gone: the Icecast and the agent beside it. */
const machineKilled = serverLost(
  'machine-killed',
  'the whole machine of london dies: its Icecast and its agent (kill -9)',
  async (house) => {
    await Promise.all([house.servers.london.kill(), house.agents.london.kill()]);
  },
  async (house) => {
    await house.servers.london.restart();
    await house.agents.london.start();
  },
);

const icecastHangs = serverLost(
  'icecast-hangs',
  'Icecast of london hangs: it takes connections and gives nothing (SIGSTOP)',
  (house) => Promise.resolve(house.servers.london.pause()),
  (house) => Promise.resolve(house.servers.london.resume()),
);

export const nameScenarios: readonly Scenario[] = [machineKilled, icecastHangs];
