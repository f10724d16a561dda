import type { Mount } from '../domain/ids.ts';

/** Where one Icecast listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** What to ask for there, in the `Host` header and the certificate; left out: `host`. */
  readonly name?: string;
  /** PEM of authorities to trust beside those that Node.js knows, for servers with a certificate from one's own. */
  readonly ca?: string;
}

/** A name and password for Basic authentication. They go into a header and nowhere else. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Null unless it is an http(s) URL of a host, without credentials in it. `ca`: as `ServerAddress` has it. */
export function parseServerUrl(text: string, ca: string | null = null): ServerAddress | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const tls = url.protocol === 'https:';
  if (!tls && url.protocol !== 'http:') return null;
  if (url.hostname === '' || url.username !== '' || url.password !== '') return null;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: url.port === '' ? (tls ? 443 : 80) : Number(url.port),
    tls,
    ...(ca === null ? {} : { ca }),
  };
}

/** `host:port` as it stands in a `Host` header and in messages. */
export function hostAndPort(address: ServerAddress): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

const PLAIN_BYTE = /[A-Za-z0-9\-._~]/;

/** Percent-encodes text byte by byte. Unlike encodeURIComponent it never throws and leaves no quotes or brackets. */
export function percentEncode(text: string, alsoPlain = ''): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    const isPlain = PLAIN_BYTE.test(char) || alsoPlain.includes(char);
    encoded += isPlain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** The path to ask for to reach a mount, whatever characters its name has. */
export function mountPath(mount: Mount): string {
  return percentEncode(mount.startsWith('/') ? mount : `/${mount}`, '/');
}

export function basicAuthorization(credentials: Credentials): string {
  return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64')}`;
}
