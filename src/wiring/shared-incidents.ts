import type { Config } from '../config/index.ts';
import type { ServerName, StationName } from '../domain/ids.ts';
import { SAME_TROUBLE_MS, type Severity } from '../domain/incidents.ts';
import { numberMark, readNumber, sealOn } from './mark-seal.ts';

/** What an agent says of an incident to the others. */
export interface SaidIncident {
  readonly station: StationName;
  readonly thread: string;
  readonly severity: Severity;
  readonly openedUnixMs: number;
  readonly servers: readonly string[];
  /** People know of it from this agent. */
  readonly isTold: boolean;
  /** What listeners of this agent's own server heard of it; null when it doesn't know. */
  readonly deadAirMs: number | null;
}

/** Who tells (w: a warning, c: critical) or has only noted it (h); since when, where, dead air in tenths of a second; a seal. */
const FORM = /^([wch])([0-9a-w]{1,9})x([0-9a-w]{1,11})x(u|d[0-9a-w]{1,8})x([0-9a-f]{10})$/;
const SEAL_LENGTH = 10;

type Known = Pick<SaidIncident, 'station' | 'thread'>;

/** A word for the sign of life on a server that only who knows that server's password can make; null: there is none. */
export function incidentMark(config: Config, on: ServerName, said: SaidIncident): string | null {
  const kind = said.isTold ? said.severity.charAt(0) : 'h';
  const at = numberMark(Math.round(said.openedUnixMs / 1000));
  const where = config.servers.reduce(
    (bits, { name }, index) => (said.servers.includes(name) ? bits + 2 ** index : bits),
    0,
  );
  const dead = said.deadAirMs === null ? 'u' : `d${numberMark(Math.round(said.deadAirMs / 100))}`;
  const words = [kind, at, numberMark(where), dead];
  const seal = sealOf(config, on, said, words);
  return seal === null ? null : `${kind}${words.slice(1).join('x')}x${seal}`;
}

/** What the marks of one agent say of an incident. */
export function readIncident(config: Config, known: Known, marks: Iterable<string>): SaidIncident[] {
  const found: SaidIncident[] = [];
  for (const mark of marks) {
    const [, kind = '', at = '', where = '', dead = '', seal = ''] = FORM.exec(mark) ?? [];
    const words = [kind, at, where, dead];
    if (seal === '' || !config.servers.some(({ name }) => sealOf(config, name, known, words) === seal))
      continue;
    const bits = readNumber(where);
    found.push({
      station: known.station,
      thread: known.thread,
      severity: kind === 'c' ? 'critical' : 'warning',
      openedUnixMs: readNumber(at) * 1000,
      servers: config.servers.flatMap(({ name }, index) =>
        Math.floor(bits / 2 ** index) % 2 === 1 ? name : [],
      ),
      isTold: kind !== 'h',
      deadAirMs: dead === 'u' ? null : readNumber(dead.slice(1)) * 100,
    });
  }
  return found;
}

/** Whether both are of one trouble: it began for both together, or the other has all servers of this one. */
export function isSameTrouble(
  one: Pick<SaidIncident, 'openedUnixMs' | 'servers'>,
  other: Pick<SaidIncident, 'openedUnixMs' | 'servers'>,
): boolean {
  return isTogether(one, other) || isWithin(one, other);
}

/** Whether whoever knows of the other knows of this one too. A server that came in later is news. */
export function isCovered(
  one: Pick<SaidIncident, 'openedUnixMs' | 'servers' | 'severity'> & { readonly isWider: boolean },
  other: SaidIncident,
): boolean {
  if (!other.isTold || (one.severity === 'critical' && other.severity === 'warning')) return false;
  return isWithin(one, other) || (!one.isWider && isTogether(one, other));
}

function isTogether(one: Pick<SaidIncident, 'openedUnixMs'>, other: Pick<SaidIncident, 'openedUnixMs'>) {
  return Math.abs(one.openedUnixMs - other.openedUnixMs) <= SAME_TROUBLE_MS;
}

function isWithin({ servers }: Pick<SaidIncident, 'servers'>, other: Pick<SaidIncident, 'servers'>): boolean {
  return servers.every((server) => other.servers.includes(server));
}

/** The names of all servers are in it, as agents whose configs differ in them would mean others by the same bits. */
function sealOf(config: Config, on: ServerName, { station, thread }: Known, words: readonly string[]) {
  const servers = config.servers.map(({ name }) => name);
  return sealOn(config, on, ['incident', station, thread, ...servers, ...words], SEAL_LENGTH);
}
