import type { FailoverPolicy, Probe, PublicEar, ServerHealth, ServerIllness } from '../../domain/failover.ts';
import type { StationName } from '../../domain/ids.ts';
import type { SilencePolicy } from '../../domain/policy.ts';
import { type HeardBlock, hear, newSensor, type SoundSensor } from '../sound.ts';

/** One station's public mount on one server, as this agent hears it. */
interface PublicMount {
  readonly station: StationName;
  readonly ear: PublicEar;
  readonly earSinceMs: number;
  readonly sensor: SoundSensor;
  /** In a row. */
  readonly good: number;
  readonly bad: number;
  /** `seenAtMs`: no longer ago than that. */
  readonly illness: {
    readonly illness: ServerIllness;
    readonly detail: string;
    readonly seenAtMs: number;
  } | null;
  readonly lastProbeAtMs: number | null;
  /** When a sample last said anything; while our own ear is broken none does. */
  readonly knownAtMs: number | null;
}

/** One server, as this agent judges it: by all of its public mounts, since a server fault is one that gives nobody sound. */
export interface ServerSight {
  readonly mounts: ReadonlyMap<StationName, PublicMount>;
  readonly health: ServerHealth;
}

export function newSight(policy: FailoverPolicy, atMs: number): ServerSight {
  const mounts = new Map(policy.stations.map((station) => [station, newMount(station, atMs)]));
  return { mounts, health: { is: 'unknown', sinceMs: atMs } };
}

function newMount(station: StationName, atMs: number): PublicMount {
  return {
    station,
    ear: { is: 'starting' },
    earSinceMs: atMs,
    sensor: newSensor(atMs),
    good: 0,
    bad: 0,
    illness: null,
    lastProbeAtMs: null,
    knownAtMs: null,
  };
}

/** What was known before this agent stood still may have changed meanwhile; a verdict needs samples taken after it. */
export function forgetSamples(sight: ServerSight, atMs: number): ServerSight {
  const mounts = new Map(
    [...sight.mounts].map(([station, mount]) => [
      station,
      { ...mount, good: 0, bad: 0, illness: null, sensor: newSensor(atMs, atMs) },
    ]),
  );
  return { mounts, health: { is: 'unknown', sinceMs: atMs } };
}

const changed = (sight: ServerSight, mount: PublicMount): ServerSight => ({
  ...sight,
  mounts: new Map(sight.mounts).set(mount.station, mount),
});

export function withHeard(
  sight: ServerSight,
  station: StationName,
  block: HeardBlock,
  policy: FailoverPolicy,
): ServerSight {
  const mount = sight.mounts.get(station);
  if (mount === undefined) return sight;
  return changed(sight, { ...mount, sensor: hear(mount.sensor, block, silencePolicy(policy)) });
}

export function withEar(
  sight: ServerSight,
  station: StationName,
  ear: PublicEar,
  atMs: number,
  policy: FailoverPolicy,
): ServerSight {
  const mount = sight.mounts.get(station);
  if (mount === undefined) return sight;
  const earSinceMs = ear.is === mount.ear.is ? mount.earSinceMs : atMs;
  const heard: PublicMount = { ...mount, ear, earSinceMs, sensor: sensorOf(mount, ear, atMs) };
  // A connection that breaks is the first bad sample, and not waited for.
  const broke = ear.is !== mount.ear.is && (ear.is === 'disconnected' || ear.is === 'quiet');
  return changed(sight, broke ? sampled(heard, { ok: true }, { beganAtMs: atMs, atMs }, policy) : heard);
}

/** That it sounded before our ear lost it is no word of what it gives now: sound has to be proven anew. */
function sensorOf({ sensor, ear: before }: PublicMount, ear: PublicEar, atMs: number): SoundSensor {
  const isBack = ear.is === 'hearing' && before.is !== 'hearing';
  return isBack && sensor.verdict === 'sounding' ? newSensor(atMs, sensor.heardToMs) : sensor;
}

/** Every probe is one sample: whether a new listener gets in, together with what those who are in hear now. */
export function withProbe(
  sight: ServerSight,
  station: StationName,
  { probe, ...when }: When & { readonly probe: Probe },
  policy: FailoverPolicy,
): ServerSight {
  const mount = sight.mounts.get(station);
  if (mount === undefined) return sight;
  return changed(sight, sampled({ ...mount, lastProbeAtMs: when.atMs }, probe, when, policy));
}

/** From when to when a probe took. */
interface When {
  readonly beganAtMs: number;
  readonly atMs: number;
}

function sampled(mount: PublicMount, probe: Probe, when: When, policy: FailoverPolicy): PublicMount {
  const { atMs } = when;
  const illness = illnessOf(mount, probe, when, policy);
  if (illness === 'unknown') return mount;
  const { good, bad } = isForgotten(mount, atMs, policy) ? { good: 0, bad: 0 } : mount;
  if (illness === null) return { ...mount, good: good + 1, bad: 0, illness: null, knownAtMs: atMs };
  return { ...mount, good: 0, bad: bad + 1, illness, knownAtMs: atMs };
}

/** What was last known too long ago is not known any more: three probes without a word of it. */
function isForgotten({ knownAtMs }: PublicMount, nowMs: number, policy: FailoverPolicy): boolean {
  return knownAtMs === null || nowMs - knownAtMs > 3 * policy.intervalMs;
}

function illnessOf(
  mount: PublicMount,
  probe: Probe,
  { beganAtMs, atMs }: When,
  policy: FailoverPolicy,
): PublicMount['illness'] | 'unknown' {
  if (!probe.ok) return { illness: probe.stage, detail: probe.detail, seenAtMs: beganAtMs };
  const { ear, sensor } = mount;
  // An ear that was lost with our own line needs a while to be there again.
  const seenAtMs = beganAtMs - policy.verifiedWithinMs;
  switch (ear.is) {
    case 'disconnected':
      return { illness: 'http', detail: ear.detail, seenAtMs };
    case 'quiet':
      return { illness: 'stalled', detail: 'connected, and no sound comes', seenAtMs };
    case 'undecodable':
      return { illness: 'undecodable', detail: 'what comes cannot be decoded', seenAtMs };
    case 'starting':
    case 'deaf':
      return 'unknown';
    case 'hearing':
      break;
  }
  if (sensor.verdict === 'unheard') return 'unknown';
  if (sensor.verdict === 'silent') {
    const seconds = ((atMs - sensor.sinceMs) / 1000).toFixed(1);
    return { illness: 'silent', detail: `silent for ${seconds} s`, seenAtMs: sensor.heardToMs };
  }
  return atMs - sensor.heardToMs <= policy.verifiedWithinMs ? null : 'unknown';
}

function silencePolicy(policy: FailoverPolicy): SilencePolicy {
  // What was over the threshold has been counted by the ear already; here it only adds up.
  return {
    thresholdDbfs: Number.NEGATIVE_INFINITY,
    tripMs: policy.silenceMs,
    restoreMs: 0,
    soundMs: policy.soundMs,
  };
}

/** How one mount stands by its samples in a row; between `rise` and `fall` it stays what it was. */
type MountVerdict = 'unknown' | 'well' | 'doubt' | 'ill';

function verdictOf(mount: PublicMount, nowMs: number, policy: FailoverPolicy): MountVerdict {
  if (isForgotten(mount, nowMs, policy)) return 'unknown';
  if (mount.bad >= policy.fall) return 'ill';
  if (mount.bad > 0) return 'doubt';
  return mount.good >= policy.rise ? 'well' : 'unknown';
}

/** The last moment of sound: in a pause that is its beginning. */
const soundUntilMs = (sensor: SoundSensor): number => sensor.quietFromMs ?? sensor.heardToMs;

/** The server's health anew. One station that is heard proves the server; all of them have to fail before it is ill. */
export function judged(sight: ServerSight, nowMs: number, policy: FailoverPolicy): ServerSight {
  const mounts = [...sight.mounts.values()];
  const verdicts = mounts.map((mount) => verdictOf(mount, nowMs, policy));
  const old = sight.health;
  if (mounts.every((mount) => isForgotten(mount, nowMs, policy)))
    return old.is === 'unknown' ? sight : { ...sight, health: { is: 'unknown', sinceMs: nowMs } };
  if (verdicts.includes('well')) {
    const verifiedAtMs = Math.max(
      ...mounts.filter((_, index) => verdicts[index] === 'well').map(({ sensor }) => soundUntilMs(sensor)),
    );
    const sinceMs = old.is === 'well' ? old.sinceMs : old.is === 'doubt' ? old.wellSinceMs : nowMs;
    return { ...sight, health: { is: 'well', sinceMs, verifiedAtMs } };
  }
  const worst = mounts.find((mount) => mount.illness !== null);
  if (worst?.illness == null) return sight;
  const { illness, detail } = worst.illness;
  const known = verdicts.filter((verdict) => verdict !== 'unknown');
  if (known.every((verdict) => verdict === 'ill') && known.length === verdicts.length) {
    const sinceMs = old.is === 'ill' ? old.sinceMs : nowMs;
    return { ...sight, health: { is: 'ill', sinceMs, illness, detail } };
  }
  // An ill server stays ill until it has risen.
  if (old.is === 'ill' || old.is === 'unknown') return sight;
  const wellSinceMs = old.is === 'well' ? old.sinceMs : old.wellSinceMs;
  const sinceMs = old.is === 'doubt' ? old.sinceMs : nowMs;
  return { ...sight, health: { is: 'doubt', sinceMs, wellSinceMs, detail } };
}

/** Whether every public mount was found to fail at this moment or later. */
export function hasFailedSince({ mounts }: ServerSight, atMs: number): boolean {
  return [...mounts.values()].every(({ illness }) => illness !== null && illness.seenAtMs >= atMs);
}

/** Whether a mount is due for its next probe: at once when it has just failed, fast while it is in doubt. */
export function isProbeDue(
  sight: ServerSight,
  station: StationName,
  nowMs: number,
  policy: FailoverPolicy,
): boolean {
  const mount = sight.mounts.get(station);
  if (mount === undefined) return false;
  if (mount.lastProbeAtMs === null) return true;
  const settled = mount.bad === 0 ? mount.good >= policy.rise : mount.bad >= policy.fall;
  return nowMs - mount.lastProbeAtMs >= (settled ? policy.intervalMs : policy.fastIntervalMs);
}
