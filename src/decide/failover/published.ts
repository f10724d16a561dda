import type { FailoverEvent, FailoverInput, FailoverPolicy } from '../../domain/failover.ts';
import { contestedBy, disputeAfter } from './contest.ts';
import { cutOffNow, reachedAgain } from './cut-off.ts';
import { leftBy } from './leaving.ts';
import { type FailoverState, homeAt, publishedServer } from './state.ts';
import type { FailoverStep } from './step.ts';

type DnsInput = Extract<
  FailoverInput,
  { readonly kind: 'record' | 'record-unread' | 'authorities' | 'published' }
>;

/** After a write that failed the next waits this long, so that a refusal is not asked for ten times a second. */
export const WRITE_AGAIN_MS = 2_000;

/** What came back from the DNS: what stands there, and how a write of ours ended. */
export function published(state: FailoverState, input: DnsInput, policy: FailoverPolicy): FailoverStep {
  switch (input.kind) {
    case 'record-unread':
      return { state: unread(state, input), commands: [], events: [] };
    case 'record':
      return { state: read(state, input, policy), commands: [], events: foundMoved(state, input, policy) };
    case 'authorities':
      return { state: { ...state, behind: input.behind }, commands: [], events: [] };
    case 'published':
      return ended(state, input, policy);
  }
}

/** So that the log of every agent has where the name pointed, whoever wrote it. */
function foundMoved(
  state: FailoverState,
  { record, atMs }: DnsInput & { kind: 'record' },
  policy: FailoverPolicy,
): readonly FailoverEvent[] {
  if (state.record === null || record.is !== 'server') return [];
  const from = publishedServer(state);
  const to = record.server;
  return from === to ? [] : [{ kind: 'dns-found', atMs, from, to, ...homeAt(to, policy) }];
}

function unread(state: FailoverState, { detail, atMs }: DnsInput & { kind: 'record-unread' }): FailoverState {
  const sinceMs = state.unread?.sinceMs ?? atMs;
  return { ...state, lookedAtMs: atMs, unread: { detail, sinceMs }, cutOff: cutOffNow(state) };
}

function read(
  state: FailoverState,
  { record, epoch, atMs }: DnsInput & { kind: 'record' },
  policy: FailoverPolicy,
): FailoverState {
  const cutOff = reachedAgain(state, atMs);
  const times = { readAtMs: atMs, lookedAtMs: atMs };
  // Who can't reach the DNS lets the lease be: that nobody has it counts from when it is reached again.
  const wasUnread = state.unread !== null && state.noLeaseSinceMs !== null;
  const noLeaseSinceMs = wasUnread ? atMs : state.noLeaseSinceMs;
  const next = { ...state, ...times, record: { record, epoch, atMs }, unread: null, noLeaseSinceMs, cutOff };
  const known = Math.max(state.record?.epoch ?? 0, state.wrote?.epoch ?? 0);
  if (policy.mode === 'cluster' || epoch === null || epoch <= known) return next;
  // Each foreign write is held against the one of ours that it undid, once.
  return { ...next, ...contestedBy(state, record, atMs, policy), wrote: null };
}

function ended(
  state: FailoverState,
  { server, epoch, outcome, atMs }: DnsInput & { kind: 'published' },
  policy: FailoverPolicy,
): FailoverStep {
  const { publishing } = state;
  if (publishing === null || publishing.server !== server) return { state, commands: [], events: [] };
  const repairedAtMs = publishing.trigger === 'repair' ? atMs : state.repairedAtMs;
  const free = { ...state, publishing: null, repairedAtMs };
  if (outcome.is !== 'done') {
    const by = outcome.is === 'failed' ? 'provider' : 'right';
    const cutOff = by === 'provider' ? cutOffNow(state) : state.cutOff;
    return {
      state: { ...free, cutOff, writeFailed: { detail: outcome.detail, atMs, by } },
      commands: [],
      events: [],
    };
  }
  const { because, sinceMs } = publishing;
  const moved: FailoverEvent = { kind: 'dns-moved', atMs, to: server, tookMs: atMs - sinceMs, because };
  return {
    state: {
      ...free,
      writeFailed: null,
      behind: outcome.behind,
      record: { record: { is: 'server', server, amiss: null }, epoch, atMs },
      wrote: { server, epoch, atMs },
      dispute: disputeAfter(state, publishing, atMs),
      leaving: leftBy(state, publishing, atMs, policy),
    },
    commands: [],
    events: [moved],
  };
}
