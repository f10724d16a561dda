import type { StationName } from '../../domain/ids.ts';
import type { AgentView, LoudnessView } from '../../domain/view.ts';
import type { DescribedRoutes } from '../described.ts';
import {
  agentView,
  failure,
  health,
  type LoudnessQuery,
  loudnessQuery,
  loudnessView,
  readiness,
  type StateQuery,
  stateQuery,
  stationParams,
} from '../schemas.ts';

const ALL_MS = 6 * 3_600_000;
const USUAL_POINTS = 720;
const MOST_POINTS = 2_000;

export interface StateSource {
  view(): AgentView;
  isReady(): boolean;
  /** Null when there is no such station. */
  loudness(station: StationName, lastMs: number, points: number): LoudnessView | null;
}

/** Health for everybody, and the picture of everything for those who may see it. */
export function addStateRoutes(routes: DescribedRoutes, source: StateSource): void {
  routes.add(
    {
      method: 'GET',
      url: '/healthz',
      summary: 'Is the process alive?',
      right: null,
      answers: { 200: health },
    },
    async () => ({ ok: true }),
  );
  routes.add(
    {
      method: 'GET',
      url: '/readyz',
      summary: 'Does it know what is on air beside it?',
      right: null,
      answers: { 200: readiness, 503: readiness },
    },
    async (_request, reply) => {
      const ready = source.isReady();
      return reply.code(ready ? 200 : 503).send({ ready });
    },
  );
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/state',
      summary: 'Everything that this agent knows of every station',
      right: 'view',
      query: stateQuery,
      answers: { 200: agentView, 400: failure },
    },
    async (request) => {
      const { events, eventsOf } = request.query as StateQuery;
      const count = events === undefined ? Number.POSITIVE_INFINITY : Number(events);
      return withNewest(source.view(), count, eventsOf ?? null);
    },
  );
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/stations/:station/loudness',
      summary: 'Loudness, state and switches of the last hours',
      right: 'view',
      params: stationParams,
      query: loudnessQuery,
      answers: { 200: loudnessView, 400: failure, 404: failure },
    },
    async (request, reply) => {
      const { station } = request.params as { station: StationName };
      const { lastMs, points } = request.query as LoudnessQuery;
      const count = Math.max(1, Math.min(MOST_POINTS, Number(points ?? USUAL_POINTS)));
      const view = source.loudness(station, Math.min(ALL_MS, Number(lastMs ?? ALL_MS)), count);
      return view ?? reply.code(404).send({ error: `there is no station ${station}` });
    },
  );
}

/** `eventsOf`: the one station whose events are wanted; null: of each. */
function withNewest(view: AgentView, count: number, eventsOf: string | null): AgentView {
  const stations = view.stations.map((station) => {
    const isWanted = count > 0 && (eventsOf === null || eventsOf === station.station);
    return { ...station, events: isWanted ? station.events.slice(-count) : [] };
  });
  return { ...view, stations };
}
