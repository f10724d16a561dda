import type { Config, ServerConfig } from '../../config/index.ts';
import type { AdminFailure } from '../../domain/icecast.ts';
import type { Mount, SourceName, StationName } from '../../domain/ids.ts';
import { parseServerUrl, type ServerAddress } from '../../icecast/address.ts';
import { type AdminClient, createAdminClient } from '../../icecast/admin-client.ts';
import { eachLimited } from '../../icecast/limited.ts';
import type { ListedMount } from '../../icecast/lists.ts';
import type { MountStats, ServerStats } from '../../icecast/stats.ts';
import type { Clock } from '../../platform/clock.ts';
import { clockAheadMs } from '../../platform/clock-ahead.ts';
import { type Probe, probeSound, type Sound } from './sound.ts';

/** A source of a station, by the mount that it has on every server. */
export interface Wanted {
  readonly station: StationName;
  readonly source: SourceName;
  readonly mount: Mount;
}

export interface MountFacts {
  readonly mount: Mount;
  readonly contentType: string;
  readonly fallback: Mount | null;
  /** Null for a file fallback, which has no source client. */
  readonly connectedSeconds: number | null;
  /** Everybody who is connected, monitors of agents among them: they count against the limits as well. */
  readonly connected: number;
  /** Null: unlimited. */
  readonly maxListeners: number | null;
  /** What is known of its sound, measured if that worked and otherwise as the encoder says it. */
  readonly sound: Sound;
  /** Null: it wasn't listened to. */
  readonly probe: Probe | null;
}

/** All that could be learnt of one server. */
export type ServerFacts =
  | {
      readonly server: ServerConfig;
      readonly answers: true;
      readonly version: string;
      /** How far the clock of this machine is ahead of the server's; 0 when the two agree. */
      readonly clockAheadMs: number;
      readonly clients: number;
      readonly listeners: number;
      readonly sources: number;
      /** Every mount of the server, not only those of the stations. */
      readonly mounts: readonly MountFacts[];
      /** Public mounts of relay mode that the source password of the config does not open. */
      readonly refused: readonly Mount[];
    }
  | {
      readonly server: ServerConfig;
      readonly answers: false;
      readonly failure: AdminFailure;
      readonly detail: string;
    };

export function wantedOf(config: Config): readonly Wanted[] {
  return config.stations.flatMap((station) =>
    station.sources.map(({ name, mount }) => ({ station: station.name, source: name, mount })),
  );
}

export interface GatherOptions {
  readonly clock: Clock;
  /** Path of ffmpeg; null: believe what the encoders say. */
  readonly ffmpeg: string | null;
}

const LISTENERS_AT_A_TIME = 3;

/** Asks every server, all at once. */
export function gatherFacts(config: Config, options: GatherOptions): Promise<readonly ServerFacts[]> {
  const mounts = new Set(wantedOf(config).map(({ mount }) => mount));
  const fed = config.stations.flatMap(({ serve }) =>
    serve.mode === 'relay' ? serve.outputs.map(({ mount }) => mount) : [],
  );
  return Promise.all(config.servers.map((server) => factsOf(server, { mounts, fed }, options)));
}

async function factsOf(
  server: ServerConfig,
  wanted: { readonly mounts: ReadonlySet<Mount>; readonly fed: readonly Mount[] },
  options: GatherOptions,
): Promise<ServerFacts> {
  const address = parseServerUrl(server.url, server.ca);
  if (address === null) {
    return { server, answers: false, failure: 'bad-answer', detail: `${server.url} is no address` };
  }
  const client = createAdminClient({
    clock: options.clock,
    server: address,
    credentials: { user: server.admin.user, password: server.admin.password.reveal() },
  });
  const asked = await ask(client, options.clock);
  if (!asked.ok) return { server, answers: false, failure: asked.failure, detail: asked.detail };
  const { stats, listed } = asked;
  return {
    server,
    answers: true,
    version: stats.serverId,
    clockAheadMs: asked.clockAheadMs,
    clients: stats.clients,
    listeners: stats.listeners,
    sources: stats.sources,
    mounts: await eachLimited(listed, LISTENERS_AT_A_TIME, async (one) => {
      const probe = wanted.mounts.has(one.mount) ? await listenTo(address, one.mount, options) : null;
      return mountFacts(
        one,
        stats.mounts.find(({ mount }) => mount === one.mount),
        probe,
      );
    }),
    refused: await refusedOf(server, address, wanted.fed, options),
  };
}

/** A source password opens the admin commands of its mount, whether the mount is there or not. */
async function refusedOf(
  { source }: ServerConfig,
  address: ServerAddress,
  fed: readonly Mount[],
  { clock }: GatherOptions,
): Promise<readonly Mount[]> {
  if (source === null) return [];
  const credentials = { user: source.user, password: source.password.reveal() };
  const client = createAdminClient({ clock, server: address, credentials });
  const refused = await eachLimited(fed, LISTENERS_AT_A_TIME, async (mount) => {
    const listed = await client.listClients(mount);
    return !listed.ok && listed.failure === 'unauthorised' ? [mount] : [];
  });
  return refused.flat();
}

type Asked =
  | {
      readonly ok: true;
      readonly stats: ServerStats;
      readonly clockAheadMs: number;
      readonly listed: readonly ListedMount[];
    }
  | { readonly ok: false; readonly failure: AdminFailure; readonly detail: string };

async function ask(client: AdminClient, clock: Clock): Promise<Asked> {
  const askedAt = clock.wallTime().getTime();
  const stats = await client.stats();
  if (!stats.ok) return stats;
  const aheadMs = clockAheadMs(askedAt, clock.wallTime().getTime(), stats.value.date);
  const listed = await client.listMounts();
  return listed.ok ? { ok: true, stats: stats.value, clockAheadMs: aheadMs, listed: listed.value } : listed;
}

async function listenTo(address: ServerAddress, mount: Mount, options: GatherOptions): Promise<Probe | null> {
  return options.ffmpeg === null ? null : await probeSound(options.clock, address, mount, options.ffmpeg);
}

function mountFacts(listed: ListedMount, stats: MountStats | undefined, probe: Probe | null): MountFacts {
  const said = stats?.audio ?? { sampleRateHz: null, channels: null, bitrateKbps: null };
  return {
    mount: listed.mount,
    contentType: listed.contentType,
    fallback: listed.fallback,
    connectedSeconds: listed.sourceConnectedSeconds,
    connected: listed.clients,
    maxListeners: stats?.maxListeners ?? null,
    sound: probe?.ok ? probe.sound : { ...said, codec: null, from: 'said' },
    probe,
  };
}
