import type { Severity } from '../domain/incidents.ts';
import type { AlertMessage } from './message.ts';

/** How one try to tell somebody ended. `detail` has no address of a webhook in it, as that is a password. */
export type Delivery =
  | { readonly is: 'sent' }
  | {
      readonly is: 'failed';
      readonly detail: string;
      /** It would fail the same way each time. */
      readonly forGood: boolean;
      /** The other side asked for this. */
      readonly retryAfterMs: number | null;
    };

export const failed = (detail: string, changes: Partial<Delivery & { is: 'failed' }> = {}): Delivery => ({
  is: 'failed',
  detail,
  forGood: false,
  retryAfterMs: null,
  ...changes,
});

/** One receiver of alerts. */
export interface Hook {
  /** As it is called in logs and in the outbox. */
  readonly name: string;
  readonly minimum: Severity;
  /** Null: all of them. */
  readonly stations: readonly string[] | null;
  /** Never rejects; several messages are told as one. */
  deliver(messages: readonly AlertMessage[], signal: AbortSignal): Promise<Delivery>;
}

/** Where a receiver is, and how it wants to be spoken to. */
export type HookTarget =
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string | null }
  | { readonly kind: 'slack' | 'discord' | 'teams'; readonly url: string }
  | { readonly kind: 'ntfy'; readonly url: string; readonly token: string | null }
  | {
      readonly kind: 'email';
      /** `smtp://host:587` or `smtps://host:465`. */
      readonly smtp: string;
      readonly user: string | null;
      readonly password: string | null;
      readonly from: string;
      readonly to: readonly string[];
    }
  | { readonly kind: 'command'; readonly command: readonly string[] };

export interface HookSettings {
  readonly name: string;
  readonly minimum: Severity;
  readonly stations: readonly string[] | null;
  readonly target: HookTarget;
}
