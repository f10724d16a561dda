import type { Probe, ProbeStage } from '../domain/failover.ts';
import { type Mount, monitorId, type ServerName } from '../domain/ids.ts';
import type { LinkFailure } from '../domain/readings.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { openStream } from '../icecast/stream-client.ts';
import { userAgentOf } from '../icecast/user-agent.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';

export interface ProbeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** As listeners reach it. */
  readonly server: ServerAddress;
  readonly mount: Mount;
  readonly agent: ServerName;
  /** From the start to the first byte of sound. */
  readonly withinMs: number;
}

/** Does what a new listener does, up to the first byte of sound, and hangs up. */
export function probeMount(options: ProbeOptions): Promise<Probe> {
  const { clock, random, server, mount, agent, withinMs } = options;
  return new Promise((resolve) => {
    let isOpen = false;
    const finish = (probe: Probe): void => {
      cancel();
      connection.destroy();
      resolve(probe);
    };
    const fail = (stage: ProbeStage, detail: string): void => finish({ ok: false, stage, detail });
    const cancel = clock.after(withinMs, () => {
      const so = isOpen ? 'connected, and no sound came' : 'no answer';
      fail(isOpen ? 'first-byte' : 'connect', `${so} within ${withinMs} ms`);
    });
    const connection = openStream(
      clock,
      {
        server,
        mount,
        userAgent: userAgentOf({ role: 'monitor', agent, id: monitorId(random.token(8)) }),
        icyMetadata: false,
      },
      {
        opened: () => {
          isOpen = true;
        },
        bytes: () => finish({ ok: true }),
        failed: (failure, detail) => fail(isOpen ? 'first-byte' : stageOf(failure), detail),
      },
    );
  });
}

function stageOf(failure: LinkFailure): ProbeStage {
  switch (failure) {
    case 'name-not-found':
      return 'resolve';
    case 'refused':
    case 'timed-out':
      return 'connect';
    case 'tls':
      return 'tls';
    default:
      return 'http';
  }
}
