import { PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { Desk } from '../decide/desk.ts';
import type { LegState } from '../decide/leg.ts';
import { legsOn } from '../decide/state.ts';
import type { LegCondition, ServerCondition } from '../domain/conditions.ts';
import type { ServerName, SourceName } from '../domain/ids.ts';
import type { PlayedFigures } from '../domain/readings.ts';
import type {
  AlertView,
  EventView,
  LegView,
  ProcessingStatus,
  RelayStatus,
  ServerView,
  StationView,
} from '../domain/view.ts';
import type { Station } from '../station.ts';
import type { StationProcessing, StationRelay } from './station-relay.ts';

/** Levels older than this are no picture of now, in ms. */
const LEVELS_FRESH_MS = 1500;

export function stationView(
  station: Station,
  relay: { readonly relay: StationRelay; readonly sound: PlayedFigures | null } | null,
  events: readonly EventView[],
  ofAgent: readonly AlertView[],
  nowMs: number,
): StationView {
  return {
    station: station.policy.station,
    servers: station.policy.servers.map((server) => serverView(station, server, nowMs)),
    relay: relay === null ? null : relayStatus(relay.relay, relay.sound),
    alerts: [
      ...ofAgent,
      ...[...station.state.alerts.values()].map(({ code, subject, detail }) => ({ code, subject, detail })),
    ],
    events,
  };
}

function relayStatus({ view, processing, streams }: StationRelay, sound: PlayedFigures | null): RelayStatus {
  const { legs, outputs, rate: _rate, ...rest } = view;
  return {
    ...rest,
    streams,
    legs: legs.map(({ leg, relation, behindMs }) => ({ leg, relation, behindMs })),
    outputs: outputs.map(({ state, ...output }) => ({
      ...output,
      state: state.is,
      reason: state.is === 'failed' ? state.failure : '',
      detail: state.is === 'failed' ? state.detail : '',
    })),
    processing: processing === null ? null : processingStatus(processing),
    sound:
      sound === null
        ? null
        : {
            truePeakDbtp: finite(sound.truePeakDbtp),
            momentaryLufs: finite(sound.momentaryLufs),
            shortTermLufs: finite(sound.shortTermLufs),
          },
  };
}

export function processingStatus({ preset, processor }: StationProcessing): ProcessingStatus {
  const { reading, fingerprint, values, latencyFrames } = processor;
  const figure = (value: number | undefined) => (value === undefined ? null : tenths(value));
  return {
    preset,
    fingerprint,
    values,
    latencyMs: (latencyFrames * 1_000) / PCM_RATE_HZ,
    inMomentaryLufs: figure(reading?.inMomentaryLufs),
    inShortTermLufs: figure(reading?.inShortTermLufs),
    outMomentaryLufs: figure(reading?.outMomentaryLufs),
    outShortTermLufs: figure(reading?.outShortTermLufs),
    levellerGainDb: figure(reading?.levellerGainDb),
    makeupGainDb: figure(reading?.makeupGainDb),
    bandReductionDb: reading?.bandReductionDb.map(tenths) ?? [],
    limiterReductionDb: figure(reading?.limiterReductionDb),
  };
}

/** Null for what is no number, or the level of silence. */
const tenths = (value: number) => (Number.isFinite(value) ? Math.round(value * 10) / 10 : null);

function serverView(station: Station, name: ServerName, nowMs: number): ServerView {
  const { state, policy } = station;
  const server = state.servers.get(name);
  const desk = state.desks.get(name);
  return {
    server: name,
    role: server?.role ?? 'watching',
    condition: server?.condition.is ?? 'unknown',
    detail: server === undefined ? '' : serverDetail(server.condition),
    agentSeenMs: name === policy.self ? 0 : ageOf(server?.agentSeenAtMs ?? null, nowMs),
    onAir: onAirOf(station, name),
    hold: desk === undefined ? null : holdView(desk, nowMs),
    legs: legsOn(state, name, policy).map((leg) => legView(station, leg, nowMs)),
  };
}

/** Where this agent only watches, what its own choice would be is no word against that of the agent that acts. */
function onAirOf({ state, spoken }: Station, server: ServerName): SourceName | null {
  const ours = state.desks.get(server)?.onAir ?? null;
  const theirs = spoken.get(server) ?? null;
  return state.servers.get(server)?.role === 'watching' ? (theirs ?? ours) : (ours ?? theirs);
}

/** To a tenth of a decibel; null for digital silence and what isn't known, as JSON has neither. */
function finite(db: number): number | null {
  return Number.isFinite(db) ? Math.round(db * 10) / 10 : null;
}

function ageOf(atMs: number | null, nowMs: number): number | null {
  return atMs === null ? null : Math.max(0, Math.round(nowMs - atMs));
}

function serverDetail(condition: ServerCondition): string {
  return 'detail' in condition ? condition.detail : '';
}

function holdView({ hold }: Desk, nowMs: number): ServerView['hold'] {
  if (hold === null) return null;
  return { author: hold.author, source: hold.source, remainingMs: Math.max(0, hold.untilMs - nowMs) };
}

function legView(station: Station, state: LegState, nowMs: number): LegView {
  const { leg, condition, view } = state;
  const levels = station.levels.get(leg.id);
  const fresh = levels !== undefined && nowMs - levels.atMs <= LEVELS_FRESH_MS;
  return {
    leg: leg.id,
    source: leg.source,
    mount: leg.mount,
    condition: condition.is,
    reason: reasonOf(condition),
    detail: condition.is === 'faulty' ? condition.detail : '',
    forMs: Math.max(0, Math.round(nowMs - condition.sinceMs)),
    listeners: state.missing === null && view !== null ? view.listeners : null,
    title: station.titles.get(leg.id) ?? null,
    rmsDbfs: fresh ? levels.rmsDbfs.map(tenths) : [],
    truePeakDbtp: fresh ? tenths(levels.truePeakDbtp) : null,
    momentaryLufs: fresh ? tenths(levels.momentaryLufs) : null,
    shortTermLufs: fresh ? tenths(levels.shortTermLufs) : null,
    faults: fresh ? levels.faults.map(({ fault }) => fault) : [],
    warnings: fresh ? levels.warnings : [],
  };
}

function reasonOf(condition: LegCondition): string {
  switch (condition.is) {
    case 'audible':
      return '';
    case 'faulty':
      return condition.fault;
    case 'unknown':
      return condition.reason;
  }
}

/** What is wrong with a station's legs now, a few words each. */
export function troublesOf(station: Station | null): readonly string[] {
  if (station === null) return [];
  return [...station.state.legs.values()].flatMap(({ leg, condition }) =>
    condition.is === 'faulty' ? [`${leg.source} on ${leg.server} is ${condition.fault}`] : [],
  );
}
