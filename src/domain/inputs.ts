import type { CommandId } from './commands.ts';
import type { RelayTrigger } from './events.ts';
import type { ServerLook } from './icecast.ts';
import type { LegId, ServerName } from './ids.ts';
import type { HoldOrder, OperatorRequest } from './operator.ts';
import type { LevelReading, Link, Pulse } from './readings.ts';

/** How a command ended, read back from the server and not from its answer. */
export type CommandOutcome =
  | { readonly is: 'done'; readonly detail: string }
  | { readonly is: 'not-done'; readonly detail: string }
  | { readonly is: 'failed'; readonly detail: string };

/** Everything that can reach the decision, each with the monotonic time at which it was true. */
export type Input =
  | { readonly kind: 'tick'; readonly atMs: number }
  | { readonly kind: 'link'; readonly atMs: number; readonly leg: LegId; readonly link: Link }
  | { readonly kind: 'pulse'; readonly atMs: number; readonly leg: LegId; readonly pulse: Pulse }
  | { readonly kind: 'levels'; readonly atMs: number; readonly leg: LegId; readonly reading: LevelReading }
  | { readonly kind: 'look'; readonly atMs: number; readonly server: ServerName; readonly look: ServerLook }
  | {
      readonly kind: 'result';
      readonly atMs: number;
      readonly command: CommandId;
      readonly outcome: CommandOutcome;
    }
  | {
      readonly kind: 'operator';
      readonly atMs: number;
      /** The same moment by the clock on the wall, as the agents compare when they were asked. */
      readonly unixMs: number;
      readonly request: OperatorRequest;
    }
  /** What an operator asked of another agent, or of this one before it lost its memory. */
  | { readonly kind: 'heard-order'; readonly atMs: number; readonly order: HoldOrder }
  /** Relay mode: from now on this leg feeds the public mounts; null: the noise floor does, as nothing is audible. */
  | {
      readonly kind: 'on-air';
      readonly atMs: number;
      /** What it was until now. */
      readonly from: LegId | null;
      readonly leg: LegId | null;
      readonly trigger: RelayTrigger;
    }
  /** This agent itself stood still for `lostMs` (paused, starved): what seems to have stopped may only be ourselves. */
  | { readonly kind: 'gap'; readonly atMs: number; readonly lostMs: number }
  /** From now on, or from before now on, silence is planned; an `untilMs` of now ends it. */
  | {
      readonly kind: 'planned-silence';
      readonly atMs: number;
      readonly fromMs: number;
      readonly untilMs: number;
      readonly says: string;
    }
  | { readonly kind: 'stop'; readonly atMs: number };
