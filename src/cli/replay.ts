import { type Config, loadConfig, policyOf, printProblems } from '../config/index.ts';
import { parseDuration, parseLevel } from '../config/units.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { unlessDamaged } from '../history/sqlite.ts';
import type { HistoryStore } from '../history/store.ts';
import type { PastSecond } from '../simulate/past.ts';
import { type Compared, compareTrips, type Replayed, replay, type Trip } from '../simulate/replay.ts';
import { relayDelayMs } from '../wiring/relay-delay.ts';
import { EXIT } from './exit-codes.ts';
import { pastEventsOf, pastOf } from './replay/past.ts';
import { openLogs, parseMoment } from './report.ts';

export interface ReplayCommand {
  readonly config: string;
  readonly server?: string;
  readonly history?: readonly string[];
  readonly station?: string;
  readonly from?: string;
  readonly to?: string;
  readonly silenceThreshold?: string;
  readonly trip?: string;
  readonly restore?: string;
  readonly json?: boolean;
}

const HOUR_MS = 3_600_000;
const KEPT_MS = 90 * 24 * HOUR_MS;

type Changed =
  | { readonly ok: true; readonly policy: StationPolicy }
  | { readonly ok: false; readonly says: string };

/** The station with the settings that are asked about; the same units as in the config, and dBFS may be left out. */
export function changedPolicy(policy: StationPolicy, command: ReplayCommand): Changed {
  const { silenceThreshold, trip, restore } = command;
  const silence = { ...policy.silence };
  if (silenceThreshold !== undefined) {
    const text = /^-?\d+(\.\d+)?$/.test(silenceThreshold) ? `${silenceThreshold} dBFS` : silenceThreshold;
    const level = parseLevel(text, 'dBFS');
    if (!level.ok) return { ok: false, says: `--silence-threshold ${level.message}` };
    if (level.value < -90 || level.value > -10)
      return {
        ok: false,
        says: `--silence-threshold ${text} is out of range: write a value from -90 to -10 dBFS`,
      };
    silence.thresholdDbfs = level.value;
  }
  for (const [name, text] of [
    ['trip', trip],
    ['restore', restore],
  ] as const) {
    if (text === undefined) continue;
    const duration = parseDuration(text);
    if (!duration.ok) return { ok: false, says: `--${name} ${duration.message}` };
    if (duration.value < 1_000)
      return { ok: false, says: `--${name} ${text} is too short: write 1s or more` };
    if (name === 'trip') silence.tripMs = duration.value;
    else silence.restoreMs = duration.value;
  }
  return { ok: true, policy: { ...policy, silence } };
}

/** `sustain replay`: what other settings would have done over the levels that are kept. */
export async function replayCommand(command: ReplayCommand): Promise<number> {
  const fail = (says: string) => {
    process.stderr.write(`${says}\n`);
    return EXIT.unusable;
  };
  const loaded = await loadConfig(command.config, process.env, { server: command.server });
  if (!loaded.ok) return fail(printProblems(command.config, loaded.faults));
  const { config } = loaded;
  const nowUnixMs = Date.now();
  const toUnixMs = command.to === undefined ? nowUnixMs : parseMoment(command.to);
  const fromUnixMs = command.from === undefined ? nowUnixMs - KEPT_MS : parseMoment(command.from);
  if (fromUnixMs === null || toUnixMs === null || fromUnixMs >= toUnixMs)
    return fail(
      '--from and --to are moments such as 2026-11-08 or 2026-11-08T11:00:00Z, one after the other',
    );
  const station = stationIn(config, command.station);
  if (station === null)
    return fail(`name a station with --station: ${config.stations.map(({ name }) => name).join(', ')}`);
  const before = policyOf(config, station);
  const changed = changedPolicy(before, command);
  if (!changed.ok) return fail(changed.says);
  const logs = await openLogs(command);
  const [log, second] = logs ?? [];
  if (log === undefined) return EXIT.unusable;
  if (second !== undefined)
    return fail(
      `--history ${second.path}: each agent decided by its own levels: replay one history at a time`,
    );
  const runs = runsOf(log.store, station, [before, changed.policy], fromUnixMs, toUnixMs);
  log.store.close();
  if (process.stderr.isTTY === true) process.stderr.write('\r\u001b[K');
  if (runs === null) {
    process.stderr.write(
      `${log.path} is damaged, and what is missing would have been decided by: sustain report --history ${log.path} --verify says where\n`,
    );
    return EXIT.failed;
  }
  const [then, now] = runs;
  if (then === undefined || now === undefined) return EXIT.failed;
  const compared = compareTrips(then.trips, now.trips);
  process.stdout.write(
    command.json === true
      ? `${JSON.stringify(replayJson(before, changed.policy, then, now, compared), null, 2)}\n`
      : `${replayText(before, changed.policy, then, now, compared)}\n`,
  );
  return EXIT.ok;
}

/** One for each policy; null when the file is damaged where it was to be read. */
function runsOf(
  store: HistoryStore,
  station: Config['stations'][number],
  policies: readonly StationPolicy[],
  fromUnixMs: number,
  toUnixMs: number,
): Replayed[] | null {
  const read = () => {
    const [first] = policies;
    if (first === undefined) return [];
    const legs = first.legs.map(({ id }) => id);
    const events = pastEventsOf(store, first, fromUnixMs, toUnixMs);
    return policies.map((policy, index) =>
      replay(policy, watched(pastOf(store, legs, fromUnixMs, toUnixMs), index, fromUnixMs, toUnixMs), {
        events,
        ...(station.serve.mode === 'relay'
          ? { relayDelayMs: relayDelayMs(station.serve, policy.silence.tripMs) }
          : {}),
      }),
    );
  };
  return unlessDamaged(read, () => null);
}

function stationIn(config: Config, name: string | undefined) {
  if (name === undefined) return config.stations.length === 1 ? (config.stations[0] ?? null) : null;
  return config.stations.find((station) => station.name === name) ?? null;
}

function* watched(
  past: Iterable<PastSecond>,
  run: number,
  fromUnixMs: number,
  toUnixMs: number,
): Generator<PastSecond> {
  let said = -1;
  for (const second of past) {
    const part = Math.floor(((second.unixMs - fromUnixMs) / (toUnixMs - fromUnixMs)) * 100);
    if (part !== said && process.stderr.isTTY === true)
      process.stderr.write(`\r${run === 0 ? 'as it is' : 'as asked'}: ${part} %`);
    said = part;
    yield second;
  }
}

const iso = (unixMs: number): string => new Date(unixMs).toISOString();
const settingsText = ({ silence }: StationPolicy): string =>
  `${silence.thresholdDbfs} dBFS, trip ${silence.tripMs / 1000} s, restore ${silence.restoreMs / 1000} s`;
const tripText = ({ leg, fault, fromUnixMs, untilUnixMs }: Trip): string =>
  `${iso(fromUnixMs)}  ${leg}  ${fault}  ${untilUnixMs === null ? 'to the end' : `${((untilUnixMs - fromUnixMs) / 1000).toFixed(1)} s`}`;

function outcomeText({ self }: StationPolicy, { trips, switches, playedSilenceMs }: Replayed): string {
  const played =
    playedSilenceMs === null ? '' : `, ${(playedSilenceMs / 1000).toFixed(1)} s of silence played`;
  return `${trips.length} trips, ${switches.length} switches on ${self}${played}`;
}

function replayText(
  before: StationPolicy,
  after: StationPolicy,
  then: Replayed,
  now: Replayed,
  { more, fewer, both }: Compared,
): string {
  const list = (title: string, trips: readonly Trip[]) => [
    `${title}: ${trips.length}`,
    ...trips.map((trip) => `  ${tripText(trip)}`),
  ];
  return [
    `${before.station}, as it is:  ${settingsText(before)}: ${outcomeText(before, then)}`,
    `${after.station}, as asked:  ${settingsText(after)}: ${outcomeText(after, now)}`,
    `both the same: ${both.length}`,
    ...list('more trips', more),
    ...list('fewer trips', fewer),
    ...now.switches.map(
      ({ unixMs, from, to, trigger, because }) =>
        `switch as asked: ${iso(unixMs)}  ${from ?? 'nothing'} to ${to ?? 'nothing'} (${trigger}: ${because})`,
    ),
  ].join('\n');
}

function replayJson(
  before: StationPolicy,
  after: StationPolicy,
  then: Replayed,
  now: Replayed,
  { more, fewer, both }: Compared,
): unknown {
  const trips = (all: readonly Trip[]) =>
    all.map(({ leg, fault, fromUnixMs, untilUnixMs }) => ({
      leg,
      fault,
      from: iso(fromUnixMs),
      until: untilUnixMs === null ? null : iso(untilUnixMs),
    }));
  const switches = ({ switches: all }: Replayed) =>
    all.map(({ unixMs, server, from, to, trigger, because }) => ({
      time: iso(unixMs),
      server,
      from,
      to,
      trigger,
      because,
    }));
  const outcome = ({ silence }: StationPolicy, replayed: Replayed) => ({
    silence,
    trips: trips(replayed.trips),
    switches: switches(replayed),
    playedSilenceMs: replayed.playedSilenceMs,
  });
  return {
    station: before.station,
    asItIs: outcome(before, then),
    asAsked: outcome(after, now),
    more: trips(more),
    fewer: trips(fewer),
    both: trips(both),
  };
}
