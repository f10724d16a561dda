import { demuxerFor } from '../audio/decode-command.ts';
import type { DecoderFactory } from '../audio/decoder.ts';
import { type LegEar, openLegEar } from '../audio/leg-ear.ts';
import type { MeterSettings } from '../audio/meter.ts';
import type { Mount, ServerName } from '../domain/ids.ts';
import type { LevelReading, Link, Pulse } from '../domain/readings.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { type MonitorOptions, startMonitor } from '../listen/monitor.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';

/** What is heard on a mount, connection after connection. */
export interface MountEarHandlers {
  /** Where the monitor stands. What came over an earlier connection has ended; the ear of an open one is made after this. */
  link?(link: Link): void;
  /** A connection brings what no decoder of ours takes. */
  undecodable?(contentType: string): void;
  reading(reading: LevelReading): void;
  pulse?(pulse: Pulse): void;
  pcm?(pcm: Float32Array): void;
  /** The decoder was replaced: what comes next doesn't follow on what came before. */
  hole?(): void;
  /** So many bytes of sound are about to be decoded. */
  bytes?(count: number): void;
  title?(title: string): void;
}

export interface MountEarOptions {
  readonly server: ServerAddress;
  readonly mount: Mount;
  /** Who listens, as it stands in the User-Agent. */
  readonly agent: ServerName;
  readonly settings: MeterSettings;
  readonly handlers: MountEarHandlers;
  /** False to begin without connecting, until `setWanted(true)`. */
  readonly wanted?: boolean;
  readonly backoff?: MonitorOptions['backoff'];
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each connection; absent where nobody wants to know. */
  readonly log?: Logger;
}

export interface MountEar {
  setWanted(wanted: boolean): void;
  reconnect(because: string): void;
  /** From now on measured by these; the connection stays. */
  measureBy(settings: MeterSettings): void;
  stop(): Promise<void>;
}

/** Listens to one mount until it is stopped: a monitor, and an ear for each connection that the monitor makes. */
export function startMountEar(options: MountEarOptions): MountEar {
  const { clock, random, log, handlers, backoff, wanted } = options;
  let { settings } = options;
  let ear: LegEar | null = null;
  const closing = new Set<Promise<void>>();

  const close = () => {
    if (ear === null) return;
    const done: Promise<void> = ear.close().finally(() => closing.delete(done));
    closing.add(done);
    ear = null;
  };
  const open = (link: Link & { is: 'open' }) => {
    const demuxer = demuxerFor(link.contentType);
    if (demuxer === null) return handlers.undecodable?.(link.contentType);
    ear = openLegEar({
      monitor: link.monitor,
      demuxer,
      openedAtMs: link.sinceMs,
      ...settings,
      decoders: options.decoders,
      clock,
      onReading: (reading) => handlers.reading(reading),
      onPulse: (pulse) => handlers.pulse?.(pulse),
      onPcm: (pcm) => handlers.pcm?.(pcm),
      onHole: () => handlers.hole?.(),
    });
  };
  const monitor = startMonitor({
    clock,
    random,
    server: options.server,
    mount: options.mount,
    agent: options.agent,
    ...(log === undefined ? {} : { log }),
    titles: handlers.title !== undefined,
    ...(backoff === undefined ? {} : { backoff }),
    ...(wanted === undefined ? {} : { wanted }),
    handlers: {
      link(link) {
        close();
        handlers.link?.(link);
        if (link.is === 'open') open(link);
      },
      bytes(chunk) {
        handlers.bytes?.(chunk.length);
        ear?.write(chunk, clock.nowMs());
      },
      title({ title }) {
        if (title !== null) handlers.title?.(title);
      },
    },
  });
  return {
    setWanted: (now) => monitor.setWanted(now),
    reconnect: (because) => monitor.reconnect(because),
    measureBy(now) {
      settings = now;
      ear?.measureBy(now);
    },
    async stop() {
      monitor.stop();
      close();
      await Promise.all(closing);
    },
  };
}
