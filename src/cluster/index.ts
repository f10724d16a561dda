import type { ClusterLogin } from './cluster.ts';

export type {
  Cluster,
  ClusterLink,
  ClusterLogin,
  ClusterOptions,
  LeaseTimes,
  LeaseView,
  PeerObservation,
} from './cluster.ts';
export { type ClusterParts, LEASE_TIMES, openCluster } from './open.ts';

/** Whether one NATS server can be used: null, or why it can't. */
export async function tryNats(url: string, login: ClusterLogin): Promise<string | null> {
  return (await import('./nats-store.ts')).tryNats(url, login);
}
