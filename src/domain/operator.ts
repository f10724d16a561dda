import type { ServerName, SourceName } from './ids.ts';

/** An operator's wish, always with a name and an end. Times are monotonic ms in `decide/`, durations outside. */
export type OperatorRequest =
  | { readonly do: 'hold'; readonly server: ServerName; readonly author: string; readonly forMs: number }
  | {
      readonly do: 'force';
      readonly server: ServerName;
      readonly source: SourceName;
      readonly author: string;
      readonly forMs: number;
      readonly override: boolean;
    }
  | { readonly do: 'release'; readonly server: ServerName; readonly author: string };

/** No hold lasts longer. */
export const HOLD_MAX_MS = 7 * 24 * 3_600_000;

/** "Don't touch": no automatic act while it lasts. `source` is set when it was forced. */
export interface Hold {
  readonly author: string;
  readonly untilMs: number;
  readonly source: SourceName | null;
}

/** Which word of an operator goes for a server: the later one, and of the same second that of the agent whose name comes later. */
export interface OrderId {
  /** When it was given by the clock of the agent that was asked; always later than the one that it replaced there. */
  readonly unixSeconds: number;
  readonly by: ServerName;
  readonly author: string;
}

/** The last word of an operator on a server, as agents hand it on to each other. A hold of null is a release, or is over. */
export interface HoldOrder extends OrderId {
  readonly server: ServerName;
  readonly hold: Omit<Hold, 'author'> | null;
}
