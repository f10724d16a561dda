import { afterEach } from 'vitest';
import type { AgentFigures } from '../../../src/domain/figures.ts';
import type { IncidentView } from '../../../src/domain/history-view.ts';
import type { ChannelLevels, StationLevels } from '../../../src/domain/levels.ts';
import type { OperatorRequest } from '../../../src/domain/operator.ts';
import type { AgentView, LegView, LoudnessView } from '../../../src/domain/view.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Remembered } from '../../../src/web/routes/history.ts';
import { startWeb, type WebOptions, type WebServer, type WebSource } from '../../../src/web/server.ts';
import { LONDON, MYFM, POLICY, PRIMARY } from '../decide/builders.ts';

const legView = ({ id, source, mount }: (typeof POLICY)['legs'][number]): LegView => ({
  leg: id,
  source,
  mount,
  condition: 'unknown',
  reason: 'no-data',
  detail: '',
  forMs: 0,
  listeners: null,
  title: null,
  rmsDbfs: [],
  truePeakDbtp: null,
  momentaryLufs: null,
  shortTermLufs: null,
  faults: [],
  warnings: [],
});

export const VIEW: AgentView = {
  agent: LONDON,
  version: '0.0.0',
  uptimeMs: 1,
  dns: null,
  servers: [{ server: LONDON, url: 'http://10.0.0.1:8000' }],
  stations: [
    {
      station: MYFM,
      servers: [
        {
          server: LONDON,
          role: 'own',
          condition: 'up',
          detail: '',
          agentSeenMs: 0,
          onAir: PRIMARY,
          hold: null,
          legs: POLICY.legs.filter(({ server }) => server === LONDON).map(legView),
        },
      ],
      relay: null,
      alerts: [],
      events: [],
    },
  ],
};

export const LEVELS: ChannelLevels = {
  rmsDbfs: [-20, Number.NEGATIVE_INFINITY],
  peakDbfs: [-9.5, Number.NaN],
  truePeakDbtp: -8.25,
  momentaryLufs: -18,
  shortTermLufs: -19.01,
  condition: 'faulty',
  gainReductionDb: 3.4,
};

export function stationLevels(): StationLevels {
  const leg = POLICY.legs[0];
  if (leg === undefined) throw new Error('no leg');
  const { id, server, source, mount } = leg;
  return {
    station: MYFM,
    channels: [{ kind: 'leg', leg: id, server, source, mount, thresholdDbfs: -50 }],
    read: () => [LEVELS],
    processed: () => [],
  };
}

export const FIGURES: AgentFigures = {
  decisions: { count: 3, delayMs: 30, longestMs: 20 },
  queuedInputs: 0,
  outbox: [{ hook: 'desk', waiting: 2, sent: 5, failed: 1, dead: 0 }],
  isHistoryFailing: false,
  stations: [
    {
      station: MYFM,
      servers: [{ server: LONDON, deadAirMs: 1500 }],
      switches: [{ server: LONDON, trigger: 'fault', count: 2 }],
      decoderRestarts: POLICY.legs.map(({ id }) => ({ leg: id, count: 0 })),
    },
  ],
};

export const INCIDENT: IncidentView = {
  id: 'myfm-london-1-sound',
  station: MYFM,
  severity: 'warning',
  title: 'london: primary to autodj',
  cause: '/primary is silent',
  openedAt: '2026-11-08T11:00:00.000Z',
  closedAt: null,
  durationMs: 5000,
  calmForMs: null,
  acknowledged: null,
  servers: [LONDON],
  deadAirMs: { london: 5000 },
  unheard: [],
  heard: '5.0 s of dead air on london',
  steps: [{ time: '2026-11-08T11:00:00.000Z', is: 'opened', says: 'london: primary to autodj' }],
};

export const REMEMBERED: Remembered = {
  incidents: async () => [INCIDENT],
  events: async () => ({
    events: [
      {
        seq: 7,
        time: '2026-11-08T11:00:00.000Z',
        station: MYFM,
        says: 'acknowledged by ann',
        author: 'ann',
        event: { kind: 'acknowledged', atMs: 5, incident: INCIDENT.id, author: 'ann' },
      },
    ],
    before: null,
  }),
  acknowledge: (incident) => incident === INCIDENT.id,
};

export const LOUDNESS: LoudnessView = {
  station: MYFM,
  from: '2026-11-22T12:00:00.000Z',
  stepMs: 2000,
  series: [{ channel: 'myfm/primary@london', kind: 'leg', shortTermLufs: [-18.5, null], conditions: 'au' }],
  switches: [],
};

const NO_STATION = { ok: false, is: 'no-station' } as const;

const running = new Set<WebServer>();
afterEach(async () => {
  await Promise.all([...running].map((web) => web.stop()));
  running.clear();
});

export interface TestWeb {
  readonly web: WebServer;
  readonly asked: { readonly station: string; readonly request: OperatorRequest }[];
  get(path: string, authorization?: string): Promise<Response>;
  post(path: string, body: unknown, token?: string): Promise<{ status: number; body: { error?: string } }>;
}

/** A server on a free port, with what it was asked for. Tokens: `see` and `do`. */
export async function startTestWeb(
  changes: Partial<WebOptions> = {},
  source: Partial<WebSource> = {},
): Promise<TestWeb> {
  const asked: { station: string; request: OperatorRequest }[] = [];
  const web = await startWeb({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    viewerToken: 'see',
    operatorToken: 'do',
    users: [],
    proxies: [],
    tls: null,
    sessionStore: null,
    source: {
      view: () => VIEW,
      isReady: () => true,
      request: (station, request) => {
        asked.push({ station, request });
        return station === 'myfm';
      },
      requestDns: () => ({ is: 'taken' }),
      playlist: () => null,
      loudness: (station) => (station === 'myfm' ? LOUDNESS : null),
      figures: () => FIGURES,
      levels: [stationLevels()],
      remembered: REMEMBERED,
      hear: () => null,
      silencePlans: {
        list: () => null,
        timeZoneOf: () => 'UTC',
        plan: () => NO_STATION,
        cancel: () => NO_STATION,
      },
      ...source,
    },
    ...changes,
  });
  running.add(web);
  return {
    web,
    asked,
    get: (path, authorization = '') => fetch(`${web.url}${path}`, { headers: { authorization } }),
    async post(path, body, token = 'do') {
      const answer = await fetch(`${web.url}/api/v1/stations/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as { error?: string } };
    },
  };
}
