import { type Mount, mount } from '../../../src/domain/ids.ts';
import type { AdminRefusal } from '../../../src/icecast/admin-call.ts';
import type { AdminClient } from '../../../src/icecast/admin-client.ts';
import type { ListedMount } from '../../../src/icecast/lists.ts';
import { NO_AUDIO_INFO } from '../../../src/icecast/stats.ts';

/** A server out of thin air: who sits where, what it claims, and what it was asked. */
export class FakeIcecast {
  readonly seats = new Map<Mount, Map<string, string>>();
  readonly asked: string[] = [];
  readonly ages = new Map<Mount, number>();
  readonly maxListeners = new Map<Mount, number>();
  refusal: AdminRefusal | null = null;
  /** What a move really does; by default what it says. */
  onMove: (from: Mount, to: Mount) => void = (from, to) => this.moveAll(from, to);
  atOnce = 0;
  mostAtOnce = 0;

  /** A mount with these clients: id to User-Agent. */
  seat(at: string, clients: Readonly<Record<string, string>> = {}): void {
    this.seats.set(mount(at), new Map(Object.entries(clients)));
  }

  moveAll(from: Mount, to: Mount): void {
    for (const [id, userAgent] of this.seats.get(from) ?? []) this.seats.get(to)?.set(id, userAgent);
    this.seats.get(from)?.clear();
  }

  readonly client: AdminClient = {
    server: { host: 'fake', port: 8000, tls: false },
    listMounts: () => this.#answer('listmounts', () => [...this.seats.keys()].map((at) => this.#listed(at))),
    listClients: (at) =>
      this.#answer(`listclients ${at}`, () => {
        const seats = this.seats.get(at);
        if (seats === undefined) return null;
        return [...seats].map(([id, userAgent]) => ({ id, userAgent, connectedSeconds: Number(id) }));
      }),
    stats: () =>
      this.#answer('stats', () => ({
        serverId: 'Icecast 2.4.4',
        clients: 0,
        listeners: 0,
        sources: 0,
        startedAt: null,
        date: null,
        mounts: [...this.maxListeners].map(([at, maxListeners]) => ({
          mount: at,
          maxListeners,
          contentType: 'audio/mpeg',
          audio: NO_AUDIO_INFO,
          listeners: 0,
          slowListeners: 0,
          totalBytesRead: null,
          title: null,
        })),
      })),
    moveClients: (from, to) =>
      this.#answer(`move ${from} ${to}`, () => {
        if (!this.seats.has(to)) return { accepted: false, sentence: 'No such destination' };
        this.onMove(from, to);
        return { accepted: true, sentence: `Clients moved from ${from} to ${to}` };
      }),
    killClient: (at, id) => this.#answer(`kill ${at} ${id}`, () => ({ accepted: true, sentence: '' })),
    setTitle: (at) => this.#answer(`title ${at}`, () => ({ accepted: true, sentence: '' })),
  };

  #listed(at: Mount): ListedMount {
    return {
      mount: at,
      contentType: 'audio/mpeg',
      sourceConnectedSeconds: this.ages.get(at) ?? 10,
      clients: this.seats.get(at)?.size ?? 0,
      fallback: null,
    };
  }

  async #answer<Value>(what: string, value: () => Value): Promise<{ ok: true; value: Value } | AdminRefusal> {
    this.asked.push(what);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.atOnce -= 1;
    return this.refusal ?? { ok: true, value: value() };
  }
}
