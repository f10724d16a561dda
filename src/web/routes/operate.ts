import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OperatorRequest } from '../../domain/operator.ts';
import type { AgentView } from '../../domain/view.ts';
import type { DescribedRoutes } from '../described.ts';
import {
  accepted,
  type ForceBody,
  failure,
  forceBody,
  type HoldBody,
  holdBody,
  type ReleaseBody,
  releaseBody,
  stationParams,
} from '../schemas.ts';

export interface Operated {
  view(): AgentView;
  /** False when there is no such station. */
  request(station: string, request: OperatorRequest): boolean;
}

export const NO_AUTHOR = "body must have required property 'author'";

/** An operator's wishes: each becomes an input to the decision, and nothing is done here. */
export function addOperatorRoutes(routes: DescribedRoutes, operated: Operated): void {
  const add = (
    what: string,
    summary: string,
    body: typeof holdBody | typeof forceBody | typeof releaseBody,
    wishOf: (request: FastifyRequest, author: string) => OperatorRequest,
  ) =>
    routes.add(
      {
        method: 'POST',
        url: `/api/v1/stations/:station/${what}`,
        summary,
        right: 'operate',
        params: stationParams,
        body,
        answers: { 202: accepted, 400: failure, 404: failure },
      },
      (request, reply) => {
        const author = authorOf(request);
        if (author === null) return reply.code(400).send({ error: NO_AUTHOR });
        return ask(operated, request, reply, wishOf(request, author));
      },
    );
  add('hold', 'Let nothing automatic happen on a server for a while', holdBody, (request, author) => {
    const { server, forMs } = request.body as HoldBody;
    return { do: 'hold', server, author, forMs };
  });
  add('force', 'Put a source on the air of a server, and hold it there', forceBody, (request, author) => {
    const { server, forMs, source, override } = request.body as ForceBody;
    return { do: 'force', server, source, author, forMs, override: override ?? false };
  });
  add('release', 'End a hold', releaseBody, (request, author) => {
    const { server } = request.body as ReleaseBody;
    return { do: 'release', server, author };
  });
}

/** Who signed in is the author whatever the body says; a token has no name, so one is to be given. */
export function authorOf(request: FastifyRequest): string | null {
  const { person } = request;
  if (person?.by === 'session') return person.session.name;
  return (request.body as { author?: string }).author ?? null;
}

function ask(operated: Operated, request: FastifyRequest, reply: FastifyReply, wish: OperatorRequest) {
  const { station } = request.params as { station: string };
  const known = operated.view().stations.find((one) => one.station === station);
  if (known?.servers.every((one) => one.server !== wish.server))
    return reply.code(404).send({ error: `there is no server ${wish.server}` });
  const isThere = (source: string) =>
    known?.servers.some(({ legs }) => legs.some((leg) => leg.source === source));
  if (known !== undefined && wish.do === 'force' && !isThere(wish.source))
    return reply.code(404).send({ error: `there is no source ${wish.source}` });
  if (known === undefined || !operated.request(station, wish))
    return reply.code(404).send({ error: `there is no station ${station}` });
  return reply.code(202).send({ accepted: true });
}
