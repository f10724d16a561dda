import { isDeepStrictEqual } from 'node:util';
import { type Config, Secret, type StationConfig } from '../config/index.ts';
import { fittingTripMs, relayDelayMs } from './relay-delay.ts';

/** A change that can't be made while the station is on the air, and why. */
export interface Waiting {
  /** Where in the file: `stations.myfm.sources`. */
  readonly path: string;
  readonly because: string;
}

export interface ReloadPlan {
  /** What runs from now on: the new file, but for what has to wait. */
  readonly config: Config;
  /** Sections that change now. */
  readonly changed: readonly string[];
  readonly waiting: readonly Waiting[];
}

/** Sections of the whole file that may change while everything plays on. Any other waits for a restart. */
const LIVE: readonly (keyof Config)[] = ['stations', 'deputy', 'web', 'alerts'];
/** The same of one station. */
const LIVE_OF_STATION = ['silence', 'programme', 'stall', 'switching', 'timeZone', 'plannedSilence'] as const;

const AT_RESTART = 'it is used from the next restart on';

/** What of a new config can be used at once, so that no listener and no monitor is disconnected. */
export function planReload(running: Config, wanted: Config): ReloadPlan {
  const changed: string[] = [];
  const waiting: Waiting[] = [];
  for (const key of keysOf(running, wanted)) {
    if (key === 'stations' || same(running[key], wanted[key])) continue;
    if (LIVE.includes(key)) changed.push(key);
    else waiting.push(waitingOf(key));
  }
  const stations = running.stations.map((station) => {
    const next = wanted.stations.find(({ name }) => name === station.name);
    if (next !== undefined) return reloadStation(station, next, changed, waiting);
    waiting.push({ path: `stations.${station.name}`, because: `it is gone from the file; ${AT_RESTART}` });
    return station;
  });
  for (const { name } of wanted.stations) {
    if (!running.stations.some((station) => station.name === name))
      waiting.push({ path: `stations.${name}`, because: `it is new; ${AT_RESTART}` });
  }
  // What says the same stays the same object, so that who uses it sees that nothing has changed.
  const live = Object.fromEntries(
    LIVE.filter((key) => changed.includes(key)).map((key) => [key, wanted[key]]),
  );
  return { config: { ...running, ...live, stations }, changed, waiting };
}

function keysOf(running: Config, wanted: Config): (keyof Config)[] {
  return [...new Set([...Object.keys(running), ...Object.keys(wanted)])] as (keyof Config)[];
}

function waitingOf(key: keyof Config): Waiting {
  if (key === 'self' || key === 'isWitness')
    return { path: 'server', because: 'an agent does not change its server' };
  return { path: key, because: AT_RESTART };
}

function reloadStation(
  running: StationConfig,
  wanted: StationConfig,
  changed: string[],
  waiting: Waiting[],
): StationConfig {
  const at = `stations.${running.name}`;
  let next: StationConfig = running;
  for (const key of LIVE_OF_STATION) {
    if (same(running[key], wanted[key])) continue;
    const fits = key !== 'silence' || fitsRelay(running, wanted);
    if (fits) {
      next = { ...next, [key]: wanted[key] };
      changed.push(`${at}.${key}`);
    } else {
      const because = `silence.trip would not fit into the delay that the relay runs with; ${AT_RESTART}`;
      waiting.push({ path: `${at}.${key}`, because });
    }
  }
  if (!same(running.sources, wanted.sources)) waiting.push({ path: `${at}.sources`, because: AT_RESTART });
  return { ...next, serve: reloadServe(running, wanted, at, changed, waiting) };
}

/** The chain can be turned while it plays; everything else of a relay is built at its start. */
function reloadServe(
  running: StationConfig,
  wanted: StationConfig,
  at: string,
  changed: string[],
  waiting: Waiting[],
): StationConfig['serve'] {
  const { processing: before, delayMs: written, ...rest } = running.serve;
  const { processing: after, delayMs: wantedDelay, ...wantedRest } = wanted.serve;
  if (!same(rest, wantedRest)) waiting.push({ path: `${at}.serve`, because: AT_RESTART });
  // The delay goes on as it is, also where it is not written and the trip delay that it came from changes.
  const isRelay = rest.mode === 'relay';
  const delayMs = isRelay ? relayDelayMs(running.serve, running.silence.tripMs) : written;
  const nextDelay = isRelay ? relayDelayMs(wanted.serve, running.silence.tripMs) : wantedDelay;
  if (delayMs !== nextDelay) waiting.push({ path: `${at}.serve.delay`, because: AT_RESTART });
  const serve = { ...running.serve, delayMs };
  if (same(before, after)) return serve;
  if (before === null || after === null) {
    waiting.push({
      path: `${at}.serve.processing`,
      because: `the chain is put in at the start; ${AT_RESTART}`,
    });
    return serve;
  }
  changed.push(`${at}.serve.processing`);
  return { ...serve, processing: after };
}

function fitsRelay(running: StationConfig, wanted: StationConfig): boolean {
  if (running.serve.mode !== 'relay') return true;
  const delayMs = relayDelayMs(running.serve, running.silence.tripMs);
  return wanted.silence.tripMs <= Math.max(running.silence.tripMs, fittingTripMs(delayMs));
}

/** Equal in value, secrets by what they hide. */
function same(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(bare(one), bare(other));
}

function bare(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null || value instanceof Map) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bare(inner)]));
}
