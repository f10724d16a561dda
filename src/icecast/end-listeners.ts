import type { Mount } from '../domain/ids.ts';
import { type Clock, sleep } from '../platform/clock.ts';
import type { AdminClient } from './admin-client.ts';
import { listenersAmong } from './lists.ts';

export interface EndListenersOptions {
  readonly clock: Clock;
  readonly client: AdminClient;
  readonly mounts: readonly Mount[];
  /** They come back by name one after another, not as one wave on the server that is to take them. */
  readonly perSecond: number;
  readonly signal: AbortSignal;
}

export type EndedListeners =
  | { readonly ok: true; readonly ended: number }
  | { readonly ok: false; readonly ended: number; readonly detail: string };

/**
 * Ends the connections of people on these mounts, and of nobody else's monitors. A player that stays on a server which
 * was left would never ask for the name again.
 */
export async function endListeners(options: EndListenersOptions): Promise<EndedListeners> {
  const { clock, client, mounts, perSecond, signal } = options;
  let ended = 0;
  let dueMs = clock.nowMs();
  for (const mount of mounts) {
    const listed = await client.listClients(mount);
    if (!listed.ok) return { ok: false, ended, detail: listed.detail };
    for (const { id } of listenersAmong(listed.value ?? [])) {
      if (signal.aborted) return { ok: false, ended, detail: 'stopped' };
      const said = await client.killClient(mount, id);
      if (!said.ok) return { ok: false, ended, detail: said.detail };
      // One that is refused has gone by itself meanwhile.
      if (said.value.accepted) ended += 1;
      // By when the next is due, as a wait may be longer than was asked for; what a slow server took is not made up for.
      dueMs = Math.max(dueMs, clock.nowMs() - 1_000) + 1_000 / perSecond;
      const waitMs = dueMs - clock.nowMs();
      if (waitMs > 0) await sleep(clock, waitMs, signal);
    }
  }
  return { ok: true, ended };
}
