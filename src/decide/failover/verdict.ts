import type { FailoverPolicy, ServerHealth, ServerWord } from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import type { FailoverState } from './state.ts';

/**
 * What the witnesses together make of a server. `sinceMs` by our own clock: since when that has been so without a break.
 * `known`: what they last made of it that was more than nothing.
 */
export interface ServerVerdict {
  readonly is: 'unknown' | 'well' | 'ill';
  readonly sinceMs: number;
  readonly known: 'well' | 'ill' | null;
}

/**
 * Alone, what this agent sees is the verdict. In a cluster most of those who say anything have to agree, and one alone
 * is never enough: two that cannot see each other would each call the other dead.
 */
export function verdictOn(
  state: FailoverState,
  server: ServerName,
  nowMs: number,
  policy: FailoverPolicy,
): ServerVerdict {
  const old = state.verdicts.get(server) ?? { is: 'unknown', sinceMs: nowMs, known: null };
  const own = state.sights.get(server)?.health ?? { is: 'unknown', sinceMs: nowMs };
  const is = policy.mode === 'alone' ? aloneVerdict(own, old) : majority(state, server, own, nowMs, policy);
  if (is === old.is) return old;
  return { is, sinceMs: nowMs, known: is === 'unknown' ? old.known : is };
}

function aloneVerdict(own: ServerHealth, old: ServerVerdict): ServerVerdict['is'] {
  return own.is === 'doubt' ? (old.is === 'ill' ? 'ill' : 'well') : own.is;
}

/** When any of the witnesses last heard sound on a server; -Infinity when none has. */
export function verifiedAtMs(
  state: FailoverState,
  server: ServerName,
  nowMs: number,
  policy: FailoverPolicy,
): number {
  const own = state.sights.get(server)?.health;
  const times = freshWords(state, server, nowMs, policy).map(({ word, heardAtMs }) =>
    word.is === 'well' && word.verifiedAgoMs !== null
      ? heardAtMs - word.verifiedAgoMs
      : Number.NEGATIVE_INFINITY,
  );
  return Math.max(own?.is === 'well' ? own.verifiedAtMs : Number.NEGATIVE_INFINITY, ...times);
}

interface FreshWord {
  readonly word: ServerWord;
  readonly heardAtMs: number;
}

/** What the others said of a server lately. */
function freshWords(
  { observations }: FailoverState,
  server: ServerName,
  nowMs: number,
  policy: FailoverPolicy,
): FreshWord[] {
  return [...observations.values()].flatMap(({ agent, heardAtMs, servers }) => {
    const word = servers.get(server);
    const counts = agent !== policy.self && nowMs - heardAtMs <= policy.freshMs;
    return counts && word !== undefined ? [{ word, heardAtMs }] : [];
  });
}

function majority(
  state: FailoverState,
  server: ServerName,
  own: ServerHealth,
  nowMs: number,
  policy: FailoverPolicy,
): ServerVerdict['is'] {
  const others = freshWords(state, server, nowMs, policy).map(({ word }) => word.is);
  const voices = [own.is, ...others].filter((word) => word !== 'unknown');
  if (voices.length < 2) return 'unknown';
  const ill = voices.filter((word) => word === 'ill').length;
  if (ill * 2 > voices.length) return 'ill';
  const well = voices.filter((word) => word === 'well').length;
  if (well * 2 > voices.length) return 'well';
  // Undecided: what was last agreed on stands.
  return state.verdicts.get(server)?.is ?? 'unknown';
}
