import {
  type Config,
  loadConfig,
  loadRates,
  policyOf,
  printProblems,
  type Rates,
} from '../../config/index.ts';
import type { FailoverPolicy } from '../../domain/failover.ts';
import type { StationPolicy } from '../../domain/policy.ts';
import { type Cause, usualCauses } from '../../simulate/faults.ts';
import type { PlayerModel } from '../../simulate/players.ts';
import { DUBLIN, FAILOVER_DEFAULTS, LONDON, policyFor } from '../../simulate/station.ts';
import type { Keeper } from '../../simulate/station-world.ts';
import type { YearsOptions } from '../../simulate/years.ts';
import { failoverPolicy } from '../../wiring/failover-settings.ts';
import { relayDelayMs } from '../../wiring/relay-delay.ts';

/** As they come from the command line. */
export interface SimulateOptions {
  readonly years?: string | undefined;
  readonly seed?: string | undefined;
  readonly config?: string | undefined;
  readonly station?: string | undefined;
  readonly rates?: string | undefined;
  readonly plot?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface Wanted {
  readonly options: YearsOptions;
  readonly keepers: readonly Keeper[];
  readonly ttlMs: number;
  readonly mode: StationPolicy['mode'];
}

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string };

const MOST_YEARS = 100_000;
const TTL_MS = 30_000;
const PLAYERS = 100;
/** Margin of the usual relay delay over the trip delay. */
const USUAL_DELAY_MS = 8_000;

/** Everything that is to be simulated, or the first thing that is wrong with what was asked. */
export async function parseOptions(asked: SimulateOptions, env: NodeJS.ProcessEnv): Promise<Parsed<Wanted>> {
  const years = wholeNumber('--years', asked.years ?? '1000', 1, MOST_YEARS);
  if (!years.ok) return years;
  const seed = wholeNumber('--seed', asked.seed ?? '1', 0, 2 ** 32 - 1);
  if (!seed.ok) return seed;
  const settings = await settingsOf(asked, env);
  if (!settings.ok) return settings;
  const usual = usualCauses([LONDON, DUBLIN]);
  const loaded = await ratesOf(
    asked.rates,
    usual.map(({ id }) => id),
  );
  if (!loaded.ok) return loaded;
  const { value: rates } = loaded;
  const { ttlMs, station, failover, delayMs } = settings.value;
  const check = {
    intervalMs: rates.check?.interval ?? 30_000,
    fall: rates.check?.fall ?? 1,
    rise: rates.check?.rise ?? 1,
  };
  return {
    ok: true,
    value: {
      ttlMs,
      mode: station.mode ?? 'guard',
      keepers: [{ is: 'sustain' }, { is: 'one-server' }, { is: 'dns-check', check }, { is: 'fallback' }],
      options: {
        years: years.value,
        seed: seed.value,
        causes: usual.map((cause) => withRates(cause, rates)),
        players: playersOf(rates, ttlMs),
        playerCount: PLAYERS,
        station,
        failover,
        relayDelayMs: delayMs,
        encoderReconnectMs: rates.encoders?.reconnect ?? 2_000,
      },
    },
  };
}

function wholeNumber(flag: string, text: string, least: number, most: number): Parsed<number> {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return { ok: true, value };
  return { ok: false, message: `${flag} ${text}: write a whole number from ${least} to ${most}` };
}

interface Settings {
  readonly station: Partial<StationPolicy>;
  readonly failover: Partial<FailoverPolicy>;
  readonly ttlMs: number;
  readonly delayMs: number;
}

const USUAL: Settings = {
  station: {},
  failover: { endListenersAfterMs: TTL_MS },
  ttlMs: TTL_MS,
  delayMs: USUAL_DELAY_MS,
};

async function settingsOf(
  { config: file, station }: SimulateOptions,
  env: NodeJS.ProcessEnv,
): Promise<Parsed<Settings>> {
  if (file === undefined) {
    if (station === undefined) return { ok: true, value: USUAL };
    return { ok: false, message: `--station ${station}: a station is one of a config: write --config too` };
  }
  const loaded = await loadConfig(file, env, {});
  if (!loaded.ok) return { ok: false, message: printProblems(file, loaded.faults) };
  const { stations } = loaded.config;
  const chosen = stations.find(({ name }) => station === undefined || name === station);
  if (chosen === undefined) {
    const known = stations.map(({ name }) => name).join(', ');
    return {
      ok: false,
      message: `--station ${station}: there is no such station in ${file}; there are ${known}`,
    };
  }
  const { mode, silence, programme, stallMs, dwellMs, flap, deputyAfterMs } = policyOf(loaded.config, chosen);
  return {
    ok: true,
    value: {
      station: { mode, silence, programme, stallMs, dwellMs, flap, deputyAfterMs },
      delayMs: relayDelayMs(chosen.serve, silence.tripMs),
      ...nameSettings(loaded.config),
    },
  };
}

function nameSettings(config: Config): Pick<Settings, 'failover' | 'ttlMs'> {
  if (config.dns === null) return { failover: USUAL.failover, ttlMs: TTL_MS };
  const {
    self: _self,
    servers: _servers,
    stations: _stations,
    ...failover
  } = failoverPolicy(config, config.dns);
  return { failover, ttlMs: config.dns.ttlSeconds * 1_000 };
}

async function ratesOf(file: string | undefined, causes: readonly string[]): Promise<Parsed<Rates>> {
  if (file === undefined) return { ok: true, value: {} };
  const loaded = await loadRates(file, causes);
  if (!loaded.ok) return { ok: false, message: printProblems(file, loaded.faults) };
  return { ok: true, value: loaded.rates };
}

function withRates(cause: Cause, { faults }: Rates): Cause {
  const said = faults?.[cause.id];
  if (said === undefined) return cause;
  const medianMs = said.median ?? cause.medianMs;
  return {
    ...cause,
    perYear: said.perYear ?? cause.perYear,
    medianMs,
    longMs: Math.max(medianMs, said.long ?? cause.longMs),
  };
}

function playersOf({ players = {} }: Rates, ttlMs: number): PlayerModel {
  return {
    ttlMs,
    clampedShare: players.clamped ?? 0.15,
    clampMs: players.clamp ?? 300_000,
    stickyShare: players.sticky ?? 0.08,
    sessionMs: players.session ?? 7_200_000,
    bufferMs: players.buffer ?? 4_000,
    readTimeoutMs: players.readTimeout ?? 10_000,
    reconnectMs: players.reconnect ?? 2_000,
  };
}

/** The delays of the decision that were simulated, for the report. */
export function decisionDelays({ station, failover }: YearsOptions) {
  const { silence, stallMs, dwellMs } = policyFor(LONDON, station);
  const { intervalMs, fastIntervalMs, fall, rise, restoreMs, mode } = { ...FAILOVER_DEFAULTS, ...failover };
  return {
    tripMs: silence.tripMs,
    restoreMs: silence.restoreMs,
    stallMs,
    dwellMs,
    dns: { mode, intervalMs, fastIntervalMs, fall, rise, restoreMs },
  };
}
