import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';

export type Role = 'viewer' | 'operator';

/** Somebody who signed in. */
export interface Session {
  readonly name: string;
  readonly role: Role;
  /** Has to come with every request that changes something. */
  readonly csrf: string;
  readonly openedAtMs: number;
  lastSeenAtMs: number;
}

/** A meter on a studio's wall stays signed in for a week, a browser that was left for half a day. */
const MOST_AGE_MS = 7 * 24 * 3_600_000;
const MOST_IDLE_MS = 12 * 3_600_000;
const MOST_SESSIONS = 1_000;

/** Who is signed in, in memory only: a restart signs everybody out. Keys are kept as hashes. */
export class Sessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The key goes to the browser and is kept nowhere here. */
  open(name: string, role: Role): { readonly key: string; readonly session: Session } {
    const key = secretText();
    const nowMs = this.#clock.nowMs();
    const session: Session = { name, role, csrf: secretText(), openedAtMs: nowMs, lastSeenAtMs: nowMs };
    this.#sessions.set(digest(key), session);
    const oldest = this.#sessions.keys().next().value;
    if (this.#sessions.size > MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    return { key, session };
  }

  find(key: string): Session | null {
    const session = this.#sessions.get(digest(key));
    if (session === undefined) return null;
    const nowMs = this.#clock.nowMs();
    if (nowMs - session.openedAtMs > MOST_AGE_MS || nowMs - session.lastSeenAtMs > MOST_IDLE_MS) {
      this.#sessions.delete(digest(key));
      return null;
    }
    session.lastSeenAtMs = nowMs;
    return session;
  }

  close(key: string): void {
    this.#sessions.delete(digest(key));
  }
}

/** 256 bits that nobody guesses. */
export function secretText(): string {
  return randomBytes(32).toString('base64url');
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64');
}
