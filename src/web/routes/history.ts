import type { FastifyReply } from 'fastify';
import type { EventFilter, EventPage, IncidentFilter, IncidentView } from '../../domain/history-view.ts';
import { stationName } from '../../domain/ids.ts';
import { messageOf } from '../../platform/errors.ts';
import type { DescribedRoutes } from '../described.ts';
import {
  acknowledgeBody,
  type EventsQuery,
  eventPage,
  eventsQuery,
  type IncidentsQuery,
  incidentList,
  incidentParams,
  incidentsQuery,
} from '../history-schemas.ts';
import { accepted, failure } from '../schemas.ts';
import { authorOf, NO_AUTHOR } from './operate.ts';

const USUAL = 100;
const MOST = 1_000;

/** What an agent has written down. */
export interface Remembered {
  incidents(filter: IncidentFilter): Promise<readonly IncidentView[]>;
  events(filter: EventFilter): Promise<EventPage>;
  /** False when no such incident is open. */
  acknowledge(incident: string, author: string): boolean;
}

export function addHistoryRoutes(routes: DescribedRoutes, remembered: Remembered): void {
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/incidents',
      summary: 'Incidents, open ones and past ones',
      right: 'view',
      query: incidentsQuery,
      answers: { 200: incidentList, 400: failure, 503: failure },
    },
    (request, reply) => {
      const query = request.query as IncidentsQuery;
      const filter = { ...spanOf(query), ...(query.open === 'true' ? { openOnly: true } : {}) };
      return orNotNow(reply, async () => ({ incidents: await remembered.incidents(filter) }));
    },
  );
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/events',
      summary: 'The event log: what happened, what was done, and why',
      right: 'view',
      query: eventsQuery,
      answers: { 200: eventPage, 400: failure, 503: failure },
    },
    (request, reply) => {
      const query = request.query as EventsQuery;
      const filter = {
        ...spanOf(query),
        ...(query.by === undefined ? {} : { operatorActsOnly: true }),
        ...(query.before === undefined ? {} : { beforeSeq: Number(query.before) }),
      };
      return orNotNow(reply, () => remembered.events(filter));
    },
  );
  routes.add(
    {
      method: 'POST',
      url: '/api/v1/incidents/:id/acknowledge',
      summary: 'Say that somebody looks after an incident',
      right: 'operate',
      params: incidentParams,
      body: acknowledgeBody,
      answers: { 202: accepted, 400: failure, 404: failure },
    },
    (request, reply) => {
      const author = authorOf(request);
      if (author === null) return reply.code(400).send({ error: NO_AUTHOR });
      const { id } = request.params as { id: string };
      if (!remembered.acknowledge(id, author))
        return reply.code(404).send({ error: `no incident ${id} is open` });
      return reply.code(202).send({ accepted: true });
    },
  );
}

function spanOf({ from, to, station, limit }: IncidentsQuery | EventsQuery) {
  return {
    ...(from === undefined ? {} : { fromUnixMs: Date.parse(from) }),
    ...(to === undefined ? {} : { toUnixMs: Date.parse(to) }),
    ...(station === undefined ? {} : { station: stationName(station) }),
    limit: Math.max(1, Math.min(MOST, Number(limit ?? USUAL))),
  };
}

/** A history that can't be read now is no reason for anything else not to work. */
async function orNotNow(reply: FastifyReply, read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (thrown) {
    return reply.code(503).send({ error: `the history cannot be read now: ${messageOf(thrown)}` });
  }
}
