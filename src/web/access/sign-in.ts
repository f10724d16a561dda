import type { Clock } from '../../platform/clock.ts';
import { type Client, neighbourhoodOf } from './client.ts';
import { type Gate, isSame } from './gate.ts';
import { SignInLimiter } from './limiter.ts';
import { isPassword, pretendToCheck } from './passwords.ts';
import { digestOf, type Role, type Session, type Sessions } from './sessions.ts';

export interface User {
  readonly name: string;
  readonly role: Role;
  /** As `sustain hash-password` prints it. */
  readonly passwordHash: string;
}

export type SignedIn =
  | { readonly ok: true; readonly key: string; readonly session: Session }
  | {
      readonly ok: false;
      readonly status: 401 | 403 | 429 | 503;
      readonly error: string;
      readonly retryAfterMs?: number;
    };

export interface SignInOptions {
  readonly users: readonly User[];
  readonly gate: Gate;
  readonly sessions: Sessions;
  readonly clock: Clock;
  /** Lets in once, as an operator; null where somebody can sign in otherwise. */
  readonly oneTimeSecret: string | null;
}

/** So many passwords are looked at in one moment, at 32 MiB each. */
const MOST_AT_ONCE = 4;

/**
 * Turns a name and a password into a session. A bearer token is taken for a password too: then the name is as given, as
 * with the token itself, but never that of a user of the config.
 */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #limiter: SignInLimiter;
  #oneTimeSecret: string | null;
  #running = 0;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#limiter = new SignInLimiter(options.clock);
    this.#oneTimeSecret = options.oneTimeSecret;
  }

  async signIn(name: string, password: string, client: Client): Promise<SignedIn> {
    if (!client.isSecure && !client.isLocal) {
      const error =
        'sign in over https, or in a browser on the machine itself: else others could read the password';
      return { ok: false, status: 403, error };
    }
    const from = neighbourhoodOf(client.address);
    const retryAfterMs = this.#limiter.waitMs(from);
    if (retryAfterMs > 0) {
      return { ok: false, status: 429, error: 'too many tries: wait a little', retryAfterMs };
    }
    if (this.#running >= MOST_AT_ONCE) return { ok: false, status: 503, error: 'busy: try again' };
    this.#limiter.noteTry(from);
    this.#running += 1;
    try {
      const known = await this.#identify(name, password);
      if (known === null) return { ok: false, status: 401, error: 'name or password is wrong' };
      this.#limiter.noteSuccess(from);
      return { ok: true, ...this.#options.sessions.open(name, known.role, known.credential) };
    } finally {
      this.#running -= 1;
    }
  }

  /** Whether somebody who signed in with this earlier could do so again, as the config stands now. */
  mayStill(role: Role, credential: string): boolean {
    const { users, gate } = this.#options;
    if (users.some((user) => user.role === role && credentialOf(user) === credential)) return true;
    return gate.hasToken(role, (token) => digestOf(token) === credential);
  }

  async #identify(name: string, password: string): Promise<Known | null> {
    const sameName = (user: User) => user.name.toLowerCase() === name.toLowerCase();
    const user = this.#options.users.find(sameName);
    if (user !== undefined) {
      return user.name === name && (await isPassword(password, user.passwordHash))
        ? { role: user.role, credential: credentialOf(user) }
        : null;
    }
    await pretendToCheck(password);
    if (isSame(password, this.#oneTimeSecret)) {
      this.#oneTimeSecret = null;
      return { role: 'operator', credential: null };
    }
    const role = this.#options.gate.roleOf(password);
    return role === null ? null : { role, credential: digestOf(password) };
  }
}

interface Known {
  readonly role: Role;
  /** Null: good once, and gone with the agent. */
  readonly credential: string | null;
}

/** Another password, and whoever signed in with the old one is out. */
const credentialOf = ({ name, passwordHash }: User): string => digestOf(`${name} ${passwordHash}`);
