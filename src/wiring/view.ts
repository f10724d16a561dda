import type { Desk } from '../decide/desk.ts';
import type { LegState } from '../decide/leg.ts';
import { legsOn } from '../decide/state.ts';
import type { LegCondition, ServerCondition } from '../domain/conditions.ts';
import type { ServerName } from '../domain/ids.ts';
import type { EventView, LegView, RelayStatus, ServerView, StationView } from '../domain/view.ts';
import type { Relay, RelayView } from '../relay/relay.ts';
import type { Station } from '../station.ts';

/** Levels older than this are no picture of now, in ms. */
const LEVELS_FRESH_MS = 1500;

export function stationView(
  station: Station,
  relay: Relay | null,
  events: readonly EventView[],
  nowMs: number,
): StationView {
  return {
    station: station.policy.station,
    servers: station.policy.servers.map((server) => serverView(station, server, nowMs)),
    relay: relay === null ? null : relayStatus(relay.view),
    alerts: [...station.state.alerts.values()].map(({ code, subject, detail }) => ({
      code,
      subject,
      detail,
    })),
    events,
  };
}

function relayStatus({ onAir, latencyMs, wantedLatencyMs, legs, outputs }: RelayView): RelayStatus {
  return {
    onAir,
    latencyMs,
    wantedLatencyMs,
    legs: legs.map(({ leg, relation, behindMs }) => ({ leg, relation, behindMs })),
    outputs: outputs.map(({ mount, state }) => ({ mount, state: state.is })),
  };
}

function serverView(station: Station, name: ServerName, nowMs: number): ServerView {
  const { state, policy } = station;
  const server = state.servers.get(name);
  const desk = state.desks.get(name);
  return {
    server: name,
    role: server?.role ?? 'watching',
    condition: server?.condition.is ?? 'unknown',
    detail: server === undefined ? '' : serverDetail(server.condition),
    onAir: desk?.onAir ?? null,
    hold: desk === undefined ? null : holdView(desk, nowMs),
    legs: legsOn(state, name, policy).map((leg) => legView(station, leg, nowMs)),
  };
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
  const finite = (dbfs: number) => (Number.isFinite(dbfs) ? Math.round(dbfs * 10) / 10 : null);
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
    rmsDbfs: fresh ? levels.rmsDbfs.map(finite) : [],
    truePeakDbtp: fresh ? finite(levels.truePeakDbtp) : null,
    momentaryLufs: fresh ? finite(levels.momentaryLufs) : null,
    shortTermLufs: fresh ? finite(levels.shortTermLufs) : null,
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
