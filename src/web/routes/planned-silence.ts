import type { FastifyReply, FastifyRequest } from 'fastify';
import { type StationName, stationName } from '../../domain/ids.ts';
import {
  isTimeZone,
  type PlannedSilenceView,
  type PlanRequest,
  parsePlannedDay,
  parseTimeOfDay,
} from '../../domain/planned-silence.ts';
import type { DescribedRoutes } from '../described.ts';
import {
  type CancelQuery,
  cancelQuery,
  type PlanBody,
  planBody,
  plannedAnswer,
  plannedList,
  planParams,
} from '../history-schemas.ts';
import { failure, stationParams } from '../schemas.ts';
import { authorOf, NO_AUTHOR } from './operate.ts';

const URL_PATH = '/api/v1/stations/:station/planned-silence';

export type PlanRefusal = 'no-station' | 'not-planned' | 'in-config' | 'over' | 'too-many';
export type PlanAnswer =
  | { readonly ok: true; readonly planned: PlannedSilenceView }
  | { readonly ok: false; readonly is: PlanRefusal };

export interface SilencePlanning {
  /** Null when there is no such station. */
  list(station: StationName): readonly PlannedSilenceView[] | null;
  /** By whose clocks a day and a time are meant, where nobody says. */
  timeZoneOf(station: StationName): string;
  plan(station: StationName, request: PlanRequest): PlanAnswer;
  cancel(station: StationName, id: string, author: string): PlanAnswer;
}

const REFUSALS: Readonly<Record<PlanRefusal, readonly [status: number, error: string]>> = {
  'no-station': [404, 'there is no such station'],
  'not-planned': [404, 'there is no such planned silence'],
  'in-config': [409, 'it stands in the config: change plannedSilence there'],
  over: [400, 'it would be over already: give a day that is still to come'],
  'too-many': [409, 'more than 200 are planned: cancel some'],
};

/** Silences that are wanted: while one lasts nothing is switched and nobody is called. */
export function addPlannedSilenceRoutes(routes: DescribedRoutes, planning: SilencePlanning): void {
  routes.add(
    {
      method: 'GET',
      url: URL_PATH,
      summary: 'The silences that are planned',
      right: 'view',
      params: stationParams,
      answers: { 200: plannedList, 404: failure },
    },
    async (request, reply) => {
      const station = stationOf(request);
      const planned = planning.list(station);
      if (planned === null) return refuse(reply, 'no-station');
      return { planned, timeZone: planning.timeZoneOf(station) };
    },
  );
  routes.add(
    {
      method: 'POST',
      url: URL_PATH,
      summary: 'Plan a silence, once or each time: while it lasts nothing is switched and nobody is called',
      right: 'operate',
      params: stationParams,
      body: planBody,
      answers: { 201: plannedAnswer, 400: failure, 404: failure, 409: failure },
    },
    async (request, reply) => {
      const author = authorOf(request);
      if (author === null) return reply.code(400).send({ error: NO_AUTHOR });
      const { day, at, forMs, timeZone, says } = request.body as PlanBody;
      const parsed = parsePlannedDay(day);
      if (!parsed.ok) return reply.code(400).send({ error: `body/day ${parsed.message}` });
      const atSeconds = parseTimeOfDay(at);
      if (atSeconds === null)
        return reply.code(400).send({ error: 'body/at is no time of day: send one such as 11:00' });
      if (timeZone !== undefined && !isTimeZone(timeZone))
        return reply.code(400).send({ error: 'body/timeZone is not known: send one such as Europe/London' });
      const answer = planning.plan(stationOf(request), {
        day: parsed.day,
        atSeconds,
        lengthMs: forMs,
        timeZone: timeZone ?? null,
        says: says ?? '',
        author,
      });
      return answer.ok ? reply.code(201).send({ planned: answer.planned }) : refuse(reply, answer.is);
    },
  );
  routes.add(
    {
      method: 'DELETE',
      url: `${URL_PATH}/:id`,
      summary: 'Cancel a planned silence, also while it lasts',
      right: 'operate',
      params: planParams,
      query: cancelQuery,
      answers: { 200: plannedAnswer, 400: failure, 404: failure, 409: failure },
    },
    async (request, reply) => {
      const { id } = request.params as { id: string };
      const { person } = request;
      const author = person?.by === 'session' ? person.session.name : (request.query as CancelQuery).author;
      if (author === undefined)
        return reply.code(400).send({ error: 'the query must have an author, as a token has no name' });
      const answer = planning.cancel(stationOf(request), id, author);
      return answer.ok ? { planned: answer.planned } : refuse(reply, answer.is);
    },
  );
}

function stationOf({ params }: FastifyRequest): StationName {
  return stationName((params as { station: string }).station);
}

function refuse(reply: FastifyReply, is: PlanRefusal): FastifyReply {
  const [status, error] = REFUSALS[is];
  return reply.code(status).send({ error });
}
