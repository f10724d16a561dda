import type { ClusterLink } from '../cluster/index.ts';
import type { FailoverState } from '../decide/failover/state.ts';
import { mayWrite } from '../decide/failover/writer.ts';
import type { FailoverPolicy, ServerHealth } from '../domain/failover.ts';
import type { FailoverView } from '../domain/failover-view.ts';
import type { FailoverEventView } from './failover-log.ts';

export interface FailoverFacts {
  readonly state: FailoverState;
  readonly policy: FailoverPolicy;
  readonly names: readonly string[];
  readonly link: ClusterLink | null;
  readonly events: readonly FailoverEventView[];
  readonly nowMs: number;
}

export function failoverView({ state, policy, names, link, events, nowMs }: FailoverFacts): FailoverView {
  const right = mayWrite(state, nowMs, policy);
  const { publishing, hold, record } = state;
  return {
    names,
    record: record?.record ?? null,
    epoch: record?.epoch ?? null,
    mode: policy.mode,
    writes: right.may ? { may: true } : { may: false, because: right.because },
    cluster: link === null ? null : { link: link.is, reason: 'reason' in link ? link.reason : null },
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
