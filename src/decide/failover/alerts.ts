import type { FailoverAlertCode, FailoverEvent, FailoverPolicy } from '../../domain/failover.ts';
import { amissIn, wishOf } from './choice.ts';
import { type FailoverAlert, type FailoverState, publishedServer } from './state.ts';
import type { FailoverStep } from './step.ts';

/** At the start nothing is known for a while, and that is no news. */
const STARTING_MS = 30_000;
/** A name server that is restarted misses a reading, and nobody has to know. */
const UNREAD_FOR_MS = 12_000;
/** When the agent that held the lease dies, the next has it a moment after it has run out. */
const HANDED_ON_WITHIN_MS = 10_000;

/** Opens what deserves an alert now, from the state alone, and closes what no longer does. */
export function failoverAlerts(state: FailoverState, nowMs: number, policy: FailoverPolicy): FailoverStep {
  const now = new Map(found(state, nowMs, policy).map((one) => [`${one.code} ${one.subject}`, one]));
  const events: FailoverEvent[] = [];
  for (const [key, alert] of now) {
    if (!state.alerts.has(key)) events.push({ kind: 'dns-alert-opened', atMs: nowMs, ...alert });
  }
  for (const [key, alert] of state.alerts) {
    if (!now.has(key)) events.push({ kind: 'dns-alert-closed', atMs: nowMs, ...alert });
  }
  return { state: { ...state, alerts: now }, commands: [], events };
}

function found(state: FailoverState, nowMs: number, policy: FailoverPolicy): FailoverAlert[] {
  const alerts: FailoverAlert[] = [];
  const add = (code: FailoverAlertCode, subject: string, detail: string) =>
    alerts.push({ code, subject, detail });
  const current = publishedServer(state);
  for (const [server, { health }] of state.sights) {
    if (health.is === 'ill') add('dns-server-ill', server, `${server}: ${health.illness}, ${health.detail}`);
  }
  const isIll = (server: typeof current) => server !== null && state.verdicts.get(server)?.is === 'ill';
  if (policy.servers.every(isIll))
    add('dns-no-server-well', 'dns', 'no server gives listeners sound; the name stays where it is');
  const better = policy.servers.find((server) => state.verdicts.get(server)?.is === 'well');
  if (state.hold !== null && current !== null && isIll(current) && better !== undefined) {
    const where = `holds the name on ${current}, which gives listeners no sound`;
    add('dns-held', current, `${state.hold.author} ${where}; ${better} does: release the name`);
  }
  const wantsWrite = state.publishing !== null || wishOf(state, nowMs, policy).is === 'move';
  const amiss = amissIn(state);
  if (state.writeFailed !== null && isKnownToLast(state) && (wantsWrite || amiss !== null))
    add('dns-not-written', 'dns', `the name could not be written: ${state.writeFailed.detail}`);
  const { unread } = state;
  if (unread !== null && (wantsWrite || nowMs - unread.sinceMs >= UNREAD_FOR_MS))
    add('dns-not-read', 'dns', `what stands in the DNS is not known: ${unread.detail}`);
  if (state.behind !== null)
    add('dns-not-everywhere', 'dns', `some authorities do not answer what was written: ${state.behind}`);
  if (state.contest !== null)
    add('dns-contested', 'dns', 'another agent undid what this one wrote: can they reach each other?');
  if (state.record?.record.is === 'foreign')
    add('dns-foreign', 'dns', `${state.record.record.detail}: nothing is moved until it is one of ours`);
  const isStarting = nowMs - state.startedAtMs < STARTING_MS;
  const isHandedOn = nowMs - (state.noLeaseSinceMs ?? nowMs) < HANDED_ON_WITHIN_MS;
  // Who can't reach the DNS has no use for the lease: where that is everybody, it is what is told.
  const isMissed = state.lease.is === 'lost' && unread === null;
  if (policy.mode === 'cluster' && isMissed && !isStarting && !isHandedOn)
    add('dns-no-lease', 'dns', `the name stays where it is, source switching goes on: ${state.lease.detail}`);
  return alerts;
}

/** Another agent may have written the very same, and kept this one from it: what stands there now says whether it failed. */
function isKnownToLast({ writeFailed, readAtMs }: FailoverState): boolean {
  if (writeFailed?.by !== 'right') return true;
  return readAtMs !== null && readAtMs > writeFailed.atMs;
}
