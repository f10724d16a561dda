import type { FailoverPolicy, MoveTrigger } from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import { holdDownAt } from '../flap.ts';
import { isSignDue } from './contest.ts';
import { mayBeOurLine } from './cut-off.ts';
import { type FailoverState, flapOf, publishedServer } from './state.ts';
import { verifiedAtMs } from './verdict.ts';

/** Where the name should point, and why. */
export type Wish =
  | { readonly is: 'stay' }
  | { readonly is: 'move'; readonly to: ServerName; readonly trigger: MoveTrigger; readonly because: string };

const STAY: Wish = { is: 'stay' };
/** What does not stay repaired is repaired no more often than this: somebody else may want it otherwise. */
const REPAIR_AGAIN_MS = 60_000;

/**
 * The escape from a server that is ill waits for nothing; the return to a better one waits for its restore delay and
 * what flapping adds to it. When no server is well, or what stands in the DNS is not ours, nothing moves.
 */
export function wishOf(state: FailoverState, nowMs: number, policy: FailoverPolicy): Wish {
  const { record, hold } = state;
  if (record === null) return STAY;
  const current = publishedServer(state);
  if (hold !== null) {
    if (hold.server === null || hold.server === current) return STAY;
    // It may take a while until the name can be written, and the server may have gone silent meanwhile.
    if (!hold.override && !isFit(state, hold.server, nowMs, policy)) return STAY;
    return { is: 'move', to: hold.server, trigger: 'operator', because: `${hold.author} asked for it` };
  }
  if (record.record.is === 'foreign') return STAY;
  if (current === null) return first(state, nowMs, policy);
  if (state.verdicts.get(current)?.is === 'ill') return flee(state, current, nowMs, policy);
  const back = comeBack(state, current, nowMs, policy);
  return back.is === 'move' ? back : repair(state, current, nowMs, policy);
}

function first(state: FailoverState, nowMs: number, policy: FailoverPolicy): Wish {
  // At the start a better server may only be slower to be proven.
  if (nowMs - state.startedAtMs < 3 * policy.intervalMs && !isFit(state, policy.servers[0], nowMs, policy))
    return STAY;
  const to = policy.servers.find((server) => isFit(state, server, nowMs, policy));
  if (to === undefined) return STAY;
  return {
    is: 'move',
    to,
    trigger: 'first',
    because: `the name points to no one server, and ${to} is heard`,
  };
}

function flee(state: FailoverState, current: ServerName, nowMs: number, policy: FailoverPolicy): Wish {
  const to = policy.servers.find((server) => server !== current && isFit(state, server, nowMs, policy));
  if (to === undefined) return STAY;
  // While the DNS is not reached a write is tried all the same, as that may be how it is found to be there again.
  const isDnsBack = state.cutOff !== null && state.cutOff.backAtMs !== null;
  if (isDnsBack && mayBeOurLine(state, current, policy)) return STAY;
  const health = state.sights.get(current)?.health;
  const why = health?.is === 'ill' ? health.detail : 'most of the witnesses say so';
  return { is: 'move', to, trigger: 'fault', because: `${current} gives listeners no sound: ${why}` };
}

function comeBack(state: FailoverState, current: ServerName, nowMs: number, policy: FailoverPolicy): Wish {
  for (const server of policy.servers) {
    if (server === current) return STAY;
    const verdict = state.verdicts.get(server);
    if (verdict?.is !== 'well' || !isFit(state, server, nowMs, policy)) continue;
    const wellMs = nowMs - verdict.sinceMs;
    if (wellMs < policy.restoreMs + holdDownAt(flapOf(state, server), nowMs, policy.flap)) continue;
    const minutes = (wellMs / 60_000).toFixed(1);
    return {
      is: 'move',
      to: server,
      trigger: 'return',
      because: `${server} has been well for ${minutes} min`,
    };
  }
  return STAY;
}

/** With a TTL of an hour that somebody left there the first escape would take an hour: it is mended while all is well. */
function repair(state: FailoverState, current: ServerName, nowMs: number, policy: FailoverPolicy): Wish {
  const { repairedAtMs } = state;
  const amiss = isSignDue(state, nowMs, policy)
    ? 'so that who took the name from it sees that it is alive'
    : amissIn(state);
  if (amiss === null || !isFit(state, current, nowMs, policy)) return STAY;
  if (repairedAtMs !== null && nowMs - repairedAtMs < REPAIR_AGAIN_MS) return STAY;
  return { is: 'move', to: current, trigger: 'repair', because: amiss };
}

/** What is not as it would be written for the server that the name points to; null when nothing is. */
export function amissIn({ record }: FailoverState): string | null {
  return record?.record.is === 'server' ? record.record.amiss : null;
}

/**
 * Whether a write that was ordered is to be made still: an answer may have been waited for, and meanwhile an operator have
 * held the name, the server that is to be published have died, or this agent been cut off from everything.
 */
export function isStillWanted(
  state: FailoverState,
  server: ServerName,
  nowMs: number,
  policy: FailoverPolicy,
): boolean {
  const wish = wishOf(state, nowMs, policy);
  if (wish.is !== 'move' || wish.to !== server) return false;
  const current = publishedServer(state);
  return wish.trigger !== 'fault' || current === null || !mayBeOurLine(state, current, policy);
}

/** Whether listeners may be sent to a server: agreed to be well, and its sound proven just now. */
export function isFit(
  state: FailoverState,
  server: ServerName | undefined,
  nowMs: number,
  policy: FailoverPolicy,
): boolean {
  if (server === undefined || state.verdicts.get(server)?.is !== 'well') return false;
  return nowMs - verifiedAtMs(state, server, nowMs, policy) <= policy.verifiedWithinMs;
}
