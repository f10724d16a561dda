import type { DecoderFactory } from '../audio/decoder.ts';
import type { Cluster } from '../cluster/index.ts';
import type { FailoverState } from '../decide/failover/state.ts';
import type { DnsWriter } from '../dns/index.ts';
import type {
  FailoverEvent,
  FailoverInput,
  FailoverPolicy,
  FailoverRequest,
  OperatorOrder,
  RequestAnswer,
} from '../domain/failover.ts';
import type { FailoverView } from '../domain/failover-view.ts';
import type { Mount, ServerName, StationName } from '../domain/ids.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { probeMount } from '../listen/probe.ts';
import { type Clock, sleep } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { Station } from '../station.ts';
import { AddressProofs } from './address-proofs.ts';
import { type FailoverEventView, FailoverLog } from './failover-log.ts';
import { failoverView } from './failover-view.ts';
import { startGuardedEar } from './guarded-ear.ts';
import { failoverMemoryFile } from './memory-file.ts';
import { NameDesk } from './name-desk.ts';
import type { WireObservation } from './observation.ts';
import { type EarHandlers, type EarOnAir, type PublicMeters, startPublicEar } from './public-ear.ts';
import type { ServerLink } from './server-link.ts';
import type { Names } from './zone.ts';

const REMEMBER_EVERY_MS = 5_000;
/** Listeners are sent back to the name so many a second. */
const ENDED_PER_SECOND = 50;
const RELAYED_LATE_MS = 30_000;
/** Of the fast interval: how far a probe may be put off. */
const JITTER = 0.2;

/** A server as listeners reach it, and as the agents do. */
export interface FailoverServer {
  readonly name: ServerName;
  readonly public: ServerAddress;
  /** What else the DNS answers with for it. */
  readonly others: ReadonlyMap<string, ServerAddress>;
  readonly link: ServerLink | null;
}

/** A station's public mounts, the one that is listened to first. */
export interface FailoverStation {
  readonly name: StationName;
  readonly station: Station;
  readonly mounts: readonly [Mount, ...Mount[]];
  /** Who shows what the public mounts of a server sound like. */
  readonly metersOf: (server: ServerName) => PublicMeters | null;
}

export interface FailoverOptions {
  readonly policy: FailoverPolicy;
  readonly names: Names;
  readonly servers: readonly FailoverServer[];
  readonly stations: readonly FailoverStation[];
  readonly writer: DnsWriter;
  readonly cluster: Cluster<WireObservation> | null;
  readonly decoders: DecoderFactory;
  /** A probe that takes longer has failed, in ms. */
  readonly probeWithinMs: number;
  readonly stateDirectory: string;
  readonly noted?: (event: FailoverEvent) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface Failover {
  view(): FailoverView;
  readonly state: FailoverState;
  request(request: FailoverRequest): RequestAnswer;
  /** What an operator ordered from another agent, as its sign of life says. */
  heardOrder(order: OperatorOrder): void;
  /** The agent beside a server showed that it lives, or did not, in a look at that server. */
  sawColleague(server: ServerName, seen: boolean): void;
  /** Whether the public mounts of a server are heard for it. */
  hears(server: ServerName): boolean;
  /** Events of before this agent started, for the log that people see. */
  recall(before: readonly FailoverEventView[]): void;
  stop(): Promise<void>;
}

/** Hears every public mount on every server, and keeps the station's name where listeners hear it. */
export async function startFailover(options: FailoverOptions): Promise<Failover> {
  const { policy, clock, log, random, cluster, writer } = options;
  const events = new FailoverLog(clock, log);
  const file = failoverMemoryFile(options.stateDirectory, clock, log);
  const ending = new AbortController();
  const probing = new Set<string>();
  const emptying = new Set<ServerName>();
  const remember = () => file.save(desk.memory());

  const proofs = new AddressProofs({
    clock,
    published: options.names.addresses,
    others: new Map(options.servers.map(({ name, others }) => [name, others])),
    provenForMs: policy.verifiedWithinMs,
    isHeardAt,
  });
  const desk = new NameDesk({
    policy,
    names: options.names,
    proofs,
    memory: await file.load(),
    writer,
    cluster,
    clock,
    log,
    event(event) {
      events.note(event);
      options.noted?.(event);
      // What a crash must not undo is written at once; the rest every few seconds.
      if (event.kind === 'dns-moved' || event.kind === 'dns-hold-changed')
        setImmediate(() => void remember());
    },
    probe: (server, station, isAnew) => void probe(server, station, isAnew),
    endListeners: (server) => void end(server),
  });

  /** One at a time for each mount, but for one anew: a probe that hangs is the finding, and not to be piled up. */
  async function probe(serverName: ServerName, stationName: StationName, isAnew: boolean): Promise<void> {
    const key = `${serverName} ${stationName}`;
    const server = options.servers.find(({ name }) => name === serverName);
    const station = options.stations.find(({ name }) => name === stationName);
    if (server === undefined || station === undefined || (probing.has(key) && !isAnew)) return;
    probing.add(key);
    // So that the agents don't all come at the same moment.
    await sleep(clock, random.next() * JITTER * policy.fastIntervalMs, ending.signal);
    if (station === options.stations[0]) void proofs.try(serverName);
    const beganAtMs = clock.nowMs();
    const result = await probeAt(server.public, station, options.probeWithinMs);
    probing.delete(key);
    desk.take({
      kind: 'probe',
      atMs: clock.nowMs(),
      beganAtMs,
      server: serverName,
      station: stationName,
      probe: result,
    });
  }

  function probeAt(server: ServerAddress, station: FailoverStation, withinMs: number) {
    const mount = station.mounts[0];
    return probeMount({ clock, random, server, mount, agent: policy.self as ServerName, withinMs });
  }

  /** One station that is heard there proves an address, as it does a server. */
  async function isHeardAt(address: ServerAddress): Promise<boolean> {
    const untilMs = clock.nowMs() + options.probeWithinMs;
    for (const station of options.stations) {
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0) return false;
      if ((await probeAt(address, station, leftMs)).ok) return true;
    }
    return false;
  }

  async function end(serverName: ServerName): Promise<void> {
    const link = options.servers.find(({ name }) => name === serverName)?.link ?? null;
    // Of many listeners the last may not have been ended when they are due again.
    if (link === null || emptying.has(serverName)) return;
    emptying.add(serverName);
    const mounts = [...new Set(options.stations.flatMap((station) => station.mounts))];
    const result = await link.endListeners(mounts, ENDED_PER_SECOND, ending.signal);
    emptying.delete(serverName);
    const facts = {
      server: serverName,
      ended: result.ended,
      ...(result.ok ? {} : { because: result.detail }),
    };
    log[result.ok ? 'info' : 'warn'](facts, 'listeners were sent back to the name');
  }

  const ears = startEars(options, (input) => desk.take(input));
  const cancelRemembering = clock.every(REMEMBER_EVERY_MS, () => void remember());
  return {
    view: () =>
      failoverView({
        state: desk.state,
        policy,
        names: options.names.names,
        link: cluster?.link() ?? null,
        events: events.events,
        nowMs: clock.nowMs(),
      }),
    get state() {
      return desk.state;
    },
    request(request) {
      const unixMs = clock.wallTime().getTime();
      const events = desk.take({ kind: 'operator', atMs: clock.nowMs(), unixMs, request });
      const refused = events.find((event) => event.kind === 'dns-refused');
      if (refused !== undefined) return { is: 'refused', detail: refused.detail };
      return { is: 'taken' };
    },
    heardOrder: (order) => desk.take({ kind: 'heard-order', atMs: clock.nowMs(), order }),
    sawColleague: (server, seen) => desk.take({ kind: 'colleague', atMs: clock.nowMs(), server, seen }),
    recall: (before) => events.recall(before),
    hears: (server) => options.servers.some(({ name }) => name === server),
    async stop() {
      cancelRemembering();
      desk.stop();
      writer.stop();
      ending.abort();
      await Promise.allSettled([remember(), cluster?.close(), ...ears.map((ear) => ear.stop())]);
    },
  };
}

/** A planned silence is no illness of a server; relay mode plays it some seconds later than the legs bring it. */
function isSilenceWanted({ state }: Station, atMs: number): boolean {
  const { silence } = state;
  return silence !== null && atMs >= silence.fromMs && atMs < silence.untilMs + RELAYED_LATE_MS;
}

function startEars(options: FailoverOptions, take: (input: FailoverInput) => void): EarOnAir[] {
  const { clock, random, decoders, log, policy } = options;
  return options.servers.flatMap((server) =>
    options.stations.map(({ name, station, mounts, metersOf }) => {
      const of = { server: server.name, station: name };
      const handlers: EarHandlers = {
        ear: (ear) => take({ kind: 'ear', atMs: clock.nowMs(), ...of, ear }),
        heard: (block) => {
          const isWanted = isSilenceWanted(station, block.atMs);
          const audibleMs = isWanted ? block.durationMs : block.audibleMs;
          take({ kind: 'heard', atMs: clock.nowMs(), ...of, block: { ...block, audibleMs } });
        },
      };
      if (station.policy.mode === 'guard') return startGuardedEar(station, server.name, clock, handlers);
      return startPublicEar({
        ...handlers,
        server: server.public,
        mount: mounts[0],
        agent: policy.self as ServerName,
        policy: station.policy,
        meters: metersOf(server.name),
        decoders,
        clock,
        random,
        log,
      });
    }),
  );
}
