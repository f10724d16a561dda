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

/** `answered`: a server of HTTP is there, whatever it said. */
export type ProbeFinding = Probe & { readonly answered: boolean };

/** Does what a new listener does, up to the first byte of sound, and hangs up. */
export function probeMount(options: ProbeOptions): Promise<ProbeFinding> {
  const { clock, random, server, mount, agent, withinMs } = options;
  return new Promise((resolve) => {
    let stage: ProbeStage = 'connect';
    const finish = (probe: ProbeFinding): void => {
      cancel();
      connection.destroy();
      resolve(probe);
    };
    const fail = (detail: string, answered: boolean): void => finish({ ok: false, stage, detail, answered });
    const cancel = clock.after(withinMs, () =>
      fail(`${WAITING[stage]} within ${withinMs} ms`, stage === 'first-byte'),
    );
    const connection = openStream(
      clock,
      {
        server,
        mount,
        userAgent: userAgentOf({ role: 'monitor', agent, id: monitorId(random.token(8)) }),
        icyMetadata: false,
      },
      {
        reached(step) {
          stage = server.tls && step === 'connected' ? 'tls' : 'http';
        },
        opened() {
          stage = 'first-byte';
        },
        bytes: () => finish({ ok: true, answered: true }),
        failed(failure, detail) {
          stage = stageOf(failure, stage);
          fail(detail, isAnswered(failure, stage));
        },
      },
    );
  });
}

/** What had not come at each stage when the time was over. */
const WAITING: Readonly<Record<ProbeStage, string>> = {
  resolve: 'no connection',
  connect: 'no connection',
  tls: 'connected, and no TLS',
  http: 'connected, and no answer',
  'first-byte': 'connected, and no sound came',
};

/** A name and a certificate can fail before anything is reached; all else fails at the stage that was next. */
function stageOf(failure: LinkFailure, next: ProbeStage): ProbeStage {
  if (failure === 'name-not-found') return 'resolve';
  return failure === 'tls' ? 'tls' : next;
}

/** Whether it was a server of HTTP that turned the listener away. */
function isAnswered(failure: LinkFailure, stage: ProbeStage): boolean {
  return stage === 'first-byte' || (stage === 'http' && failure !== 'timed-out' && failure !== 'closed');
}
