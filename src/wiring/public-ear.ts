import { demuxerFor } from '../audio/decode-command.ts';
import type { DecoderFactory } from '../audio/decoder.ts';
import { type LegEar, openLegEar } from '../audio/leg-ear.ts';
import type { PublicEar } from '../domain/failover.ts';
import type { Mount, ServerName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { Link, Pulse } from '../domain/readings.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { startMonitor } from '../listen/monitor.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';

/** How much of a block of sound was sound, and when its end was on air, in ms. */
export interface PublicBlock {
  readonly atMs: number;
  readonly durationMs: number;
  readonly audibleMs: number;
}

/** Hears what listeners of a public mount hear, until it is stopped. */
export interface EarOnAir {
  stop(): Promise<void>;
}

export interface EarHandlers {
  ear(ear: PublicEar): void;
  heard(block: PublicBlock): void;
}

export interface PublicEarOptions extends EarHandlers {
  readonly server: ServerAddress;
  readonly mount: Mount;
  readonly agent: ServerName;
  readonly policy: StationPolicy;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * In relay mode: a listener of its own on the public mount. It needs no proof of position: wherever Icecast carries it,
 * it carries the listeners too.
 */
export function startPublicEar(options: PublicEarOptions): EarOnAir {
  const { clock, policy } = options;
  let ear: LegEar | null = null;
  const closing = new Set<Promise<void>>();
  const closeEar = () => {
    if (ear === null) return;
    const done: Promise<void> = ear.close().finally(() => closing.delete(done));
    closing.add(done);
    ear = null;
  };
  const openEar = (link: Link & { is: 'open' }) => {
    const demuxer = demuxerFor(link.contentType);
    if (demuxer === null) {
      options.ear({ is: 'deaf' });
      return;
    }
    ear = openLegEar({
      monitor: link.monitor,
      demuxer,
      openedAtMs: link.sinceMs,
      thresholdDbfs: policy.silence.thresholdDbfs,
      preset: policy.programme.preset,
      decoders: options.decoders,
      clock,
      onReading: ({ atMs, durationMs, audibleMs }) => options.heard({ atMs, durationMs, audibleMs }),
      onPulse: (pulse) => options.ear(earOf(pulse, policy.stallMs)),
    });
  };
  const monitor = startMonitor({
    clock,
    random: options.random,
    server: options.server,
    mount: options.mount,
    agent: options.agent,
    log: options.log,
    titles: false,
    // A server that is back is to be found back soon, and one listener more costs it nothing.
    backoff: { firstMs: 500, maxMs: 2_000 },
    handlers: {
      link(link) {
        closeEar();
        if (link.is === 'open') openEar(link);
        if (link.is === 'failed') options.ear({ is: 'disconnected', detail: link.detail });
      },
      bytes: (chunk) => ear?.write(chunk, clock.nowMs()),
    },
  });
  return {
    async stop() {
      monitor.stop();
      closeEar();
      await Promise.all(closing);
    },
  };
}

function earOf(pulse: Pulse, stallMs: number): PublicEar {
  if (pulse.atMs - pulse.lastByteAtMs >= stallMs) return { is: 'quiet' };
  if (pulse.decoder === 'rejecting') return { is: 'undecodable' };
  if (pulse.decoder === 'restarting') return { is: 'deaf' };
  return pulse.lastPcmAtMs === null ? { is: 'starting' } : { is: 'hearing' };
}
