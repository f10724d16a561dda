// The rig: real Icecasts, real encoders and real listeners on loopback, for the demo and the e2e tests.
// All times are monotonic ms of this process (`performance.now()`), so what a fault began at and what a listener heard
// can be compared directly. A listener hears everything later by Icecast's burst (64 KiB: some 4 s) and its own buffer.
export {
  DEAD_AIR,
  type DeadAir,
  type HeardProgramme,
  SILENT,
  UNCLEAR,
} from './analysis.ts';
export {
  type Bind,
  type DnsServer,
  dig,
  type PowerDns,
  startBind,
  startKnot,
  startPowerDns,
} from './dns-server.ts';
export {
  createEncoder,
  type Encoder,
  type EncoderKind,
  type EncoderOptions,
  type EncoderTarget,
  type StreamFormat,
} from './encoder.ts';
export {
  deadAirMsIn,
  type HeardReport,
  programmeMs,
  wrongProgrammeMs,
} from './hearing.ts';
export {
  freePort,
  type IcecastAddress,
  type IcecastLayout,
  type IcecastListener,
  type IcecastOptions,
  type IcecastServer,
  startIcecast,
} from './icecast-server.ts';
export {
  type HeardTitle,
  type Listener,
  type ListenerOptions,
  startListener,
} from './listener.ts';
export { loadMaterial, type Material, MUSIC, PILOTS_HZ } from './material.ts';
export { type NameAnswer, type NameWatch, watchName } from './name-watch.ts';
export { type NatsCluster, type NatsNode, startNats } from './nats-server.ts';
export {
  livingProcesses,
  startProcess,
  temporaryDirectory,
  waitUntil,
} from './process.ts';
export { createProgramme, type Programme, type Sound } from './programme.ts';
export { createSites, hasNamespaces, type Site, type Sites } from './sites.ts';
