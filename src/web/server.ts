import { createHash, timingSafeEqual } from 'node:crypto';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import type { OperatorRequest } from '../domain/operator.ts';
import type { AgentView } from '../domain/view.ts';
import { messageOf, SustainError } from '../platform/errors.ts';

export interface WebOptions {
  readonly host: string;
  readonly port: number;
  /** Null: nobody gets in with it. */
  readonly viewerToken: string | null;
  readonly operatorToken: string | null;
  view(): AgentView;
  isReady(): boolean;
  /** False when there is no such station. */
  request(station: string, request: OperatorRequest): boolean;
}

export interface WebServer {
  readonly url: string;
  stop(): Promise<void>;
}

type Right = 'view' | 'operate';

const HOLD_MAX_MS = 7 * 24 * 3_600_000;

const holdBody = {
  type: 'object',
  required: ['server', 'author', 'forMs'],
  additionalProperties: false,
  properties: {
    server: { type: 'string', maxLength: 32 },
    author: { type: 'string', minLength: 1, maxLength: 64 },
    forMs: { type: 'integer', minimum: 1000, maximum: HOLD_MAX_MS },
    source: { type: 'string', maxLength: 32 },
    override: { type: 'boolean' },
  },
} as const;

const releaseBody = {
  type: 'object',
  required: ['server', 'author'],
  additionalProperties: false,
  properties: holdBody.properties,
} as const;

/**
 * The HTTP side: what is going on for those with a token, health for everybody. It acts on nothing itself; an
 * operator's wish becomes an input to the decision.
 * @throws SustainError `web-not-listening` when the address can't be listened on.
 */
export async function startWeb(options: WebOptions): Promise<WebServer> {
  const app = fastify({
    bodyLimit: 16 * 1024,
    requestTimeout: 15_000,
    connectionTimeout: 15_000,
    // A client that is in no hurry must not keep an agent that was told to stop.
    forceCloseConnections: true,
    // A misspelt or mistyped wish is refused, not guessed at.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  app.setErrorHandler(sayWhatWasWrong);
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is nothing here' }));
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  });
  app.get('/healthz', async () => ({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const ready = options.isReady();
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  app.get('/api/v1/state', { onRequest: guard(options, 'view') }, async () => options.view());

  const ask = (request: FastifyRequest, reply: FastifyReply, wish: OperatorRequest) => {
    const { station } = request.params as { station: string };
    const known = options.view().stations.find((one) => one.station === station);
    if (known?.servers.every((one) => one.server !== wish.server))
      return reply.code(404).send({ error: `there is no server ${wish.server}` });
    if (known === undefined || !options.request(station, wish))
      return reply.code(404).send({ error: `there is no station ${station}` });
    return reply.code(202).send({ accepted: true });
  };
  const operator = { onRequest: guard(options, 'operate') };
  type Body = { server: string; author: string; forMs: number; source?: string; override?: boolean };
  app.post<{ Body: Body }>(
    '/api/v1/stations/:station/hold',
    { ...operator, schema: { body: holdBody } },
    (request, reply) => {
      const { server, author, forMs } = request.body;
      return ask(request, reply, { do: 'hold', server: server as OperatorRequest['server'], author, forMs });
    },
  );
  app.post<{ Body: Body }>(
    '/api/v1/stations/:station/force',
    { ...operator, schema: { body: { ...holdBody, required: [...holdBody.required, 'source'] } } },
    (request, reply) => {
      const { server, author, forMs, source, override } = request.body;
      return ask(request, reply, {
        do: 'force',
        server: server as OperatorRequest['server'],
        source: (source ?? '') as (OperatorRequest & { do: 'force' })['source'],
        author,
        forMs,
        override: override ?? false,
      });
    },
  );
  app.post<{ Body: Body }>(
    '/api/v1/stations/:station/release',
    { ...operator, schema: { body: releaseBody } },
    (request, reply) => {
      const { server, author } = request.body;
      return ask(request, reply, { do: 'release', server: server as OperatorRequest['server'], author });
    },
  );

  try {
    const url = await app.listen({ host: options.host, port: options.port });
    return { url, stop: () => app.close() };
  } catch (thrown) {
    throw new SustainError(
      'web-not-listening',
      `web.listen ${options.host}:${options.port}: ${messageOf(thrown)}`,
      thrown,
    );
  }
}

/** What the client did wrong, in words; of what went wrong here nothing that is our own. */
function sayWhatWasWrong(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500;
  return reply.code(status).send({ error: status < 500 ? error.message : 'something went wrong here' });
}

/** A bearer token per right; an operator may also view. */
function guard(options: WebOptions, right: Right) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined)
      return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'a bearer token is needed' });
    if (isSame(given, options.operatorToken)) return;
    if (right === 'view' && isSame(given, options.viewerToken)) return;
    return reply
      .code(403)
      .send({ error: right === 'view' ? 'this token is not known' : 'this token may not operate' });
  };
}

/** Hashes first, so that neither length nor content shows in the time it takes. */
function isSame(given: string, expected: string | null): boolean {
  if (expected === null) return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
