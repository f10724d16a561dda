import type { Severity } from './incidents.ts';

/** Where a receiver of alerts is, and how it wants to be spoken to. `Secret`: what an address or a password is kept as. */
export type HookTarget<Secret> =
  | { readonly kind: 'webhook'; readonly url: Secret; readonly secret: Secret | null }
  | { readonly kind: 'slack' | 'discord' | 'teams'; readonly url: Secret }
  | { readonly kind: 'ntfy'; readonly url: Secret; readonly token: Secret | null }
  | {
      readonly kind: 'email';
      /** `smtp://host:587` or `smtps://host:465`. */
      readonly smtp: string;
      readonly user: string | null;
      readonly password: Secret | null;
      readonly from: string;
      readonly to: readonly string[];
    }
  | { readonly kind: 'command'; readonly command: readonly string[] };

/** One receiver of alerts. */
export interface HookSettings<Secret> {
  /** As it is called in logs and in the outbox. */
  readonly name: string;
  readonly minimum: Severity;
  /** Null: all of them. */
  readonly stations: readonly string[] | null;
  readonly target: HookTarget<Secret>;
}
