import type { AgentProcess } from '../../src/demo/agent-process.ts';
import type { House, HouseServer } from '../../src/demo/house.ts';
import { DNS_NAME } from '../../src/demo/house-names.ts';
import { areAllWell } from '../../src/demo/name-scenarios.ts';
import { dig, type NameAnswer, waitUntil } from '../../src/demo/rig/index.ts';
import type { FailoverView } from '../../src/domain/failover-view.ts';
import { story } from './station.ts';

/** What `dig` shows at the house's name server now. */
export function digHouse(house: House, type: 'A' | 'AAAA' | 'TXT', name = DNS_NAME): readonly string[] {
  if (house.dns === null) throw new Error('this house has no DNS');
  const { host, port } = house.dns.dnsAddress;
  return dig(host, port, type === 'TXT' ? `_sustain.${name}` : name, type);
}

export const epochOf = (house: House): number =>
  Number(/epoch=(\d+)/.exec(digHouse(house, 'TXT')[0] ?? '')?.[1] ?? -1);

export const addressOf = (house: House, server: HouseServer) => house.servers[server].admin.host;

/** Every agent of the house, the witness among them. */
export function agentsOf(house: House): AgentProcess[] {
  return [...Object.values(house.agents), ...(house.witness === null ? [] : [house.witness])];
}

export async function dnsOf(agent: AgentProcess): Promise<FailoverView> {
  const { dns } = await agent.state();
  if (dns === null) throw new Error(`the agent beside ${agent.server} has no DNS`);
  return dns;
}

/** Resolves with the ms from `sinceMs` until the authority answered with the server. */
export async function nameAt(
  house: House,
  server: HouseServer,
  timeoutMs: number,
  sinceMs = performance.now(),
): Promise<number> {
  await waitUntil(
    `the name at ${server}`,
    timeoutMs,
    () => house.name?.current() === addressOf(house, server),
    () => story(house),
  );
  return (house.name?.answers.at(-1)?.atMs ?? Number.POSITIVE_INFINITY) - sinceMs;
}

/** Everything is well for everybody, as each agent that lives says. */
export async function allWell(house: House, agents: readonly AgentProcess[]): Promise<void> {
  await waitUntil(
    'every agent finds every server well',
    60_000,
    () => areAllWell(agents),
    () => story(house),
  );
}

/** Changes of the answer since a moment. */
export const movesSince = (house: House, sinceMs: number): readonly NameAnswer[] =>
  (house.name?.answers ?? []).filter(({ atMs }) => atMs >= sinceMs);

/** What an agent wrote to the DNS, from its log: the epochs. */
export function epochsWritten(agent: AgentProcess): number[] {
  return agent
    .log()
    .filter((line) => line['event'] === 'dns-written')
    .map((line) => (line['mark'] as { epoch: number }).epoch);
}
