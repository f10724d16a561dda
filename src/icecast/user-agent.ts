import { type MonitorId, monitorId, type ServerName, serverName } from '../domain/ids.ts';

const PRODUCT = 'Sustain';
const VERSION = '0.1.0';

/** A monitor hears a mount; a presence only shows the other agents that this one lives. */
export type SustainRole = 'monitor' | 'presence';

export interface SustainClient {
  readonly role: SustainRole;
  readonly agent: ServerName;
  readonly id: MonitorId;
  /** Words of a to z and 0 to 9 for the other agents; at most `MOST_MARKS` are said. */
  readonly marks?: readonly string[];
}

export const MOST_MARKS = 10;

/** What our own calls that are no listeners (admin, source) call themselves. */
export const PLAIN_USER_AGENT = `${PRODUCT}/${VERSION}`;

/** The User-Agent by which `listclients` proves where one of our connections sits. */
export function userAgentOf(client: SustainClient): string {
  const marks = (client.marks ?? []).slice(0, MOST_MARKS);
  const says = marks.length === 0 ? '' : `; says=${marks.join('.')}`;
  return `${PRODUCT}/${VERSION} (${client.role}; agent=${client.agent}; id=${client.id}${says})`;
}

/** True for every client of any Sustain agent: none of them is a listener. */
export function isSustain(userAgent: string): boolean {
  return userAgent.startsWith(`${PRODUCT}/`);
}

/** Null when it is no monitor or presence of ours, or a spoilt one. */
export function parseUserAgent(userAgent: string): SustainClient | null {
  const comment = /^Sustain\/[^\s()]{1,64} \(([^()]{1,400})\)$/.exec(userAgent.trim())?.[1];
  if (comment === undefined) return null;
  const parts = comment.split(';').map((part) => part.trim());
  const role = parts[0];
  const agent = parts.find((part) => /^agent=[a-z0-9-]+$/.test(part))?.slice('agent='.length);
  const id = parts.find((part) => /^id=[0-9a-f]+$/.test(part))?.slice('id='.length);
  if ((role !== 'monitor' && role !== 'presence') || agent === undefined || id === undefined) return null;
  const says = parts.find((part) => /^says=[a-z0-9.]+$/.test(part))?.slice('says='.length);
  const client: SustainClient = { role, agent: serverName(agent), id: monitorId(id) };
  return says === undefined ? client : { ...client, marks: says.split('.') };
}
