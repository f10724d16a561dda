export type {
  Cluster,
  ClusterLink,
  ClusterLogin,
  ClusterOptions,
  LeaseTimes,
  LeaseView,
  PeerObservation,
} from './cluster.ts';
export { tryNats } from './nats-store.ts';
export { type ClusterParts, LEASE_TIMES, openCluster } from './open.ts';
