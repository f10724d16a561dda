import { type House, type HouseOptions, type HouseServer, startHouse } from '../../src/demo/house.ts';
import type { AgentView, LegView } from '../../src/domain/view.ts';

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A house of its own for what happens: several may stand at once, and each goes with what happened in it. */
export async function inHouse<T>(options: HouseOptions, happens: (house: House) => Promise<T>): Promise<T> {
  const house = await startHouse(options);
  try {
    return await happens(house);
  } finally {
    await house.stop();
  }
}

export async function stateOf(house: House, agent: HouseServer): Promise<AgentView> {
  return house.agents[agent].state();
}

/** How the agent beside `server` sees one of its own legs. */
export async function legOf(house: House, server: HouseServer, source: string): Promise<LegView> {
  const { stations } = await stateOf(house, server);
  const leg = stations[0]?.servers
    .find((view) => view.server === server)
    ?.legs.find((view) => view.source === source);
  if (leg === undefined) throw new Error(`no leg ${source} on ${server}`);
  return leg;
}

export async function alertsOf(house: House, agent: HouseServer): Promise<string[]> {
  const { stations } = await stateOf(house, agent);
  return (stations[0]?.alerts ?? []).map(({ code }) => code);
}

/** Events of one kind in an agent's log since a wall time. */
export function loggedSince(
  house: House,
  agent: HouseServer,
  event: string,
  sinceMs: number,
): Record<string, unknown>[] {
  return house.agents[agent]
    .log()
    .filter((line) => line['event'] === event && Date.parse(String(line['time'])) >= sinceMs);
}

/** Everything that an agent says of itself, for the message of a test that failed. */
export function story(house: House): string {
  const crashes = Object.values(house.servers).reduce((sum, server) => sum + server.crashes(), 0);
  const heading = crashes === 0 ? '' : `Icecast itself crashed ${crashes} times.\n`;
  const lines = Object.values(house.agents)
    .flatMap((agent) =>
      agent.log().map((line) => `${agent.server} ${String(line['time']).slice(11, 23)} ${line['msg']}`),
    )
    .slice(-80);
  return heading + lines.join('\n');
}
