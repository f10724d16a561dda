import type { DecoderFactory } from '../audio/decoder.ts';
import type { PublicEar } from '../domain/failover.ts';
import type { Mount, ServerName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { LevelReading, Pulse } from '../domain/readings.ts';
import type { ServerAddress } from '../icecast/address.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { meterSettingsOf } from './meter-settings.ts';
import { startMountEar } from './mount-ear.ts';

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
  /** Who shows what it sounds like. */
  readonly meters: PublicMeters | null;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Takes the sound of a public mount, for eyes. */
export interface PublicMeters {
  heard(pcm: Float32Array): void;
  measured(reading: LevelReading): void;
}

/**
 * In relay mode: a listener of its own on the public mount. It needs no proof of position: wherever Icecast carries it,
 * it carries the listeners too.
 */
export function startPublicEar(options: PublicEarOptions): EarOnAir {
  const { policy, meters } = options;
  return startMountEar({
    server: options.server,
    mount: options.mount,
    agent: options.agent,
    settings: meterSettingsOf(policy),
    // A server that is back is to be found back soon, and one listener more costs it nothing.
    backoff: { firstMs: 500, maxMs: 2_000 },
    decoders: options.decoders,
    clock: options.clock,
    random: options.random,
    log: options.log,
    handlers: {
      link(link) {
        if (link.is === 'failed') options.ear({ is: 'disconnected', detail: link.detail });
      },
      undecodable: () => options.ear({ is: 'deaf' }),
      reading(reading) {
        const { atMs, durationMs, audibleMs } = reading;
        options.heard({ atMs, durationMs, audibleMs });
        meters?.measured(reading);
      },
      pulse: (pulse) => options.ear(earOf(pulse, policy.stallMs)),
      ...(meters === null ? {} : { pcm: (pcm: Float32Array) => meters.heard(pcm) }),
    },
  });
}

function earOf(pulse: Pulse, stallMs: number): PublicEar {
  if (pulse.atMs - pulse.lastByteAtMs >= stallMs) return { is: 'quiet' };
  if (pulse.decoder === 'rejecting') return { is: 'undecodable' };
  if (pulse.decoder === 'restarting') return { is: 'deaf' };
  return pulse.lastPcmAtMs === null ? { is: 'starting' } : { is: 'hearing' };
}
