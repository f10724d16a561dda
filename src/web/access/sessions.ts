import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';

const ROLES = ['viewer', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Somebody who signed in. */
export interface Session {
  readonly name: string;
  readonly role: Role;
  /** Has to come with every request that changes something. */
  readonly csrf: string;
  /** With what they signed in, as a digest; null for what is good once only. */
  readonly credential: string | null;
  readonly openedAtMs: number;
  lastSeenAtMs: number;
}

/** A place for the sessions that outlives the agent. */
export interface SessionStore {
  /** Null where there is none yet. */
  load(): Promise<unknown>;
  save(sessions: object): Promise<void>;
}

/** A meter on a studio's wall stays signed in for a week, a browser that was left for half a day. */
const MOST_AGE_MS = 7 * 24 * 3_600_000;
const MOST_IDLE_MS = 12 * 3_600_000;
const MOST_SESSIONS = 1_000;
/** So often is it worth writing down that somebody is still there. */
const SEEN_KEPT_EVERY_MS = 10 * 60_000;

const kept = z.object({
  sessions: z
    .array(
      z.object({
        key: z.string(),
        name: z.string(),
        role: z.enum(ROLES),
        csrf: z.string(),
        credential: z.string(),
        openedUnixMs: z.number(),
        lastSeenUnixMs: z.number(),
      }),
    )
    .max(MOST_SESSIONS),
});

/** Who is signed in. Keys are kept as digests, so that whoever reads the store gets in nowhere. */
export class Sessions {
  readonly #clock: Clock;
  readonly #store: SessionStore | null;
  readonly #sessions = new Map<string, Session>();
  #savedAtMs: number;

  constructor(clock: Clock, store: SessionStore | null = null) {
    this.#clock = clock;
    this.#store = store;
    this.#savedAtMs = clock.nowMs();
  }

  /** Brings back the sessions of whoever may still sign in with what they signed in with; never throws. */
  async restore(mayStill: (role: Role, credential: string) => boolean): Promise<void> {
    const read = kept.safeParse(await this.#store?.load().catch(() => null));
    if (!read.success) return;
    const { nowMs, toMonotonic } = this.#times();
    for (const { key, openedUnixMs, lastSeenUnixMs, ...session } of read.data.sessions) {
      if (!mayStill(session.role, session.credential)) continue;
      const openedAtMs = Math.min(nowMs, openedUnixMs + toMonotonic);
      const lastSeenAtMs = Math.min(nowMs, lastSeenUnixMs + toMonotonic);
      this.#sessions.set(key, { ...session, openedAtMs, lastSeenAtMs });
    }
  }

  /** The key goes to the browser and is kept nowhere here. */
  open(
    name: string,
    role: Role,
    credential: string | null = null,
  ): { readonly key: string; readonly session: Session } {
    const key = secretText();
    const nowMs = this.#clock.nowMs();
    const csrf = secretText();
    const session: Session = { name, role, csrf, credential, openedAtMs: nowMs, lastSeenAtMs: nowMs };
    this.#sessions.set(digestOf(key), session);
    const oldest = this.#sessions.keys().next().value;
    if (this.#sessions.size > MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    this.#keep();
    return { key, session };
  }

  find(key: string): Session | null {
    const session = this.#sessions.get(digestOf(key));
    if (session === undefined) return null;
    const nowMs = this.#clock.nowMs();
    if (nowMs - session.openedAtMs > MOST_AGE_MS || nowMs - session.lastSeenAtMs > MOST_IDLE_MS) {
      this.#sessions.delete(digestOf(key));
      return null;
    }
    session.lastSeenAtMs = nowMs;
    if (nowMs - this.#savedAtMs > SEEN_KEPT_EVERY_MS) this.#keep();
    return session;
  }

  close(key: string): void {
    this.#sessions.delete(digestOf(key));
    this.#keep();
  }

  #keep(): void {
    this.#savedAtMs = this.#clock.nowMs();
    const { toMonotonic } = this.#times();
    const sessions = [...this.#sessions].flatMap(
      ([key, { openedAtMs, lastSeenAtMs, credential, ...session }]) =>
        credential === null
          ? []
          : [
              {
                ...session,
                key,
                credential,
                openedUnixMs: openedAtMs - toMonotonic,
                lastSeenUnixMs: lastSeenAtMs - toMonotonic,
              },
            ],
    );
    // Whoever can't be remembered signs in again after the next start; that is all.
    this.#store?.save({ sessions }).catch(() => undefined);
  }

  #times() {
    const nowMs = this.#clock.nowMs();
    return { nowMs, toMonotonic: nowMs - this.#clock.wallTime().getTime() };
  }
}

/** 256 bits that nobody guesses. */
export function secretText(): string {
  return randomBytes(32).toString('base64url');
}

export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
