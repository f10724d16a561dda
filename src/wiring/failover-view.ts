import type { FailoverState } from '../decide/failover/state.ts';
import { mayWrite } from '../decide/failover/writer.ts';
import type { FailoverPolicy, ServerHealth } from '../domain/failover.ts';
import type { FailoverView } from '../domain/failover-view.ts';
import type { FailoverEventView } from './failover-log.ts';

export function failoverView(
  state: FailoverState,
  policy: FailoverPolicy,
  names: readonly string[],
  events: readonly FailoverEventView[],
  nowMs: number,
): FailoverView {
  const right = mayWrite(state, nowMs, policy);
  const { publishing, hold, record } = state;
  return {
    names,
    record: record?.record ?? null,
    epoch: record?.epoch ?? null,
    mode: policy.mode,
    writes: right.may ? { may: true } : { may: false, because: right.because },
    lease: policy.mode === 'cluster' ? state.lease.is : null,
    moving:
      publishing === null ? null : { to: publishing.server, forMs: Math.round(nowMs - publishing.sinceMs) },
    hold:
      hold === null
        ? null
        : { author: hold.author, server: hold.server, remainingMs: Math.round(hold.untilMs - nowMs) },
    servers: policy.servers.map((server) => {
      const health: ServerHealth = state.sights.get(server)?.health ?? { is: 'unknown', sinceMs: nowMs };
      const verdict = state.verdicts.get(server);
      return {
        server,
        health: health.is,
        detail: detailOf(health),
        verdict: verdict?.is ?? 'unknown',
        forMs: Math.round(nowMs - health.sinceMs),
      };
    }),
    agents: [...state.observations.values()].map(({ agent, heardAtMs }) => ({
      agent,
      seenAgoMs: Math.round(nowMs - heardAtMs),
    })),
    alerts: [...state.alerts.values()],
    events,
  };
}

function detailOf(health: ServerHealth): string {
  switch (health.is) {
    case 'ill':
      return `${health.illness}: ${health.detail}`;
    case 'doubt':
      return health.detail;
    default:
      return '';
  }
}
