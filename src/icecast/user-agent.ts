import type { ChainSign } from '../domain/chain-sign.ts';
import {
  type MonitorId,
  monitorId,
  type ServerName,
  type SourceName,
  type StationName,
  serverName,
  sourceName,
  stationName,
} from '../domain/ids.ts';
import { chainsAmong, chainsText } from './shown-chains.ts';

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
  /** Of a presence: which source its agent has on air, by station. Other agents show it to people, no more. */
  readonly onAir?: OnAir;
  /** Of a presence: what it shows of its processing chains. */
  readonly chains?: readonly ChainSign[];
}

export const MOST_MARKS = 32;

/** Icecast takes 4096 bytes for all headers of a request, and what is cut off at the end makes the whole unreadable. */
export const MOST_USER_AGENT_CHARS = 3_000;
const MOST_SAYS_CHARS = 1_400;

export type OnAir = ReadonlyMap<StationName, SourceName>;

/** A station that finds no room is not spoken of. */
const MOST_ON_AIR_CHARS = 600;

/** What our own calls that are no listeners (admin, source) call themselves. */
export const PLAIN_USER_AGENT = `${PRODUCT}/${VERSION}`;

/** The User-Agent by which `listclients` proves where one of our connections sits. */
export function userAgentOf(client: SustainClient): string {
  const marks = (client.marks ?? []).slice(0, MOST_MARKS);
  const says = fitting('; says=', marks, '.', MOST_SAYS_CHARS);
  const onAir = [...(client.onAir ?? [])].map(([station, source]) => `${station}.${source}`);
  const air = fitting('; air=', onAir, ',', MOST_ON_AIR_CHARS);
  const most = `${PRODUCT}/${VERSION} (${client.role}; agent=${client.agent}; id=${client.id}${says}${air}`;
  return `${most}${chainsText(client.chains ?? [], MOST_USER_AGENT_CHARS - most.length - 1)})`;
}

/** As many of the words as there is room for, or nothing. */
function fitting(begin: string, words: readonly string[], between: string, mostChars: number): string {
  let text = '';
  for (const word of words) {
    const longer = text === '' ? word : `${text}${between}${word}`;
    if (longer.length <= mostChars) text = longer;
  }
  return text === '' ? '' : `${begin}${text}`;
}

function parseOnAir(text: string): OnAir {
  const pairs = [...text.matchAll(/([a-z0-9-]+)\.([a-z0-9-]+)/g)];
  return new Map(pairs.map(([, station = '', source = '']) => [stationName(station), sourceName(source)]));
}

/** True for every client of any Sustain agent: none of them is a listener. */
export function isSustain(userAgent: string): boolean {
  return userAgent.startsWith(`${PRODUCT}/`);
}

/** Null when it is no monitor or presence of ours, or a spoilt one. */
export function parseUserAgent(userAgent: string): SustainClient | null {
  const comment = /^Sustain\/[^\s()]{1,64} \(([^()]{1,3000})\)$/.exec(userAgent.trim())?.[1];
  if (comment === undefined) return null;
  const parts = comment.split(';').map((part) => part.trim());
  const role = parts[0];
  const agent = parts.find((part) => /^agent=[a-z0-9-]+$/.test(part))?.slice('agent='.length);
  const id = parts.find((part) => /^id=[0-9a-f]+$/.test(part))?.slice('id='.length);
  const air = parts.find((part) => /^air=[a-z0-9.,-]+$/.test(part))?.slice('air='.length);
  if ((role !== 'monitor' && role !== 'presence') || agent === undefined || id === undefined) return null;
  const says = parts.find((part) => /^says=[a-z0-9.]+$/.test(part))?.slice('says='.length);
  const chains = chainsAmong(parts);
  return {
    role,
    agent: serverName(agent),
    id: monitorId(id),
    ...(says === undefined ? {} : { marks: says.split('.') }),
    ...(air === undefined ? {} : { onAir: parseOnAir(air) }),
    ...(chains.length === 0 ? {} : { chains }),
  };
}

/** Reads what the same clients say look after look: each User-Agent once, for as long as it is seen. */
export class UserAgentReader {
  #before: ReadonlyMap<string, SustainClient | null> = new Map();
  #seen = new Map<string, SustainClient | null>();

  read(userAgent: string): SustainClient | null {
    const known = this.#seen.get(userAgent) ?? this.#before.get(userAgent);
    const client = known === undefined ? parseUserAgent(userAgent) : known;
    this.#seen.set(userAgent, client);
    return client;
  }

  /** What was not read since the last time is forgotten. */
  forgetUnseen(): void {
    this.#before = this.#seen;
    this.#seen = new Map();
  }
}
