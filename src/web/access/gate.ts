import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Client, clientOf, isOwnOrigin } from './client.ts';
import type { Role, Session, Sessions } from './sessions.ts';

export type Right = 'view' | 'operate';

/** Somebody who may come in. Who comes with a token has no name of their own. */
export type Person =
  | { readonly by: 'token'; readonly role: Role }
  | { readonly by: 'session'; readonly role: Role; readonly session: Session; readonly key: string };

export type Asked =
  | { readonly ok: true; readonly person: Person }
  | { readonly ok: false; readonly status: 401 | 403; readonly error: string };

export interface Tokens {
  /** Null: nobody gets in with it. */
  readonly viewer: string | null;
  readonly operator: string | null;
}

export interface GateOptions {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly proxies: readonly string[];
}

/** Over TLS a browser takes it from this host only and sends it nowhere else. */
const SECURE_COOKIE = '__Host-sustain';
/** On this machine itself, without TLS, where not every browser takes the other. */
const LOCAL_COOKIE = 'sustain';

/** The one place where it is decided who may do what. */
export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  clientOf(request: IncomingMessage): Client {
    return clientOf(request, this.#options.proxies);
  }

  /** For requests over HTTP. What changes something needs, with a session, the session's own mark and our own page. */
  ask(request: IncomingMessage, right: Right): Asked {
    const known = this.#identify(request);
    if (!known.ok) return known;
    const { person } = known;
    if (right === 'operate' && person.role !== 'operator') {
      return refused(
        403,
        person.by === 'token' ? 'this token may not operate' : 'you may look, but not operate',
      );
    }
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    if (person.by === 'session' && changes && !this.#isOwnPage(request, person.session)) {
      return refused(403, 'this request did not come from a page of this server');
    }
    return known;
  }

  /** For WebSockets, which browsers open for any page: with a session only for a page of ours. */
  askSocket(request: IncomingMessage): Asked {
    const known = this.#identify(request);
    if (!known.ok) return known;
    const { origin } = request.headers;
    const isOwn = origin !== undefined && isOwnOrigin(origin, this.clientOf(request));
    const isProgram = origin === undefined && known.person.by === 'token';
    return isOwn || isProgram ? known : refused(403, 'this page is none of this server');
  }

  /** Whether somebody who came in may stay. */
  mayStay(person: Person): boolean {
    return person.by === 'token' || this.#options.sessions.find(person.key) === person.session;
  }

  cookieFor(key: string, client: Client): string {
    const [name, secure] = client.isSecure ? [SECURE_COOKIE, ' Secure;'] : [LOCAL_COOKIE, ''];
    return `${name}=${key}; Path=/;${secure} HttpOnly; SameSite=Strict`;
  }

  /** Takes the cookie away again. */
  clearedCookie(client: Client): string {
    return `${this.cookieFor('', client)}; Max-Age=0`;
  }

  /** The role that a token gives; null for a text that is no token. */
  roleOf(token: string): Role | null {
    const { viewer, operator } = this.#options.tokens;
    if (isSame(token, operator)) return 'operator';
    return isSame(token, viewer) ? 'viewer' : null;
  }

  /** Whether the role's token is one that fits. */
  hasToken(role: Role, fits: (token: string) => boolean): boolean {
    const token = this.#options.tokens[role];
    return token !== null && fits(token);
  }

  #identify(request: IncomingMessage): Asked {
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined) {
      const role = this.roleOf(given);
      return role === null
        ? refused(403, 'this token is not known')
        : { ok: true, person: { by: 'token', role } };
    }
    const key = this.#keyOf(request);
    const session = key === null ? null : this.#options.sessions.find(key);
    if (key === null || session === null) return refused(401, 'sign in, or come with a bearer token');
    return { ok: true, person: { by: 'session', role: session.role, session, key } };
  }

  #keyOf(request: IncomingMessage): string | null {
    const name = this.clientOf(request).isSecure ? SECURE_COOKIE : LOCAL_COOKIE;
    const cookies = (request.headers.cookie ?? '').split(';').map((one) => one.trim());
    const found = cookies.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    return found === undefined || found === '' ? null : found;
  }

  #isOwnPage(request: IncomingMessage, session: Session): boolean {
    const { origin } = request.headers;
    const mark = request.headers['x-csrf-token'];
    const isOwn = origin !== undefined && isOwnOrigin(origin, this.clientOf(request));
    return isOwn && typeof mark === 'string' && isSame(mark, session.csrf);
  }
}

function refused(status: 401 | 403, error: string): Asked {
  return { ok: false, status, error };
}

/** Hashes first, so that neither length nor content shows in the time it takes. */
export function isSame(given: string, expected: string | null): boolean {
  if (expected === null) return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
