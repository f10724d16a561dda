import { type Incident, SAME_TROUBLE_MS } from '../../domain/incidents.ts';

/** An incident as the log of one agent has it. */
export interface FoundIncident {
  readonly agent: string | null;
  readonly incident: Incident;
}

interface Trouble {
  readonly parts: [FoundIncident, ...FoundIncident[]];
}

/**
 * What several agents found of one trouble is one incident, as it was told once: of the same thread, begun together. Two of one
 * agent are two.
 */
export function troublesOf(found: readonly FoundIncident[]): Incident[] {
  const troubles: Trouble[] = [];
  const inOrder = [...found].sort((a, b) => a.incident.openedUnixMs - b.incident.openedUnixMs);
  for (const one of inOrder) {
    const known = troubles.find(({ parts }) => isOfOne(parts, one));
    if (known === undefined) troubles.push({ parts: [one] });
    else known.parts.push(one);
  }
  return troubles.map(({ parts }) => together(parts));
}

function isOfOne(parts: Trouble['parts'], { agent, incident }: FoundIncident): boolean {
  const [first] = parts;
  return (
    first.incident.thread === incident.thread &&
    incident.openedUnixMs - first.incident.openedUnixMs <= SAME_TROUBLE_MS &&
    parts.every((part) => part.agent !== agent)
  );
}

function together(parts: Trouble['parts']): Incident {
  const incidents = parts.map(({ incident }) => incident);
  const [{ incident: first }] = parts;
  if (parts.length === 1) return first;
  const servers = [...new Set(incidents.flatMap((incident) => incident.servers))];
  const ends = incidents.map(({ closedUnixMs }) => closedUnixMs ?? Number.POSITIVE_INFINITY);
  const endUnixMs = Math.max(...ends);
  const heard = servers.map((server) => [server, deadAirOn(server, parts)] as const);
  const unheard = heard.flatMap(([server, { isKnown }]) => (isKnown ? [] : [server]));
  const { unheard: _ofTheFirst, ...rest } = first;
  return {
    ...rest,
    servers,
    severity: incidents.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning',
    closedUnixMs: Number.isFinite(endUnixMs) ? endUnixMs : null,
    acknowledged: incidents.find(({ acknowledged }) => acknowledged !== null)?.acknowledged ?? null,
    deadAirMs: Object.fromEntries(heard.flatMap(([server, { ms }]) => (ms === null ? [] : [[server, ms]]))),
    ...(unheard.length === 0 ? {} : { unheard }),
  };
}

/** The agent beside a server knows best what was heard there; of others the one that says the most. */
function deadAirOn(
  server: string,
  parts: readonly FoundIncident[],
): { readonly ms: number | null; readonly isKnown: boolean } {
  const said = parts.filter(({ incident }) => incident.servers.some((name) => name === server));
  const sure = said.filter(({ incident }) => incident.unheard?.some((name) => name === server) !== true);
  const own = sure.filter(({ agent }) => agent === server);
  const best = [own, sure, said].find((some) => some.length > 0) ?? [];
  const ms = best.flatMap(({ incident }) => incident.deadAirMs[server] ?? []);
  return { ms: ms.length === 0 ? null : Math.max(...ms), isKnown: sure.length > 0 };
}
