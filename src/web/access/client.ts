import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/** Who is at the other end, and under which name and how safely this server was asked. */
export interface Client {
  readonly address: string;
  /** TLS up to here, or up to a proxy that is trusted. */
  readonly isSecure: boolean;
  /** Host and port as the browser has them in its address line. */
  readonly host: string;
  /** On this very machine, with nothing in between. */
  readonly isLocal: boolean;
}

/** `proxies`: addresses whose `X-Forwarded-*` headers are believed. */
export function clientOf(request: IncomingMessage, proxies: readonly string[]): Client {
  const peer = plainAddress(request.socket.remoteAddress ?? '');
  const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true;
  const host = request.headers.host ?? '';
  const forwarded = ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via'].some(
    (name) => request.headers[name] !== undefined,
  );
  if (!proxies.includes(peer)) {
    return { address: peer, isSecure: encrypted, host, isLocal: isLoopback(peer) && !forwarded };
  }
  // Each proxy appends what it saw: the last entry that no proxy of ours has is the one to believe.
  const hops = list(request, 'x-forwarded-for').map(plainAddress);
  return {
    address: hops.findLast((hop) => !proxies.includes(hop)) ?? peer,
    isSecure: encrypted || list(request, 'x-forwarded-proto').at(-1) === 'https',
    host: list(request, 'x-forwarded-host').at(-1) ?? host,
    isLocal: false,
  };
}

/** Whether a page that this very server gave out is asking. */
export function isOwnOrigin(origin: string, client: Client): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  return protocol === (client.isSecure ? 'https:' : 'http:') && host === client.host.toLowerCase();
}

/** What is counted as one guesser: an address, or the /64 that one IPv6 line has. */
export function neighbourhoodOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const all = address.includes('::') ? [...groups(head), ...zeros, ...groups(tail)] : groups(head);
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '');

function list(request: IncomingMessage, name: string): string[] {
  const value = request.headers[name];
  const text = Array.isArray(value) ? value.join(',') : (value ?? '');
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
