import { mount, type ServerName } from '../domain/ids.ts';
import type { Encoder, WorldFault } from './faults.ts';
import { SimServer } from './icecast.ts';
import { SERVERS } from './station.ts';

const ENCODERS: readonly Encoder[] = ['primary', 'secondary', 'autodj'];
const PRIMARY = mount('/primary');
/** Somebody always listens on each server: what this crowd hears is what listeners of the server hear. */
const CROWD = 10;

/** What a listener of a server gets. `stalled`: nothing comes; `hangs`: not even an answer to a new connection. */
export interface Output {
  readonly is: 'sound' | 'pause' | 'silent' | 'stalled' | 'refuses' | 'hangs';
  /** Which source, where there is one. */
  readonly source: Encoder | null;
}

export interface PartsOptions {
  /** From when an encoder finds its server again to its connection. */
  readonly encoderReconnectMs: number;
  /** Without an agent Icecast itself has to bring listeners back. */
  readonly fallbackOverride: boolean;
}

/** Servers, encoders and the network, with whatever is wrong with them now. */
export class Parts {
  readonly servers: ReadonlyMap<ServerName, SimServer>;
  readonly faults = new Set<WorldFault>();
  readonly #options: PartsOptions;
  /** Mounts whose encoder is on its way back, by when. */
  readonly #comingBack = new Map<string, number>();

  constructor(options: PartsOptions) {
    this.#options = options;
    this.servers = new Map(SERVERS.map((name) => [name, new SimServer(name)]));
    for (const server of this.servers.values()) {
      server.at('/primary').listeners = CROWD;
      for (const at of server.mounts.values()) at.override = options.fallbackOverride;
    }
  }

  server(name: ServerName): SimServer {
    const found = this.servers.get(name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  }

  begin(fault: WorldFault, nowMs: number): void {
    this.faults.add(fault);
    this.#settle(nowMs);
  }

  end(fault: WorldFault, nowMs: number): void {
    this.faults.delete(fault);
    this.#settle(nowMs);
  }

  advance(nowMs: number, stepMs: number): void {
    for (const [key, dueMs] of this.#comingBack) {
      if (nowMs < dueMs) continue;
      this.#comingBack.delete(key);
      const [name = '', encoder = ''] = key.split(' ');
      for (const server of this.servers.values())
        if (server.name === name) server.connectSource(mount(`/${encoder}`));
    }
    for (const server of this.servers.values()) {
      server.tick(nowMs, stepMs / 100);
      this.#seat(server);
    }
  }

  get isSettled(): boolean {
    return this.#comingBack.size === 0;
  }

  is(what: WorldFault['what'], server?: ServerName): boolean {
    return [...this.faults].some(
      (fault) =>
        fault.what === what && (server === undefined || ('server' in fault && fault.server === server)),
    );
  }

  /** Whether the network carries anything between an agent's site and a server's. */
  reaches(from: ServerName, to: ServerName): boolean {
    if (from === to) return true;
    return !this.is('link') && !this.is('site', from) && !this.is('site', to);
  }

  isAgent(server: ServerName, is: 'dead' | 'deaf'): boolean {
    if (is === 'dead' && this.is('machine', server)) return true;
    return [...this.faults].some(
      (fault) => fault.what === 'agent' && fault.server === server && fault.is === is,
    );
  }

  /** What listeners of a server hear where they sit. */
  output(name: ServerName): Output {
    const server = this.server(name);
    if (this.is('site', name)) return { is: 'hangs', source: null };
    if (server.state === 'down') return { is: 'refuses', source: null };
    if (server.state === 'frozen') return { is: 'hangs', source: null };
    const seat = [...server.mounts.values()].find(({ listeners }) => listeners > 0);
    if (seat === undefined) return { is: 'refuses', source: null };
    return this.heardOn(name, seat.mount.slice(1) as Encoder);
  }

  /** What goes out on one mount. */
  heardOn(name: ServerName, encoder: Encoder): Output {
    const at = this.server(name).at(`/${encoder}`);
    if (!at.connected) return { is: 'refuses', source: null };
    if (at.stalledAtMs !== null) return { is: 'stalled', source: encoder };
    if (at.audible) return { is: 'sound', source: encoder };
    return { is: this.#isSilent(name, encoder) ? 'silent' : 'pause', source: encoder };
  }

  #settle(nowMs: number): void {
    for (const server of this.servers.values()) {
      const { name } = server;
      server.nowMs = nowMs;
      const isDead = this.is('machine', name) || this.#isServer(name, 'dead');
      const state = isDead ? 'down' : this.#isServer(name, 'hung') ? 'frozen' : 'up';
      if (state === 'down' && server.state !== 'down') {
        for (const at of server.mounts.values()) {
          server.carry(at, null);
          at.connected = false;
          at.stalledAtMs = null;
        }
      }
      server.state = state;
      for (const encoder of ENCODERS) this.#settleSource(server, encoder, nowMs);
    }
  }

  #settleSource(server: SimServer, encoder: Encoder, nowMs: number): void {
    const at = server.at(`/${encoder}`);
    const key = `${server.name} ${encoder}`;
    const isGone = this.#isSource(server.name, encoder, 'gone') || server.state === 'down';
    const isCut = this.is('site', server.name);
    const stands = this.#isSource(server.name, encoder, 'stalled') || isCut;
    at.audible = !this.#isSilent(server.name, encoder) && !(this.is('pause') && encoder !== 'autodj');
    if (isGone || stands) this.#comingBack.delete(key);
    if (isGone && at.connected) server.disconnectSource(at.mount);
    if (!at.connected) {
      if (!isGone && !stands && !this.#comingBack.has(key))
        this.#comingBack.set(key, nowMs + this.#options.encoderReconnectMs);
      return;
    }
    at.stalledAtMs = stands ? (at.stalledAtMs ?? nowMs) : null;
  }

  #seat(server: SimServer): void {
    if (server.state !== 'up') return;
    if ([...server.mounts.values()].some(({ listeners }) => listeners > 0)) return;
    const at = server.landing(PRIMARY);
    if (at !== null) at.listeners = CROWD;
  }

  #isServer(server: ServerName, is: 'dead' | 'hung' | 'silent'): boolean {
    return [...this.faults].some(
      (fault) => fault.what === 'server' && fault.server === server && fault.is === is,
    );
  }

  #isSource(server: ServerName, encoder: Encoder, is: 'gone' | 'stalled' | 'silent'): boolean {
    return [...this.faults].some((fault) => {
      if (fault.what === 'studio') return fault.is === is && encoder !== 'autodj';
      if (fault.what !== 'source' || fault.is !== is || fault.source !== encoder) return false;
      return fault.on === 'all' || fault.on === server;
    });
  }

  #isSilent(server: ServerName, encoder: Encoder): boolean {
    return this.#isServer(server, 'silent') || this.#isSource(server, encoder, 'silent');
  }
}
