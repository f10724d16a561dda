import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sourceName } from '../../../src/domain/ids.ts';
import type { AgentView, LegView } from '../../../src/domain/view.ts';
import { DUBLIN, POLICY } from '../decide/builders.ts';
import { startTestWeb, VIEW } from './support.ts';

const monitoring = (name: string) =>
  readFileSync(new URL(`../../../docs/monitoring/${name}`, import.meta.url), 'utf8');

/** A station in which everything is there that a metric tells of. */
function fullView(): AgentView {
  const [station] = VIEW.stations;
  const [server] = station?.servers ?? [];
  const leg = POLICY.legs[0];
  if (station === undefined || server === undefined || leg === undefined) throw new Error('no station');
  const view: LegView = {
    leg: leg.id,
    source: leg.source,
    mount: leg.mount,
    condition: 'faulty',
    reason: 'silent',
    detail: '',
    forMs: 1,
    listeners: 12,
    title: null,
    rmsDbfs: [-20.5, null],
    truePeakDbtp: -8,
    momentaryLufs: -19,
    shortTermLufs: -20,
    faults: [],
    warnings: [],
  };
  return {
    ...VIEW,
    stations: [
      {
        ...station,
        servers: [{ ...server, legs: [view] }],
        alerts: [{ code: 'server-down', subject: 'dublin', detail: 'x' }],
        relay: {
          onAir: leg.id,
          latencyMs: 8000,
          wantedLatencyMs: 8000,
          legs: [],
          streams: [
            {
              server: DUBLIN,
              relation: 'same',
              skewMs: -640,
              driftMsPerS: 4,
              louderDb: 0.1,
              why: null,
              agoMs: 40_000,
            },
          ],
          outputs: [
            {
              mount: leg.mount,
              state: 'feeding',
              reason: '',
              detail: '',
              connections: 1,
              rebuilds: 1,
              encoder: 'ffmpeg',
              encoderPid: 1,
            },
          ],
          playing: 'leg',
          heldBytes: 0,
          dryMs: 0,
          processing: null,
          sound: { truePeakDbtp: -1, momentaryLufs: -16, shortTermLufs: -16 },
        },
      },
    ],
  };
}

async function scraped(): Promise<string> {
  const { get } = await startTestWeb({}, { view: fullView });
  return (await get('/metrics', 'Bearer see')).text();
}

describe('the metrics', () => {
  test('are for who may see', async () => {
    const { get } = await startTestWeb();
    expect((await get('/metrics')).status).toBe(401);
    const answer = await get('/metrics', 'Bearer see');
    expect(answer.headers.get('content-type')).toContain('text/plain');
  });

  test('tell levels, conditions, switches, dead air and delays', async () => {
    const text = await scraped();
    const leg = 'station="myfm",server="london",source="primary"';
    for (const line of [
      `sustain_leg_rms_dbfs{${leg},channel="left"} -20.5`,
      `sustain_leg_condition{${leg},condition="faulty"} 1`,
      `sustain_leg_condition{${leg},condition="audible"} 0`,
      `sustain_leg_fault{${leg},fault="silent"} 1`,
      `sustain_leg_listeners{${leg}} 12`,
      `sustain_on_air{${leg}} 1`,
      'sustain_on_first_choice{station="myfm",server="london"} 1',
      'sustain_alerts_waiting{hook="desk"} 2',
      'sustain_alerts_sent_total{hook="desk"} 5',
      'sustain_history_failing 0',
      'sustain_dead_air_seconds_total{station="myfm",server="london"} 1.5',
      'sustain_switches_total{station="myfm",server="london",trigger="fault"} 2',
      'sustain_encoder_restarts_total{station="myfm",mount="/primary"} 1',
      'sustain_stream_relation{station="myfm",server="dublin",relation="same"} 1',
      'sustain_stream_relation{station="myfm",server="dublin",relation="different"} 0',
      'sustain_stream_skew_seconds{station="myfm",server="dublin"} -0.64',
      'sustain_stream_skew_drift_seconds_per_second{station="myfm",server="dublin"} 0.004',
      'sustain_stream_louder_db{station="myfm",server="dublin"} 0.1',
      'sustain_stream_compared_seconds{station="myfm",server="dublin"} 40',
      'sustain_decision_delay_longest_seconds 0.02',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).not.toContain('channel="right"');
  });

  test.each([
    ['its second source', 'autodj'],
    ['nothing', null],
  ])('say so when %s is on air and not the first choice', async (_what, onAir) => {
    const { get } = await startTestWeb({}, { view: () => withOnAir(onAir) });
    const text = await (await get('/metrics', 'Bearer see')).text();
    expect(text).toContain('sustain_on_first_choice{station="myfm",server="london"} 0\n');
  });

  test('stay the same when they are asked for twice', async () => {
    const { get } = await startTestWeb({}, { view: fullView });
    const ours = async () =>
      (await (await get('/metrics', 'Bearer see')).text())
        .split('\n')
        .filter((line) => /^sustain_(switches|dead_air|decisions)/.test(line));
    expect(await ours()).toEqual(await ours());
  });
});

function withOnAir(onAir: string | null): AgentView {
  const view = fullView();
  const stations = view.stations.map((station) => ({
    ...station,
    servers: station.servers.map((server) => ({
      ...server,
      onAir: onAir === null ? null : sourceName(onAir),
    })),
  }));
  return { ...view, stations };
}

/** Every name of ours in a text, with what Prometheus adds to it. */
const namesIn = (text: string) => [...new Set(text.match(/\bsustain_[a-z0-9_]+/g))];

describe.each(['grafana-dashboard.json', 'prometheus-rules.yaml'])('docs/monitoring/%s', (name) => {
  test('names only metrics that there are', async () => {
    const told = new Set((await scraped()).match(/^# TYPE (\S+)/gm)?.map((line) => line.slice(7)));
    const names = namesIn(monitoring(name));
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((one) => !told.has(one))).toEqual([]);
  });
});

/** What has to be measured and drawn, by name. */
const FAMILIES: readonly (readonly [string, readonly string[]])[] = [
  ['levels', ['sustain_leg_short_term_lufs', 'sustain_leg_true_peak_dbtp', 'sustain_output_short_term_lufs']],
  ['conditions', ['sustain_leg_fault', 'sustain_server_condition', 'sustain_on_air', 'sustain_alert']],
  ['switches', ['sustain_switches_total']],
  ['dead air', ['sustain_dead_air_seconds_total']],
  ['DNS', ['sustain_dns_points_to', 'sustain_dns_server_verdict', 'sustain_dns_may_write']],
  ['holds', ['sustain_hold', 'sustain_dns_hold']],
  ['queues', ['sustain_queued_inputs', 'sustain_alerts_waiting', 'sustain_levels_frames_dropped_total']],
  ['what was not told or written', ['sustain_alerts_given_up_total', 'sustain_history_failing']],
  ['ffmpeg restarts', ['sustain_decoder_restarts_total', 'sustain_encoder_restarts_total']],
  ['loop delay', ['sustain_nodejs_eventloop_lag_p99_seconds', 'sustain_decision_delay_longest_seconds']],
];

test.each(FAMILIES)('%s are measured, and drawn by the Grafana dashboard', async (_family, names) => {
  const told = await scraped();
  const drawn = namesIn(monitoring('grafana-dashboard.json'));
  expect(names.filter((name) => !told.includes(`# TYPE ${name} `))).toEqual([]);
  expect(names.filter((name) => !drawn.includes(name))).toEqual([]);
});

test('alerts that were given up raise an alarm of their own, as they wait no longer', () => {
  expect(namesIn(monitoring('prometheus-rules.yaml'))).toContain('sustain_alerts_given_up_total');
});

test('a hold that somebody forgot raises an alarm, of a server and of the name', () => {
  expect(namesIn(monitoring('prometheus-rules.yaml'))).toEqual(
    expect.arrayContaining(['sustain_hold', 'sustain_dns_hold']),
  );
});

test('the Grafana dashboard is JSON with a question in every panel', () => {
  const { panels } = JSON.parse(monitoring('grafana-dashboard.json')) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  expect(panels.length).toBeGreaterThan(5);
  expect(panels.filter(({ targets }) => !targets?.every(({ expr }) => expr !== ''))).toEqual([]);
});
