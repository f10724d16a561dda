import http from 'node:http';
import https from 'node:https';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { StationLevels } from '../domain/levels.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, messageOf, SustainError } from '../platform/errors.ts';
import { neighbourhoodOf } from './access/client.ts';
import { Gate } from './access/gate.ts';
import { RequestLimiter, WRONG_TOKEN_COST } from './access/request-limiter.ts';
import { type SessionStore, Sessions, secretText } from './access/sessions.ts';
import { SignIn, type User } from './access/sign-in.ts';
import { compressLongText } from './compress.ts';
import { DescribedRoutes } from './described.ts';
import { LevelsHub } from './levels/hub.ts';
import { LEVELS_PATH, LevelSockets } from './levels/socket.ts';
import { Metrics, type MetricsSource } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import { refusalOf } from './refusals.ts';
import { addDashboardRoutes } from './routes/dashboard.ts';
import { addDnsRoutes, type DnsOperated } from './routes/dns.ts';
import { addHearRoute, type HearSource } from './routes/hear.ts';
import { addHistoryRoutes, type Remembered } from './routes/history.ts';
import { addListenRoutes, type ListenSource } from './routes/listen.ts';
import { addOperatorRoutes, type Operated } from './routes/operate.ts';
import { addPlannedSilenceRoutes, type SilencePlanning } from './routes/planned-silence.ts';
import { addSessionRoutes } from './routes/session.ts';
import { addStateRoutes, type StateSource } from './routes/state.ts';
import { failure } from './schemas.ts';

/** What the HTTP side is told of the agent, and whom it may tell what. */
export interface WebSource
  extends StateSource,
    Operated,
    DnsOperated,
    ListenSource,
    HearSource,
    MetricsSource {
  readonly remembered: Remembered;
  readonly silencePlans: SilencePlanning;
  readonly levels: readonly StationLevels[];
}

export interface WebOptions {
  readonly source: WebSource;
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  /** Null: nobody gets in with it. */
  readonly viewerToken: string | null;
  readonly operatorToken: string | null;
  readonly users: readonly User[];
  /** Addresses of proxies whose `X-Forwarded-*` headers are believed. */
  readonly proxies: readonly string[];
  /** Where sessions outlive the agent; null: a start signs everybody out. */
  readonly sessionStore: SessionStore | null;
  /** In PEM; null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

export interface WebServer {
  readonly url: string;
  /** Signs an operator in once, under any name; null where a user or a token was configured. */
  readonly oneTimeSecret: string | null;
  stop(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const MOST_CONNECTIONS = 2_000;
const YEAR_SECONDS = 31_536_000;

/**
 * The HTTP side: the dashboard, the API and the metrics for those who may see them, health for everybody. It acts on
 * nothing itself; an operator's wish becomes an input to the decision.
 * @throws SustainError `web-not-listening` when the address can't be listened on, `web-tls` for a certificate or key
 * that can't be used.
 */
export async function startWeb(options: WebOptions): Promise<WebServer> {
  const { source, clock, users, proxies, viewerToken, operatorToken } = options;
  const sessions = new Sessions(clock, options.sessionStore);
  const gate = new Gate({ tokens: { viewer: viewerToken, operator: operatorToken }, sessions, proxies });
  const nobody = users.length === 0 && viewerToken === null && operatorToken === null;
  const oneTimeSecret = nobody ? secretText() : null;
  const signIn = new SignIn({ users, gate, sessions, clock, oneTimeSecret });
  await sessions.restore((role, credential) => signIn.mayStill(role, credential));
  const hub = new LevelsHub({ stations: source.levels, clock });

  const limiter = new RequestLimiter(clock);
  const app = createApp(options, gate, limiter);
  const routes = new DescribedRoutes(app, gate);
  addStateRoutes(routes, source);
  addOperatorRoutes(routes, source);
  addHistoryRoutes(routes, source.remembered);
  addDnsRoutes(routes, source);
  addListenRoutes(routes, source);
  addPlannedSilenceRoutes(routes, source.silencePlans);
  addSessionRoutes(routes, gate, sessions, signIn);
  addHearRoute(routes, source, gate, clock);
  addMetricsRoute(routes, new Metrics(source, hub));
  addLevelsRoute(routes);
  addOpenApiRoute(routes, () => source.view().version);
  addDashboardRoutes(routes);
  const sockets = new LevelSockets(app.server, { hub, gate, limiter, clock });

  try {
    const url = await app.listen({ host: options.host, port: options.port });
    return {
      // Fastify knows nothing of the TLS of a server that was made for it.
      url: options.tls === null ? url : url.replace(/^http:/, 'https:'),
      oneTimeSecret,
      stop() {
        sockets.stop();
        return app.close();
      },
    };
  } catch (thrown) {
    sockets.stop();
    throw new SustainError(
      'web-not-listening',
      `web.listen ${options.host}:${options.port}: ${NOT_LISTENING[codeOf(thrown)] ?? messageOf(thrown)}`,
      thrown,
    );
  }
}

const NOT_LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already (EADDRINUSE): end that, or write another port',
  EADDRNOTAVAIL:
    'this machine has no such address (EADDRNOTAVAIL): write one that it has, or 0.0.0.0 for all of them',
  EACCES: 'this user may not listen there (EACCES): write a port from 1024 on',
};

function createApp({ tls }: WebOptions, gate: Gate, limiter: RequestLimiter): FastifyInstance {
  const app = fastify({
    bodyLimit: 16 * 1024,
    // A client that is in no hurry must not keep an agent that was told to stop.
    forceCloseConnections: true,
    // A misspelt or mistyped wish is refused, not guessed at.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    schemaErrorFormatter: refusalOf,
    serverFactory: (handler) => createServer(tls, handler),
  });
  app.setErrorHandler(sayWhatWasWrong);
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is nothing here' }));
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    if (gate.clientOf(request.raw).isSecure)
      reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}`);
    if (!limiter.take(neighbourhoodOf(gate.clientOf(request.raw).address)))
      return reply.code(429).header('retry-after', 1).send({ error: 'too many requests: wait a little' });
  });
  app.addHook('onSend', compressLongText);
  app.addHook('onResponse', async (request, reply) => {
    const isWrongToken = reply.statusCode === 403 && request.headers.authorization !== undefined;
    if (isWrongToken) limiter.charge(neighbourhoodOf(gate.clientOf(request.raw).address), WRONG_TOKEN_COST);
  });
  return app;
}

function createServer(tls: WebOptions['tls'], handler: http.RequestListener): http.Server {
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 2_000,
  };
  try {
    const server =
      tls === null ? http.createServer(limits, handler) : https.createServer({ ...limits, ...tls }, handler);
    server.maxConnections = MOST_CONNECTIONS;
    return server;
  } catch (thrown) {
    throw new SustainError('web-tls', `web.tls: ${messageOf(thrown)}`, thrown);
  }
}

function addMetricsRoute(routes: DescribedRoutes, metrics: Metrics): void {
  routes.add(
    {
      method: 'GET',
      url: '/metrics',
      summary: 'For Prometheus',
      right: 'view',
      answers: { 200: 'text/plain' },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/** What is no upgrade ends here; upgrades don't get to the routes. */
function addLevelsRoute(routes: DescribedRoutes): void {
  routes.add(
    {
      method: 'GET',
      url: LEVELS_PATH,
      summary: 'Levels over WebSocket, 20 frames a second; docs/api.md has their form',
      right: 'view',
      answers: { 101: '', 426: failure },
    },
    async (_request, reply) =>
      reply.code(426).header('upgrade', 'websocket').send({ error: 'open a WebSocket here' }),
  );
}

function addOpenApiRoute(routes: DescribedRoutes, version: () => string): void {
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/openapi.json',
      summary: 'This document',
      right: null,
      answers: { 200: 'application/json' },
    },
    async () => openApiDocument(routes.all, version()),
  );
}

/** What the client did wrong, in words; of what went wrong here nothing that is our own. */
function sayWhatWasWrong(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500;
  return reply.code(status).send({ error: status < 500 ? error.message : 'something went wrong here' });
}
