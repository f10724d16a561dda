import { z } from 'zod';
import type { DescribedRoute, Description } from './described.ts';
import { components } from './schema-words.ts';
import { failure } from './schemas.ts';

type Json = Record<string, unknown>;

const STATUS_WORDS: Readonly<Record<number, string>> = {
  101: 'Switching to WebSocket',
  200: 'OK',
  201: 'It stands now',
  202: 'Accepted: it became an input to the decision, whose outcome is in the events',
  400: 'The request is not as it should be',
  401: 'Nobody is signed in, and there is no token',
  403: 'Not allowed',
  404: 'There is no such thing',
  409: 'Refused as things stand; the error says why',
  426: 'To be opened as a WebSocket',
  429: 'Too many tries',
  502: 'The server beside the agent does not give it',
  503: 'Not now',
};

/** The OpenAPI 3.1 document of the routes, made from the very schemas that they check with. */
export function openApiDocument(routes: readonly DescribedRoute[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    if (!route.url.startsWith('/api/') && !['/healthz', '/readyz', '/metrics'].includes(route.url)) continue;
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sustain',
      version,
      description: 'One agent of Sustain. Times in ms, levels in dBFS, dBTP and LUFS.',
    },
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-sustain' },
      },
    },
  };
}

function operation(route: DescribedRoute): Json {
  const { summary, right, params, query, body, answers } = route;
  const refusals = right === null ? [] : [401, 403];
  const all: Description['answers'] = {
    ...answers,
    ...Object.fromEntries(refusals.map((status) => [status, failure])),
  };
  const parameters = [...parametersOf('path', params), ...parametersOf('query', query)];
  return {
    summary: right === 'operate' ? `${summary} (operators)` : summary,
    ...(right === null ? {} : { security: [{ token: [] }, { session: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body) } }),
    responses: Object.fromEntries(
      Object.entries(all).map(([status, answer]) => [
        status,
        {
          description: STATUS_WORDS[Number(status)] ?? status,
          ...(answer === '' ? {} : { content: contentOf(answer) }),
        },
      ]),
    ),
  };
}

function contentOf(answer: z.ZodType | string): Json {
  if (typeof answer === 'string') return { [answer]: { schema: { type: 'string' } } };
  const known = components.get(answer);
  const schema = known === undefined ? plain(answer) : { $ref: `#/components/schemas/${known.id}` };
  return { 'application/json': { schema } };
}

function parametersOf(where: 'path' | 'query', schema: z.ZodType | undefined): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = plain(schema) as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function plain(schema: z.ZodType): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema);
  return rest;
}

function componentSchemas(): Json {
  const { schemas } = z.toJSONSchema(components, {
    uri: (id) => `#/components/schemas/${id}`,
    io: 'input',
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]));
}
