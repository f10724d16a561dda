import type { AudioInfo, MountView, Presence, ServerLook } from '../domain/icecast.ts';
import type { MonitorId, Mount, ServerName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { AdminRefusal } from './admin-call.ts';
import { ADMIN_DEADLINE_MS, type AdminClient } from './admin-client.ts';
import { eachLimited } from './limited.ts';
import type { ListedClient, ListedMount } from './lists.ts';
import { NO_AUDIO_INFO } from './stats.ts';
import { isSustain, UserAgentReader } from './user-agent.ts';

export interface LookOptions {
  readonly clock: Clock;
  readonly client: AdminClient;
  /** Who looks: only this agent's monitors are told apart, and its own presence is no news to it. */
  readonly agent: ServerName;
  /** Whether a sign of life by our own name is one of ours; left out: each is. */
  readonly isOurPresence?: (id: MonitorId) => boolean;
  /** The mounts of the station; others on the server are nobody's business here. */
  readonly mounts: readonly Mount[];
  /** No one answer may take longer, in ms. The whole look has this and a little for every mount. */
  readonly deadlineMs?: number;
  /** What changes slowly is asked every so many looks, and when a source client is new. */
  readonly statsEvery?: number;
}

/** Looks at a server. Only one look at a time, please: the slow fields are remembered between them. */
export type Look = () => Promise<ServerLook>;

/** More for many mounts: each answer waits for a busy machine, and their sum must not. */
const callsAtATime = (mounts: number): number => Math.min(8, Math.max(3, Math.ceil(mounts / 25)));
/** With hundreds of mounts a look takes long because it is long, which is no fault of the server. */
const PER_MOUNT_MS = 20;
const STATS_EVERY = 40;
/** The statistics of a new source come a little later than its mount; so many looks are tried again for it. */
const STATS_TRIES = 5;

interface Remembered {
  readonly maxListeners: number | null;
  readonly audio: AudioInfo;
}

export function createLook(options: LookOptions): Look {
  const { clock, client } = options;
  const deadlineMs = options.deadlineMs ?? ADMIN_DEADLINE_MS;
  const watched = new Set(options.mounts);
  const userAgents = new UserAgentReader();
  const slow = new Map<Mount, Remembered>();
  const connectedSeconds = new Map<Mount, number>();
  let looksUntilStats = 0;
  let triesLeft = 0;

  const rememberSlow = async (present: readonly ListedMount[], withinMs: number): Promise<void> => {
    const stats = await client.stats({ deadlineMs: withinMs });
    // The slow fields are worth no failed look: what was known stays.
    if (!stats.ok) return;
    slow.clear();
    for (const { mount, maxListeners, audio } of stats.value.mounts) slow.set(mount, { maxListeners, audio });
    const isComplete = present.every((one) => slow.has(one.mount));
    triesLeft = isComplete ? 0 : triesLeft - 1;
    looksUntilStats = triesLeft > 0 ? 0 : (options.statsEvery ?? STATS_EVERY);
  };

  return async () => {
    const startedAtMs = clock.nowMs();
    const endMs = startedAtMs + deadlineMs + options.mounts.length * PER_MOUNT_MS;
    const leftMs = (): number => Math.max(1, Math.min(deadlineMs, endMs - clock.nowMs()));
    let refusal: AdminRefusal | null = null;
    const failed = (refusal: AdminRefusal): ServerLook => ({
      ...refusal,
      startedAtMs,
      atMs: clock.nowMs(),
    });

    const listed = await client.listMounts({ deadlineMs: leftMs() });
    if (!listed.ok) return failed(listed);
    const present = listed.value.filter((one) => watched.has(one.mount));
    const hasNewSource = noteSources(present, connectedSeconds);
    const clientsOf = await eachLimited(present, callsAtATime(present.length), async (one) => {
      // What failed once is not asked again for every other mount.
      if (refusal !== null || one.clients === 0) return [];
      const answer = await client.listClients(one.mount, { deadlineMs: leftMs() });
      if (answer.ok) return answer.value;
      refusal ??= answer;
      return null;
    });
    if (refusal !== null) return failed(refusal);
    const atMs = clock.nowMs();
    looksUntilStats -= 1;
    if (hasNewSource) triesLeft = STATS_TRIES;
    if (looksUntilStats < 0 || hasNewSource) await rememberSlow(present, leftMs());

    const mounts: MountView[] = [];
    const presences = new Map<ServerName, Presence>();
    let isTwinThere = false;
    for (const [index, one] of present.entries()) {
      const clients = clientsOf[index] ?? null;
      if (clients === null) continue;
      const seated = whoSits(clients, options, userAgents);
      mounts.push(viewOf(one, clients.length, seated, slow.get(one.mount)));
      for (const presence of seated.presences) noteNewest(presences, presence);
      isTwinThere ||= seated.isTwinThere;
    }
    userAgents.forgetUnseen();
    const fallbacks = new Map<Mount, Mount>();
    for (const { mount, fallback } of listed.value) if (fallback !== null) fallbacks.set(mount, fallback);
    const twin = isTwinThere ? { isTwinThere } : {};
    return { ok: true, startedAtMs, atMs, mounts, fallbacks, presences: [...presences.values()], ...twin };
  };
}

/** True when a source client came, or came back, since the last look. */
function noteSources(present: readonly ListedMount[], known: Map<Mount, number>): boolean {
  const before = new Map(known);
  known.clear();
  let isNew = false;
  for (const { mount, sourceConnectedSeconds } of present) {
    const last = before.get(mount);
    const now = sourceConnectedSeconds ?? 0;
    known.set(mount, now);
    if (last === undefined || now < last) isNew = true;
  }
  return isNew;
}

/** The connections on one mount, by who they are. */
interface Seated {
  /** People: nobody of Sustain. */
  listeners: number;
  readonly monitors: MonitorId[];
  /** Of other agents. */
  readonly presences: Presence[];
  isTwinThere: boolean;
}

/** A presence is renewed every 5 s; what has sat for longer is what a dead agent left behind. */
const TWIN_FRESH_SECONDS = 12;

function whoSits(
  clients: readonly ListedClient[],
  { agent: self, isOurPresence = () => true }: LookOptions,
  userAgents: UserAgentReader,
): Seated {
  const seated: Seated = { listeners: 0, monitors: [], presences: [], isTwinThere: false };
  for (const { userAgent, connectedSeconds } of clients) {
    if (!isSustain(userAgent)) {
      seated.listeners += 1;
      continue;
    }
    const ours = userAgents.read(userAgent);
    if (ours?.role === 'monitor' && ours.agent === self) seated.monitors.push(ours.id);
    if (ours?.role !== 'presence') continue;
    if (ours.agent === self) {
      seated.isTwinThere ||= connectedSeconds <= TWIN_FRESH_SECONDS && !isOurPresence(ours.id);
      continue;
    }
    const { role: _role, id: _id, ...said } = ours;
    seated.presences.push({ ...said, connectedSeconds });
  }
  return seated;
}

function viewOf(
  listed: ListedMount,
  clients: number,
  { listeners, monitors }: Seated,
  slow: Remembered | undefined,
): MountView {
  return {
    mount: listed.mount,
    contentType: listed.contentType,
    sourceConnectedSeconds: listed.sourceConnectedSeconds,
    listeners,
    clients,
    fallback: listed.fallback,
    maxListeners: slow?.maxListeners ?? null,
    monitors,
    audio: slow?.audio ?? NO_AUDIO_INFO,
  };
}

/** While a presence is renewed the old one is still there; the younger tells that its agent lived then. */
function noteNewest(newest: Map<ServerName, Presence>, presence: Presence): void {
  const known = newest.get(presence.agent);
  if (known === undefined || presence.connectedSeconds < known.connectedSeconds)
    newest.set(presence.agent, presence);
}
