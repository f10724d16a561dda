import { type Mount, mount } from '../domain/ids.ts';
import { isSustain } from './user-agent.ts';
import { decodeEntities } from './xml.ts';

/*
 * Reads the answers that are asked for twice a second. Not with the XML parser: with an audience of 10,000 that takes a
 * quarter of a second in which nothing else runs, and this takes 10 ms. It is safe because Icecast escapes every value, so
 * `<` stands only where an element begins.
 */

/** One mount out of `listmounts`, which is the truth on which mounts there are. */
export interface ListedMount {
  readonly mount: Mount;
  readonly contentType: string;
  /** Null for a file fallback, which has no source client. */
  readonly sourceConnectedSeconds: number | null;
  /** All clients, monitors of ours among them. */
  readonly clients: number;
  readonly fallback: Mount | null;
}

/** One connection on a mount. */
export interface ListedClient {
  /** Icecast's number of the connection; it stays the same when the client is moved. */
  readonly id: string;
  readonly userAgent: string;
  readonly connectedSeconds: number;
}

/** Null for anything that is no such answer of Icecast's. */
export function parseMountList(xml: string): ListedMount[] | null {
  if (!isIcestats(xml)) return null;
  const mounts: ListedMount[] = [];
  for (const [, attributes = '', inner = ''] of xml.matchAll(
    /<source\b((?:[^>/]|\/(?!>))*)(?:\/>|>([\s\S]*?)<\/source>)/gi,
  )) {
    const name = MOUNT.exec(attributes)?.[1];
    if (name === undefined) continue;
    const fallback = decodeEntities(textIn(inner, FALLBACK) ?? '');
    mounts.push({
      mount: mount(decodeEntities(name)),
      contentType: decodeEntities(textIn(inner, CONTENT_TYPE) ?? ''),
      sourceConnectedSeconds: countIn(inner, CONNECTED),
      clients: countIn(inner, LISTENERS) ?? 0,
      fallback: fallback === '' ? null : mount(fallback),
    });
  }
  return mounts;
}

/** Null for anything that is no such answer of Icecast's. */
export function parseClientList(xml: string): ListedClient[] | null {
  if (!isIcestats(xml)) return null;
  const clients: ListedClient[] = [];
  for (const [, inner = ''] of xml.matchAll(/<listener\b[^>]*>([\s\S]*?)<\/listener>/gi)) {
    const id = textIn(inner, ID);
    if (id === null) continue;
    const seconds = Number(textIn(inner, CONNECTED) ?? 0);
    clients.push({
      id,
      userAgent: decodeEntities(textIn(inner, USER_AGENT) ?? ''),
      connectedSeconds: Number.isFinite(seconds) ? seconds : 0,
    });
  }
  return clients;
}

/** The people: every client but the connections of Sustain agents. */
export function listenersAmong(clients: readonly ListedClient[]): ListedClient[] {
  return clients.filter((client) => !isSustain(client.userAgent));
}

const MOUNT = /\smount="([^"]*)"/i;
const FALLBACK = /<fallback>([^<]*)</i;
const CONTENT_TYPE = /<content-type>([^<]*)</i;
const LISTENERS = /<listeners>([^<]*)</i;
const ID = /<id>([^<]*)</i;
const CONNECTED = /<connected>([^<]*)</i;
const USER_AGENT = /<useragent>([^<]*)</i;

/** Whole, too: in an answer that was cut short, mounts and clients would be missing. */
function isIcestats(xml: string): boolean {
  const isWhole = /<icestats\b/i.test(xml) && /<\/icestats\s*>|<icestats\s*\/>/i.test(xml);
  return isWhole && !/<!DOCTYPE|<!ENTITY/i.test(xml);
}

function textIn(xml: string, element: RegExp): string | null {
  return element.exec(xml)?.[1]?.trim() ?? null;
}

function countIn(xml: string, element: RegExp): number | null {
  const text = textIn(xml, element) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
