import type { LegId, Mount, ServerName, SourceName } from './ids.ts';

declare const commandBrand: unique symbol;
/** Names one command; the result comes back under it. */
export type CommandId = string & { readonly [commandBrand]: true };
export const commandId = (text: string): CommandId => text as CommandId;

/** What `decide/` wants done. Each says why, is safe to repeat, and must be over within its deadline. */
export type Command =
  | {
      readonly kind: 'move-listeners';
      readonly id: CommandId;
      readonly server: ServerName;
      readonly from: Mount;
      readonly to: Mount;
      readonly toSource: SourceName;
      readonly because: string;
      readonly deadlineMs: number;
    }
  | {
      readonly kind: 'reconnect-monitor';
      readonly id: CommandId;
      readonly leg: LegId;
      readonly because: string;
      readonly deadlineMs: number;
    };
