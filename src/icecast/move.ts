import type { Mount } from '../domain/ids.ts';
import type { CommandOutcome } from '../domain/inputs.ts';
import { type Clock, sleep } from '../platform/clock.ts';
import type { AdminRefusal } from './admin-call.ts';
import { ADMIN_DEADLINE_MS, type AdminClient } from './admin-client.ts';
import { eachLimited } from './limited.ts';
import { listenersAmong } from './lists.ts';

/** What became of the listeners of a mount, counted on the server and not taken from its answer. */
export interface MoveCount {
  /** Listeners on `from` before. */
  readonly before: number;
  /** Of those, now on `to`. */
  readonly moved: number;
  /** Of those, still on `from`. */
  readonly remaining: number;
  /** Of those, now on another mount: `to` had no source, so Icecast used its fallback. */
  readonly elsewhere: number;
  /** Of those, on no mount at all: dropped (destination full), or they left just then. */
  readonly gone: number;
  /** Came to `from` meanwhile. */
  readonly arrived: number;
  /** What Icecast claimed. */
  readonly said: string;
}

export type MoveOutcome =
  | { readonly is: 'nothing-to-move' }
  | { readonly is: 'read-back'; readonly count: MoveCount }
  | { readonly is: 'refused'; readonly detail: string }
  | { readonly is: 'failed'; readonly refusal: AdminRefusal };

export interface MoveOptions {
  readonly clock: Clock;
  readonly client: AdminClient;
  readonly from: Mount;
  readonly to: Mount;
  /** For all of it, in ms. */
  readonly deadlineMs?: number;
}

/** A move shows in `listclients` when the destination's own thread has taken the clients over. */
const READ_BACK_WAITS_MS = [20, 50, 100, 200, 300, 500];

/**
 * Moves all listeners and reads back where they are. With nobody but our own connections on `from` it does nothing:
 * a move would only carry those away.
 */
export async function moveListeners(options: MoveOptions): Promise<MoveOutcome> {
  const { clock, client, from, to } = options;
  const startedAtMs = clock.nowMs();
  const deadlineMs = options.deadlineMs ?? ADMIN_DEADLINE_MS;
  const call = () => ({
    deadlineMs: Math.max(1, startedAtMs + deadlineMs - clock.nowMs()),
  });

  const before = await client.listClients(from, call());
  if (!before.ok) return { is: 'failed', refusal: before };
  const ids = new Set(listenersAmong(before.value ?? []).map((listener) => listener.id));
  if (ids.size === 0) return { is: 'nothing-to-move' };
  const said = await client.moveClients(from, to, call());
  if (!said.ok) return { is: 'failed', refusal: said };
  if (!said.value.accepted) return { is: 'refused', detail: said.value.sentence };

  let places: Places = { onFrom: new Set(), onTo: new Set() };
  for (const waitMs of READ_BACK_WAITS_MS) {
    await sleep(clock, waitMs);
    const read = await readPlaces(client, from, to, call());
    if (!read.ok) return { is: 'failed', refusal: read };
    places = read.value;
    if ([...ids].every((id) => places.onTo.has(id))) break;
    if (clock.nowMs() - startedAtMs > deadlineMs / 2) break;
  }
  const missing = [...ids].filter((id) => !places.onTo.has(id) && !places.onFrom.has(id));
  const elsewhere = missing.length === 0 ? 0 : await countElsewhere(client, missing, [from, to], call);
  const remaining = [...ids].filter((id) => places.onFrom.has(id)).length;
  return {
    is: 'read-back',
    count: {
      before: ids.size,
      moved: [...ids].filter((id) => places.onTo.has(id)).length,
      remaining,
      elsewhere,
      gone: missing.length - elsewhere,
      arrived: places.onFrom.size - remaining,
      said: said.value.sentence,
    },
  };
}

/** The outcome as the decision takes it: done only when every listener is where they should be. */
export function commandOutcomeOf(outcome: MoveOutcome, from: Mount, to: Mount): CommandOutcome {
  switch (outcome.is) {
    case 'nothing-to-move':
      return { is: 'done', detail: `no listeners on ${from}` };
    case 'failed':
      return { is: 'failed', detail: outcome.refusal.detail };
    case 'refused':
      return { is: 'not-done', detail: `Icecast refused: ${outcome.detail}` };
    case 'read-back': {
      const { before, moved, remaining, elsewhere, gone } = outcome.count;
      const parts = [
        `${moved} of ${before} moved from ${from} to ${to}`,
        ...(remaining > 0 ? [`${remaining} still on ${from}`] : []),
        ...(elsewhere > 0 ? [`${elsewhere} on another mount`] : []),
        ...(gone > 0 ? [`${gone} disconnected`] : []),
      ];
      const isDone = remaining + elsewhere + gone === 0;
      return { is: isDone ? 'done' : 'not-done', detail: parts.join(', ') };
    }
  }
}

interface Places {
  readonly onFrom: ReadonlySet<string>;
  readonly onTo: ReadonlySet<string>;
}

async function readPlaces(
  client: AdminClient,
  from: Mount,
  to: Mount,
  call: { deadlineMs: number },
): Promise<{ ok: true; value: Places } | AdminRefusal> {
  const [onFrom, onTo] = await Promise.all([client.listClients(from, call), client.listClients(to, call)]);
  if (!onFrom.ok) return onFrom;
  if (!onTo.ok) return onTo;
  const idsOf = (clients: typeof onFrom.value) => new Set(listenersAmong(clients ?? []).map(({ id }) => id));
  return {
    ok: true,
    value: { onFrom: idsOf(onFrom.value), onTo: idsOf(onTo.value) },
  };
}

async function countElsewhere(
  client: AdminClient,
  missing: readonly string[],
  known: readonly Mount[],
  call: () => { deadlineMs: number },
): Promise<number> {
  const listed = await client.listMounts(call());
  if (!listed.ok) return 0;
  const others = listed.value.filter((one) => one.clients > 0 && !known.includes(one.mount));
  const answers = await eachLimited(others, 3, (one) => client.listClients(one.mount, call()));
  const ids = new Set(
    answers.flatMap((answer) => (answer.ok ? (answer.value ?? []) : [])).map(({ id }) => id),
  );
  return missing.filter((id) => ids.has(id)).length;
}
