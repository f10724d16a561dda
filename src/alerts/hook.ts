import type { HookSettings } from '../domain/alert-hooks.ts';
import type { AlertMessage } from './message.ts';

/** How one try to tell somebody ended. `detail` has no address of a webhook in it, as that is a password. */
export type Delivery =
  | {
      readonly is: 'sent';
      /** Some of those it was meant for did not get it, and why. */
      readonly but?: string;
    }
  | {
      readonly is: 'failed';
      readonly detail: string;
      /** It would fail the same way each time. */
      readonly forGood: boolean;
      /** What was told is refused for what it is; another alert may be taken at once. */
      readonly isOfMessage: boolean;
      /** The other side asked for this. */
      readonly retryAfterMs: number | null;
    };

export const failed = (detail: string, changes: Partial<Delivery & { is: 'failed' }> = {}): Delivery => ({
  is: 'failed',
  detail,
  forGood: false,
  isOfMessage: false,
  retryAfterMs: null,
  ...changes,
});

/** One receiver of alerts. */
export interface Hook extends Omit<HookSettings<string>, 'target'> {
  /** Never rejects; several messages are told as one. */
  deliver(messages: readonly AlertMessage[], signal: AbortSignal): Promise<Delivery>;
}
