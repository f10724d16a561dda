import type { Secret } from '../config/index.ts';
import type { ChainSign } from '../domain/chain-sign.ts';
import type { Command } from '../domain/commands.ts';
import type { ServerLook } from '../domain/icecast.ts';
import type { Mount, ServerName } from '../domain/ids.ts';
import type { CommandOutcome } from '../domain/inputs.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { createAdminClient } from '../icecast/admin-client.ts';
import { type EndedListeners, endListeners } from '../icecast/end-listeners.ts';
import { commandOutcomeOf, moveListeners } from '../icecast/move.ts';
import type { OnAir } from '../icecast/user-agent.ts';
import { startLooker } from '../listen/looker.ts';
import { startPresence } from '../listen/presence.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Random } from '../platform/random.ts';

const LOOK_EVERY_MS = 500;
/** However slow they are: after three seconds without news nothing is claimed of a leg any more. */
const LOOK_AT_LEAST_EVERY_MS = 1000;
/** A server that stands still has to be found before its listeners' buffers are empty. */
const LOOK_DEADLINE_MS = 2000;

export interface ServerLinkOptions {
  readonly name: ServerName;
  /** The server that this agent stands beside. */
  readonly self: ServerName;
  readonly address: ServerAddress;
  readonly admin: { readonly user: string; readonly password: Secret };
  /** Every mount of every station; the last ones are the likeliest to be there always. */
  readonly mounts: readonly Mount[];
  /** What this agent has on air, for the other agents to show. */
  readonly onAir: () => OnAir;
  /** Another text when the others are to hear of something at once. */
  readonly news?: () => string;
  /** What the other agents are shown of our processing chains. */
  readonly chains?: () => readonly ChainSign[];
  readonly clock: Clock;
  readonly random: Random;
  readonly seen: (look: ServerLook) => void;
  /** What our sign of life on this server says to the other agents. */
  readonly marks: () => readonly string[];
}

export interface ServerLink {
  readonly address: ServerAddress;
  carryOut(command: Command & { kind: 'move-listeners' }): Promise<CommandOutcome>;
  /** Hangs up on the people who listen there, so many a second. */
  endListeners(mounts: readonly Mount[], perSecond: number, signal: AbortSignal): Promise<EndedListeners>;
  stop(): void;
}

/** One server: its admin API looked at and acted on, and our sign of life there for the other agents. */
export function startServerLink(options: ServerLinkOptions): ServerLink {
  const { address, admin, clock, random, self, mounts } = options;
  const client = createAdminClient({
    clock,
    server: address,
    credentials: { user: admin.user, password: admin.password.reveal() },
  });
  const presence = startPresence({
    clock,
    random,
    server: address,
    agent: self,
    mounts: [...mounts].reverse(),
    marks: options.marks,
    onAir: options.onAir,
    ...(options.news === undefined ? {} : { news: options.news }),
    ...(options.chains === undefined ? {} : { chains: options.chains }),
  });
  const looker = startLooker({
    clock,
    client,
    agent: self,
    isOurPresence: (id) => presence.isOurs(id),
    mounts,
    seen: options.seen,
    intervalMs: LOOK_EVERY_MS,
    maxIntervalMs: LOOK_AT_LEAST_EVERY_MS,
    deadlineMs: LOOK_DEADLINE_MS,
  });

  return {
    address,
    async carryOut(command) {
      try {
        const { from, to } = command;
        const deadlineMs = Math.max(1, command.deadlineMs - clock.nowMs());
        return commandOutcomeOf(await moveListeners({ clock, client, from, to, deadlineMs }), from, to);
      } catch (thrown) {
        return { is: 'failed', detail: messageOf(thrown) };
      } finally {
        looker.lookNow();
      }
    },
    endListeners: (from, perSecond, signal) =>
      endListeners({ clock, client, mounts: from, perSecond, signal }),
    stop() {
      looker.stop();
      presence.stop();
    },
  };
}
