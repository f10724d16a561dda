import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { z } from 'zod';
import { SustainError } from '../platform/errors.ts';
import type { Gate, Person, Right } from './access/gate.ts';
import { jsonSchema } from './schemas.ts';

/** What a route is, for whoever calls it: checked on the way in, and written into the OpenAPI document. */
export interface Description {
  readonly summary: string;
  /** Null: open to everybody. */
  readonly right: Right | null;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** By status; a text is the media type of what has no schema. */
  readonly answers: Readonly<Record<number, z.ZodType | string>>;
}

export interface DescribedRoute extends Description {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly described?: DescribedRoute;
  }
  interface FastifyRequest {
    /** Who asks, where a route is not open to everybody. */
    person: Person | null;
  }
}

/** The routes of one server. One that nobody described can't be added. */
export class DescribedRoutes {
  readonly all: DescribedRoute[] = [];
  readonly #app: FastifyInstance;
  readonly #gate: Gate;

  constructor(app: FastifyInstance, gate: Gate) {
    this.#app = app;
    this.#gate = gate;
    app.decorateRequest('person', null);
    app.addHook('onRoute', ({ method, url, config }) => {
      if (method === 'HEAD') return;
      const described = config?.described;
      if (described === undefined) {
        throw new SustainError('route-not-described', `${String(method)} ${url} has no description`);
      }
      this.all.push(described);
    });
  }

  add(described: DescribedRoute, handler: RouteHandlerMethod): void {
    const { method, url, params, query, body } = described;
    this.#app.route({
      method,
      url,
      config: { described },
      ...(described.right === null ? {} : { onRequest: this.#guard(described.right) }),
      schema: {
        ...(params === undefined ? {} : { params: jsonSchema(params) }),
        ...(query === undefined ? {} : { querystring: jsonSchema(query) }),
        ...(body === undefined ? {} : { body: jsonSchema(body) }),
      },
      handler,
    });
  }

  #guard(right: Right) {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const asked = this.#gate.ask(request.raw, right);
      if (asked.ok) {
        request.person = asked.person;
        return;
      }
      if (asked.status === 401) reply.header('www-authenticate', 'Bearer');
      return reply.code(asked.status).send({ error: asked.error });
    };
  }
}
