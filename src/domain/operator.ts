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

/** "Don't touch": no automatic act while it lasts. `source` is set when it was forced. */
export interface Hold {
  readonly author: string;
  readonly untilMs: number;
  readonly source: SourceName | null;
}
