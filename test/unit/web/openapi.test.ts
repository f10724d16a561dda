import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, describe, expect, test } from 'vitest';
import type { StationEvent } from '../../../src/domain/events.ts';
import type { AgentView } from '../../../src/domain/view.ts';
import { agentView } from '../../../src/web/schemas.ts';
import { AUTODJ, audible, faulty, LONDON, POLICY, PRIMARY } from '../decide/builders.ts';
import { startTestWeb, type TestWeb, VIEW } from './support.ts';

interface Operation {
  readonly security?: unknown;
  readonly requestBody?: unknown;
  readonly responses: Record<string, { content?: Record<string, { schema: Record<string, unknown> }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Record<string, unknown>> };
}

let web: TestWeb;
let document: Document;
beforeEach(async () => {
  web = await startTestWeb();
  document = (await (await web.get('/api/v1/openapi.json')).json()) as Document;
});

/** The body that the document promises, as a check; its references are looked up in the document. */
function checkOf(path: string, method: string, status: number) {
  const schema = document.paths[path]?.[method]?.responses[status]?.content?.['application/json']?.schema;
  if (schema === undefined) throw new Error(`no schema for ${method} ${path} ${status}`);
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
  return ajv.compile({ ...schema, components: document.components });
}

describe('the OpenAPI document', () => {
  test('has every path that is answered, and names what each needs', () => {
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { security }]) => `${method} ${path}${security ? '' : ' (open)'}`,
      ),
    );
    expect(operations.sort()).toEqual([
      'delete /api/v1/session',
      'delete /api/v1/stations/{station}/planned-silence/{id}',
      'get /api/v1/events',
      'get /api/v1/incidents',
      'get /api/v1/levels',
      'get /api/v1/openapi.json (open)',
      'get /api/v1/session',
      'get /api/v1/state',
      'get /api/v1/stations/{station}/hear',
      'get /api/v1/stations/{station}/loudness',
      'get /api/v1/stations/{station}/planned-silence',
      'get /healthz (open)',
      'get /metrics',
      'get /readyz (open)',
      'post /api/v1/dns/force',
      'post /api/v1/dns/hold',
      'post /api/v1/dns/release',
      'post /api/v1/incidents/{id}/acknowledge',
      'post /api/v1/session (open)',
      'post /api/v1/stations/{station}/force',
      'post /api/v1/stations/{station}/hold',
      'post /api/v1/stations/{station}/planned-silence',
      'post /api/v1/stations/{station}/release',
    ]);
  });

  test('calls open what answers without a token, and nothing else', async () => {
    for (const [path, { get }] of Object.entries(document.paths)) {
      if (get === undefined) continue;
      const { status } = await web.get(path.replace('{station}', 'myfm'));
      expect([path, status === 401]).toEqual([path, get.security !== undefined]);
    }
  });

  test('has a schema for every reference', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(10);
    for (const [, name = ''] of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  test.each([
    ['/api/v1/state', '/api/v1/state', 200],
    ['/api/v1/stations/{station}/loudness', '/api/v1/stations/myfm/loudness?lastMs=60000&points=10', 200],
    ['/api/v1/stations/{station}/loudness', '/api/v1/stations/nofm/loudness', 404],
    ['/api/v1/stations/{station}/loudness', '/api/v1/stations/myfm/loudness?points=many', 400],
    ['/api/v1/incidents', '/api/v1/incidents?open=true&limit=5', 200],
    ['/api/v1/incidents', '/api/v1/incidents?open=perhaps', 400],
    ['/api/v1/events', '/api/v1/events?from=2026-11-08T11:00:00Z&to=2026-11-08T12:00:00%2B01:00', 200],
    ['/api/v1/events', '/api/v1/events?from=yesterday', 400],
    ['/healthz', '/healthz', 200],
    ['/readyz', '/readyz', 200],
    ['/api/v1/levels', '/api/v1/levels', 426],
  ])('is what %s is answered like', async (path, url, status) => {
    const answer = await web.get(url, 'Bearer see');
    expect(answer.status).toBe(status);
    const check = checkOf(path, 'get', status);
    expect([check(await answer.json()), check.errors]).toEqual([true, null]);
  });

  test('is what a wish is answered like', async () => {
    const { status, body } = await web.post('myfm/release', { server: 'london', author: 'ann' });
    expect(status).toBe(202);
    expect(checkOf('/api/v1/stations/{station}/release', 'post', 202)(body)).toBe(true);
  });

  test('does not let an answer with another field pass', () => {
    expect(checkOf('/healthz', 'get', 200)({ ok: true, secret: 1 })).toBe(false);
  });
});

const leg = POLICY.legs[0]?.id;
const EVENTS: readonly StationEvent[] =
  leg === undefined
    ? []
    : [
        { kind: 'leg-changed', atMs: 1, leg, from: audible(0, 1), to: faulty(1) },
        {
          kind: 'server-changed',
          atMs: 1,
          server: LONDON,
          from: { is: 'unknown', sinceMs: 0 },
          to: { is: 'up', sinceMs: 1 },
        },
        { kind: 'role-changed', atMs: 1, server: LONDON, from: 'watching', to: 'deputy', because: 'x' },
        { kind: 'took-over', atMs: 1, server: LONDON, source: PRIMARY, because: 'x' },
        {
          kind: 'switched',
          atMs: 1,
          server: LONDON,
          from: PRIMARY,
          to: AUTODJ,
          trigger: 'fault',
          because: 'x',
        },
        { kind: 'heard-on-air', atMs: 1, server: LONDON, from: PRIMARY, to: AUTODJ },
        { kind: 'hold-changed', atMs: 1, server: LONDON, detail: 'x', author: 'ann' },
        { kind: 'refused', atMs: 1, server: LONDON, detail: 'x', author: 'ann' },
        { kind: 'alert-opened', atMs: 1, code: 'server-down', subject: 'x', detail: 'x' },
        { kind: 'alert-closed', atMs: 1, code: 'server-down', subject: 'x', detail: 'x' },
        {
          kind: 'relay-switched',
          atMs: 1,
          from: leg,
          to: null,
          trigger: 'fault',
          hitless: false,
          because: 'x',
        },
        { kind: 'relay-aligned', atMs: 1, leg, detail: 'x' },
      ];

test.each(EVENTS.map((event) => [event.kind, event] as const))(
  'an event of the kind %s is in the schema',
  (_kind, event) => {
    const [station] = VIEW.stations;
    if (station === undefined) throw new Error('no station');
    const events = [{ time: '2026-11-22T12:00:00.000Z', event }];
    const view: AgentView = { ...VIEW, stations: [{ ...station, events }] };
    expect(agentView.safeParse(view).error?.issues ?? []).toEqual([]);
  },
);
