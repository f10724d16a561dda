import type { FailoverPolicy, FailoverRequest } from '../../src/domain/failover.ts';
import { DnsWorld, type DnsWorldOptions, type FailoverCore, LONDON } from '../../src/simulate/dns-world.ts';
import type { Mutant } from './mutation.ts';

/** A guard of the DNS decision, and a world in which it is missed: a sentence when the core goes wrong there, else null. */
export interface DnsGuard extends Mutant {
  readonly mistake: (core: FailoverCore) => string | null;
}

export const of = (name: string) => `decide/failover/${name}.ts`;

/** A world that has run for long enough to know everything. */
export function settled(
  core: FailoverCore,
  mode: FailoverPolicy['mode'] = 'alone',
  options: DnsWorldOptions = {},
): DnsWorld {
  const world = new DnsWorld(mode, { core, ...options });
  world.pass(60);
  return world;
}

/** Null when the name was not moved. */
export const stays = (world: DnsWorld): string | null => {
  const [first] = world.writes;
  return first === undefined ? null : `${first.by} moved the name to ${first.server} at ${first.atMs} ms`;
};

export const goesTo = (world: DnsWorld, ...servers: readonly string[]): string | null => {
  const gone = world.writes.map(({ server }) => server).join(', ');
  return gone === servers.join(', ') ? null : `the name went to ${gone || 'nowhere'}`;
};

/** The writes that took the name to another server, and not those that left it where it stood. */
export const movesOf = ({ writes }: DnsWorld) =>
  writes.filter(({ server }, index) => server !== (writes[index - 1]?.server ?? LONDON));

/** How long after a moment the last move came, in s. */
export const lastMoveS = (world: DnsWorld, sinceMs: number): number =>
  ((world.writes.at(-1)?.atMs ?? Number.POSITIVE_INFINITY) - sinceMs) / 1_000;

export const AN_HOUR = { author: 'eve', forMs: 3_600_000 };

/** Every agent is asked, as docs/dns.md has it. */
export const asked = (world: DnsWorld, request: FailoverRequest) => {
  for (const { name } of world.agents) world.ask(name, request);
};
