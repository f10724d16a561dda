import type { MountView, ServerLook } from '../domain/icecast.ts';
import { type LegId, type MonitorId, type Mount, mount, type ServerName } from '../domain/ids.ts';
import type { HoldOrder } from '../domain/operator.ts';
import { SOURCES } from './station.ts';

/** 64 KiB at 128 kbit/s, in blocks of 100 ms. */
const BURST_BLOCKS = 40;
/** `source-timeout` of 10 s: measured 11.3 s on 2.4.4. */
export const SOURCE_TIMEOUT_MS = 11_000;

/** One mount of a simulated Icecast, with the behaviour measured on 2.4.4. */
export interface SimMount {
  readonly mount: Mount;
  connected: boolean;
  connectedAtMs: number;
  audible: boolean;
  stalledAtMs: number | null;
  /** Since when a steady tone goes out instead of programme; null: none. */
  toneFromMs: number | null;
  contentType: string;
  fallback: Mount | null;
  override: boolean;
  maxListeners: number | null;
  listeners: number;
  lastSoundAtMs: number;
  soundingFromMs: number | null;
  /** Start of the present health: broken only by more than a trip delay without sound. */
  healthyFromMs: number;
  /** What a new listener is given at once: whether each of the last 40 blocks that came from the source had sound. */
  burst: boolean[];
}

export interface Monitor {
  id: MonitorId;
  readonly leg: LegId;
  readonly agent: ServerName;
  readonly server: ServerName;
  seat: Mount;
  openedAtMs: number;
  lastByteAtMs: number;
}

/** Icecast, as far as deciding depends on it. */
export class SimServer {
  readonly name: ServerName;
  readonly mounts = new Map<Mount, SimMount>();
  monitors: Monitor[] = [];
  state: 'up' | 'down' | 'frozen' = 'up';
  presences = new Map<ServerName, number>();
  /** What each agent's sign of life says that operators asked for. */
  orders = new Map<ServerName, readonly HoldOrder[]>();
  dropped = 0;

  constructor(name: ServerName) {
    this.name = name;
    for (const source of SOURCES) {
      const at = mount(`/${source}`);
      this.mounts.set(at, {
        mount: at,
        connected: true,
        connectedAtMs: 0,
        audible: true,
        stalledAtMs: null,
        toneFromMs: null,
        contentType: 'audio/mpeg',
        fallback:
          source === 'primary' ? mount('/secondary') : source === 'secondary' ? mount('/autodj') : null,
        override: false,
        maxListeners: null,
        listeners: 0,
        lastSoundAtMs: 0,
        soundingFromMs: 0,
        healthyFromMs: Number.NEGATIVE_INFINITY,
        burst: [],
      });
    }
  }

  at(name: string): SimMount {
    const found = this.mounts.get(mount(name));
    if (found === undefined) throw new Error(`no mount ${name}`);
    return found;
  }

  /** Where a listener who asks for a mount really lands: there, or along the fallback chain. */
  landing(name: Mount): SimMount | null {
    let at = this.mounts.get(name) ?? null;
    for (let hops = 0; at !== null && !at.connected && hops < 5; hops += 1) {
      at = at.fallback === null ? null : (this.mounts.get(at.fallback) ?? null);
    }
    return at?.connected === true ? at : null;
  }

  nowMs = 0;

  tick(nowMs: number, blocks = 1): void {
    this.nowMs = nowMs;
    for (const at of this.mounts.values()) {
      const sounds = this.state === 'up' && at.connected && at.audible && at.stalledAtMs === null;
      if (this.state === 'up' && at.connected && at.stalledAtMs === null)
        at.burst = [...at.burst, ...Array<boolean>(blocks).fill(at.audible)].slice(-BURST_BLOCKS);
      if (sounds) {
        if (nowMs - at.lastSoundAtMs > 5500) at.healthyFromMs = nowMs;
        at.lastSoundAtMs = nowMs;
        at.soundingFromMs ??= nowMs;
      } else at.soundingFromMs = null;
      if (at.connected && at.stalledAtMs !== null && nowMs - at.stalledAtMs >= SOURCE_TIMEOUT_MS)
        this.disconnectSource(at.mount);
    }
  }

  disconnectSource(name: Mount): void {
    const at = this.at(name);
    at.connected = false;
    at.burst = [];
    at.stalledAtMs = null;
    const to = at.fallback === null ? null : this.landing(at.fallback);
    this.carry(at, to);
  }

  connectSource(name: Mount): void {
    const at = this.at(name);
    if (at.connected) return;
    at.connected = true;
    at.connectedAtMs = this.nowMs;
    at.stalledAtMs = null;
    if (!at.override || at.fallback === null) return;
    const from = this.landing(at.fallback);
    if (from !== null && from !== at) this.carry(from, at);
  }

  /** Moves everybody, our monitors too. Surplus over `max-listeners` is cut off without an answer. */
  carry(from: SimMount, to: SimMount | null): void {
    const moved = from.listeners;
    from.listeners = 0;
    if (to === null) {
      this.dropped += moved;
      this.monitors = this.monitors.filter((monitor) => monitor.seat !== from.mount);
      return;
    }
    for (const monitor of this.monitors) if (monitor.seat === from.mount) monitor.seat = to.mount;
    const room =
      to.maxListeners === null ? moved : Math.max(0, Math.min(moved, to.maxListeners - to.listeners));
    to.listeners += room;
    this.dropped += moved - room;
  }

  /** `moveclients`: answers "moved" in every case but a missing destination. Returns what really happened. */
  move(fromName: Mount, toName: Mount): number {
    const from = this.at(fromName);
    const to = this.landing(toName);
    if (this.state !== 'up' || to === null || to === from || !from.connected) return 0;
    if (kind(from.contentType) !== kind(to.contentType)) return 0;
    const moved = from.listeners;
    this.carry(from, to);
    return moved;
  }

  look(agent: ServerName, startedAtMs: number, atMs: number): ServerLook {
    if (this.state === 'down')
      return {
        ok: false,
        startedAtMs,
        atMs,
        failure: 'refused',
        detail: 'connection refused',
      };
    if (this.state === 'frozen')
      return {
        ok: false,
        startedAtMs,
        atMs,
        failure: 'timed-out',
        detail: 'no answer',
      };
    const mounts: MountView[] = [];
    for (const at of this.mounts.values()) {
      if (!at.connected) continue;
      mounts.push({
        mount: at.mount,
        contentType: at.contentType,
        sourceConnectedSeconds: Math.floor((atMs - at.connectedAtMs) / 1000),
        listeners: at.listeners,
        clients: at.listeners + this.monitors.filter((m) => m.seat === at.mount).length,
        fallback: at.fallback,
        maxListeners: at.maxListeners,
        monitors: this.monitors.filter((m) => m.agent === agent && m.seat === at.mount).map((m) => m.id),
        audio: { sampleRateHz: 44_100, channels: 2, bitrateKbps: 128 },
      });
    }
    const presences = [...this.presences].map(([who, seenAtMs]) => ({
      agent: who,
      connectedSeconds: Math.floor((atMs - seenAtMs) / 1000),
    }));
    return { ok: true, startedAtMs, atMs, mounts, presences };
  }
}

export function kind(contentType: string): string {
  return contentType.includes('ogg') ? 'ogg' : 'generic';
}
