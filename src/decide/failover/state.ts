import type {
  FailoverAlertCode,
  FailoverHold,
  FailoverPolicy,
  Lease,
  MoveTrigger,
  Observation,
  OperatorOrder,
  PublishedRecord,
} from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import { type Flap, steady } from '../flap.ts';
import type { CutOff } from './cut-off.ts';
import { newSight, type ServerSight } from './health.ts';
import type { Leaving } from './leaving.ts';
import type { ServerVerdict } from './verdict.ts';

/** A publication that was ordered and has not come back yet. */
export interface Publishing {
  readonly server: ServerName;
  readonly epoch: number;
  readonly from: ServerName | null;
  readonly trigger: MoveTrigger;
  readonly because: string;
  readonly sinceMs: number;
}

/** Version 0: nobody has ordered anything. */
export type OrderId = Pick<OperatorOrder, 'version' | 'by'>;

/** Somebody else undid what this agent wrote: two that cannot see each other must not write in turns. */
export interface Contest {
  readonly untilMs: number;
}

/**
 * A move with which this agent disagrees: somebody else's, or its own that undid that one. `shownAtMs`: when the others
 * could last see in the DNS that this agent lives, and stands by it.
 */
export type Dispute = 'theirs' | { readonly shownAtMs: number };

export interface FailoverAlert {
  readonly code: FailoverAlertCode;
  readonly subject: string;
  readonly detail: string;
}

/** Everything that the DNS decision rests on. Never changed in place. */
export interface FailoverState {
  readonly sights: ReadonlyMap<ServerName, ServerSight>;
  readonly verdicts: ReadonlyMap<ServerName, ServerVerdict>;
  readonly observations: ReadonlyMap<string, Observation>;
  /** When the agent beside a server was last seen there. */
  readonly colleagueSeenMs: ReadonlyMap<ServerName, number>;
  readonly lease: Lease;
  /** When it became ours; null while it is not. */
  readonly leaseSinceMs: number | null;
  /** Since when nobody has been known to hold it; null while somebody is. */
  readonly noLeaseSinceMs: number | null;
  readonly record: {
    readonly record: PublishedRecord;
    readonly epoch: number | null;
    readonly atMs: number;
  } | null;
  /** When the DNS was last read, and not written: what is known of it after that is our own word. */
  readonly readAtMs: number | null;
  /** When it was last tried to read it, with success or without. */
  readonly lookedAtMs: number | null;
  readonly unread: { readonly detail: string; readonly sinceMs: number } | null;
  readonly cutOff: CutOff | null;
  readonly publishing: Publishing | null;
  /** What this agent wrote last, and when that was. */
  readonly wrote: { readonly server: ServerName; readonly epoch: number; readonly atMs: number } | null;
  /** When what was amiss was last written anew, or could not be. */
  readonly repairedAtMs: number | null;
  /** `by`: whether the provider let it down, or our right to write had ended by then. */
  readonly writeFailed: {
    readonly detail: string;
    readonly atMs: number;
    readonly by: 'provider' | 'right';
  } | null;
  /** Authorities that do not answer yet what was published last. */
  readonly behind: string | null;
  readonly contest: Contest | null;
  readonly dispute: Dispute | null;
  readonly flaps: ReadonlyMap<ServerName, Flap>;
  readonly hold: FailoverHold | null;
  /** Which order of an operator this agent follows, its own or one that it heard of. */
  readonly order: OrderId;
  /** Servers that were left because they failed, and have listeners still. */
  readonly leaving: readonly Leaving[];
  readonly alerts: ReadonlyMap<string, FailoverAlert>;
  readonly startedAtMs: number;
}

/** Of an event that tells where the name goes. */
export function homeAt(server: ServerName, { servers }: FailoverPolicy): { readonly isHome?: true } {
  return server === servers[0] ? { isHome: true } : {};
}

/** What an agent remembers over its own restart. Durations, as the monotonic clock starts anew. */
export interface FailoverMemory {
  readonly ageMs: number;
  readonly hold: {
    readonly author: string;
    readonly remainingMs: number;
    readonly server: ServerName | null;
    readonly override: boolean;
  } | null;
  readonly order: OrderId;
  readonly wrote: { readonly server: ServerName; readonly epoch: number; readonly agoMs: number } | null;
  readonly contest: { readonly remainingMs: number } | null;
  readonly leaving: readonly RememberedLeaving[];
}

export type RememberedLeaving = Omit<Leaving, 'atMs'> & { readonly inMs: number };

export const noFailoverMemory: FailoverMemory = {
  ageMs: Number.POSITIVE_INFINITY,
  hold: null,
  order: { version: 0, by: '' },
  wrote: null,
  contest: null,
  leaving: [],
};

export function newFailover(policy: FailoverPolicy, memory: FailoverMemory, atMs: number): FailoverState {
  const { hold, wrote, contest } = memory;
  return {
    sights: new Map(policy.servers.map((server) => [server, newSight(policy, atMs)])),
    verdicts: new Map(
      policy.servers.map((server) => [server, { is: 'unknown', sinceMs: atMs, known: null }]),
    ),
    observations: new Map(),
    colleagueSeenMs: new Map(),
    lease: { is: 'lost', detail: 'not heard of yet' },
    leaseSinceMs: null,
    noLeaseSinceMs: atMs,
    record: null,
    readAtMs: null,
    lookedAtMs: null,
    unread: null,
    cutOff: null,
    publishing: null,
    wrote: wrote === null ? null : { ...wrote, atMs: atMs - wrote.agoMs },
    repairedAtMs: null,
    writeFailed: null,
    behind: null,
    contest: contest === null ? null : { untilMs: atMs + contest.remainingMs },
    dispute: null,
    flaps: new Map(),
    hold: hold === null ? null : { ...held(hold), untilMs: atMs + hold.remainingMs },
    order: memory.order,
    leaving: memory.leaving.map(({ inMs, ...one }) => ({ ...one, atMs: atMs + inMs })),
    alerts: new Map(),
    startedAtMs: atMs,
  };
}

export function failoverMemoryOf(state: FailoverState, atMs: number): FailoverMemory {
  const { hold, wrote, contest, order } = state;
  return {
    ageMs: 0,
    hold: hold === null ? null : { ...held(hold), remainingMs: Math.max(0, hold.untilMs - atMs) },
    order,
    wrote: wrote === null ? null : { server: wrote.server, epoch: wrote.epoch, agoMs: atMs - wrote.atMs },
    contest: contest === null ? null : { remainingMs: Math.max(0, contest.untilMs - atMs) },
    leaving: state.leaving.map(({ atMs: dueMs, ...one }) => ({ ...one, inMs: Math.max(0, dueMs - atMs) })),
  };
}

/** The server that stands in the DNS, as last read; null when none of ours does, or nothing was read yet. */
export const publishedServer = ({ record }: FailoverState): ServerName | null =>
  record?.record.is === 'server' ? record.record.server : null;

export const flapOf = (state: FailoverState, server: ServerName): Flap => state.flaps.get(server) ?? steady;

const held = ({ author, server, override }: Omit<FailoverHold, 'untilMs'>) => ({ author, server, override });
