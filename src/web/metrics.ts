import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { FailoverView } from '../domain/failover-view.ts';
import type { AgentFigures } from '../domain/figures.ts';
import type { AgentView, LegView, ServerView, StationView, StreamView } from '../domain/view.ts';
import type { LevelsHub } from './levels/hub.ts';

export interface MetricsSource {
  view(): AgentView;
  figures(): AgentFigures;
}

const LEG = ['station', 'server', 'source'] as const;
const CONDITIONS = ['unknown', 'audible', 'faulty'] as const;
/** The default of 10 ms wakes the process a hundred times a second, which cost an agent more than its decisions. */
const LOOP_LOOK_EVERY_MS = 100;
const SERVER_CONDITIONS = ['unknown', 'up', 'misconfigured', 'overloaded', 'down'] as const;

const HEALTHS = ['unknown', 'well', 'doubt', 'ill'] as const;
const RELATIONS = ['unknown', 'same', 'different'] as const satisfies readonly StreamView['relation'][];
const VERDICTS = ['unknown', 'well', 'ill'] as const;

/** Everything for Prometheus. It is put together when it is asked for, and costs nothing meanwhile. */
export class Metrics {
  readonly #source: MetricsSource;
  readonly #hub: LevelsHub;
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();

  constructor(source: MetricsSource, hub: LevelsHub) {
    this.#source = source;
    this.#hub = hub;
    collectDefaultMetrics({
      register: this.#registry,
      prefix: 'sustain_',
      eventLoopMonitoringPrecision: LOOP_LOOK_EVERY_MS,
    });
    for (const [name, help, labels] of GAUGES) {
      const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] });
      this.#gauges.set(name, gauge);
    }
    for (const [name, help, labels] of COUNTERS) {
      const counter = new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] });
      this.#counters.set(name, counter);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    for (const gauge of this.#gauges.values()) gauge.reset();
    for (const counter of this.#counters.values()) counter.reset();
    const view = this.#source.view();
    this.#gauge('sustain_info', { agent: view.agent, version: view.version }, 1);
    for (const station of view.stations) this.#station(station);
    if (view.dns !== null) this.#dns(view.dns);
    this.#figures(this.#source.figures());
    this.#gauge('sustain_levels_readers', {}, this.#hub.readers);
    this.#counter('sustain_levels_frames_total', {}, this.#hub.frames.sent);
    this.#counter('sustain_levels_frames_dropped_total', {}, this.#hub.frames.dropped);
    return this.#registry.metrics();
  }

  #station({ station, servers, relay, alerts }: StationView): void {
    for (const server of servers) this.#server(station, server);
    this.#gauge('sustain_alerts', { station }, alerts.length);
    for (const { code, subject } of alerts) this.#gauge('sustain_alert', { station, code, subject }, 1);
    if (relay === null) return;
    this.#gauge('sustain_relay_on_air', { station }, relay.onAir === null ? 0 : 1);
    this.#level('sustain_relay_latency_seconds', { station }, seconds(relay.latencyMs));
    for (const stream of relay.streams) this.#stream(station, stream);
    for (const { mount, state, rebuilds } of relay.outputs) {
      const labels = { station, mount };
      this.#gauge('sustain_output_feeding', labels, state === 'feeding' ? 1 : 0);
      this.#counter('sustain_encoder_restarts_total', labels, rebuilds);
    }
    this.#level('sustain_output_true_peak_dbtp', { station }, relay.sound?.truePeakDbtp ?? null);
    this.#level('sustain_output_momentary_lufs', { station }, relay.sound?.momentaryLufs ?? null);
    this.#level('sustain_output_short_term_lufs', { station }, relay.sound?.shortTermLufs ?? null);
  }

  #stream(station: string, { server, relation, skewMs, driftMsPerS, louderDb, agoMs }: StreamView): void {
    const labels = { station, server };
    for (const one of RELATIONS)
      this.#gauge('sustain_stream_relation', { ...labels, relation: one }, relation === one ? 1 : 0);
    this.#level('sustain_stream_skew_seconds', labels, seconds(skewMs));
    this.#level('sustain_stream_skew_drift_seconds_per_second', labels, seconds(driftMsPerS));
    this.#level('sustain_stream_louder_db', labels, louderDb);
    this.#gauge('sustain_stream_compared_seconds', labels, agoMs / 1000);
  }

  #dns({ names, record, servers, writes, epoch, hold, alerts, cluster }: FailoverView): void {
    const [name = ''] = names;
    for (const { server, health, verdict } of servers) {
      const isThere = record?.is === 'server' && record.server === server;
      this.#gauge('sustain_dns_points_to', { name, server }, isThere ? 1 : 0);
      for (const one of HEALTHS)
        this.#gauge('sustain_dns_server_health', { server, health: one }, health === one ? 1 : 0);
      for (const one of VERDICTS)
        this.#gauge('sustain_dns_server_verdict', { server, verdict: one }, verdict === one ? 1 : 0);
    }
    this.#gauge('sustain_dns_may_write', { name }, writes.may ? 1 : 0);
    this.#level('sustain_dns_epoch', { name }, epoch);
    this.#gauge('sustain_dns_hold', { name }, hold === null ? 0 : 1);
    for (const { code, subject } of alerts) this.#gauge('sustain_dns_alert', { code, subject }, 1);
    if (cluster !== null) this.#gauge('sustain_cluster_connected', {}, cluster.link === 'connected' ? 1 : 0);
  }

  #server(station: string, view: ServerView): void {
    const labels = { station, server: view.server };
    for (const condition of SERVER_CONDITIONS) {
      this.#gauge('sustain_server_condition', { ...labels, condition }, view.condition === condition ? 1 : 0);
    }
    this.#gauge('sustain_hold', labels, view.hold === null ? 0 : 1);
    this.#level('sustain_agent_seen_seconds', labels, seconds(view.agentSeenMs));
    // The legs are in the order of preference.
    const isFirst = view.onAir !== null && view.onAir === view.legs[0]?.source;
    this.#gauge('sustain_on_first_choice', labels, isFirst ? 1 : 0);
    for (const leg of view.legs) this.#leg({ ...labels, source: leg.source }, leg, leg.source === view.onAir);
  }

  #leg(labels: Record<(typeof LEG)[number], string>, leg: LegView, isOnAir: boolean): void {
    this.#gauge('sustain_on_air', labels, isOnAir ? 1 : 0);
    for (const condition of CONDITIONS) {
      this.#gauge('sustain_leg_condition', { ...labels, condition }, leg.condition === condition ? 1 : 0);
    }
    if (leg.condition === 'faulty') this.#gauge('sustain_leg_fault', { ...labels, fault: leg.reason }, 1);
    this.#level('sustain_leg_listeners', labels, leg.listeners);
    leg.rmsDbfs.forEach((dbfs, index) => {
      this.#level('sustain_leg_rms_dbfs', { ...labels, channel: index === 0 ? 'left' : 'right' }, dbfs);
    });
    this.#level('sustain_leg_true_peak_dbtp', labels, leg.truePeakDbtp);
    this.#level('sustain_leg_momentary_lufs', labels, leg.momentaryLufs);
    this.#level('sustain_leg_short_term_lufs', labels, leg.shortTermLufs);
  }

  #figures({ decisions, queuedInputs, stations, outbox, isHistoryFailing }: AgentFigures): void {
    this.#gauge('sustain_history_failing', {}, isHistoryFailing ? 1 : 0);
    for (const { hook, waiting, sent, failed, dead } of outbox) {
      this.#gauge('sustain_alerts_waiting', { hook }, waiting);
      this.#counter('sustain_alerts_sent_total', { hook }, sent);
      this.#counter('sustain_alerts_failed_total', { hook }, failed);
      this.#counter('sustain_alerts_given_up_total', { hook }, dead);
    }
    this.#counter('sustain_decisions_total', {}, decisions.count);
    this.#counter('sustain_decision_delay_seconds_total', {}, decisions.delayMs / 1000);
    this.#gauge('sustain_decision_delay_longest_seconds', {}, decisions.longestMs / 1000);
    this.#gauge('sustain_queued_inputs', {}, queuedInputs);
    for (const { station, servers, switches, decoderRestarts } of stations) {
      for (const { server, deadAirMs } of servers) {
        this.#counter('sustain_dead_air_seconds_total', { station, server }, deadAirMs / 1000);
      }
      for (const { server, trigger, count } of switches) {
        this.#counter('sustain_switches_total', { station, server, trigger }, count);
      }
      for (const { leg, count } of decoderRestarts) {
        this.#counter('sustain_decoder_restarts_total', { station, leg }, count);
      }
    }
  }

  #gauge(name: GaugeName, labels: Record<string, string>, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** What isn't known has no value at all. */
  #level(name: GaugeName, labels: Record<string, string>, value: number | null): void {
    if (value !== null) this.#gauge(name, labels, value);
  }

  #counter(name: CounterName, labels: Record<string, string>, value: number): void {
    this.#counters.get(name)?.inc(labels, value);
  }
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

type Family = readonly [name: string, help: string, labels: readonly string[]];

const GAUGES = [
  ['sustain_info', 'Always 1.', ['agent', 'version']],
  ['sustain_leg_rms_dbfs', 'RMS of 100 ms, in dBFS; absent for digital silence.', [...LEG, 'channel']],
  ['sustain_leg_true_peak_dbtp', 'True peak of 100 ms, in dBTP.', LEG],
  ['sustain_leg_momentary_lufs', 'Momentary loudness (400 ms), in LUFS.', LEG],
  ['sustain_leg_short_term_lufs', 'Short-term loudness (3 s), in LUFS.', LEG],
  ['sustain_leg_condition', '1 for the condition that the leg is in.', [...LEG, 'condition']],
  ['sustain_leg_fault', '1 while the leg has this fault.', [...LEG, 'fault']],
  ['sustain_leg_listeners', "Listeners on the leg's mount, by Icecast.", LEG],
  ['sustain_on_air', '1 for the source that is on air on the server.', LEG],
  [
    'sustain_on_first_choice',
    '1 while the first source in the order of the config is on air.',
    ['station', 'server'],
  ],
  [
    'sustain_server_condition',
    '1 for the condition that the server is in.',
    ['station', 'server', 'condition'],
  ],
  ['sustain_hold', '1 while an operator holds the server.', ['station', 'server']],
  [
    'sustain_agent_seen_seconds',
    'Since the last sign of life of the agent beside it.',
    ['station', 'server'],
  ],
  ['sustain_alerts', 'Alerts that are open.', ['station']],
  ['sustain_alert', '1 while the alert is open.', ['station', 'code', 'subject']],
  ['sustain_relay_on_air', 'Relay mode: 0 while only the noise floor is played.', ['station']],
  ['sustain_relay_latency_seconds', 'Relay mode: how far behind the live sound.', ['station']],
  [
    'sustain_stream_relation',
    'Relay mode: 1 for how the public stream of another server lies to our own.',
    ['station', 'server', 'relation'],
  ],
  ['sustain_stream_skew_seconds', 'How much later it carries the same moment.', ['station', 'server']],
  [
    'sustain_stream_skew_drift_seconds_per_second',
    'How much later it gets; not 0 while one makes up for a delay.',
    ['station', 'server'],
  ],
  ['sustain_stream_louder_db', 'By how much it is louder over the same seconds.', ['station', 'server']],
  ['sustain_stream_compared_seconds', 'Since the two were compared.', ['station', 'server']],
  ['sustain_output_feeding', 'Relay mode: 1 while the public mount is fed.', ['station', 'mount']],
  ['sustain_output_true_peak_dbtp', 'Of what is played on the public mounts, in dBTP.', ['station']],
  ['sustain_output_momentary_lufs', 'Of what is played on the public mounts, in LUFS.', ['station']],
  ['sustain_output_short_term_lufs', 'Of what is played on the public mounts, in LUFS.', ['station']],
  ['sustain_dns_points_to', '1 for the server that the name points to.', ['name', 'server']],
  ['sustain_dns_server_health', '1 for what this agent makes of the server.', ['server', 'health']],
  ['sustain_dns_server_verdict', '1 for what the witnesses make of the server.', ['server', 'verdict']],
  ['sustain_dns_may_write', '1 while this agent is the one that would write to the DNS.', ['name']],
  ['sustain_dns_epoch', 'The epoch that stands in the DNS; absent before the first write.', ['name']],
  ['sustain_dns_hold', '1 while an operator holds the name.', ['name']],
  ['sustain_dns_alert', '1 while the alert about the name is open.', ['code', 'subject']],
  ['sustain_cluster_connected', '1 while a majority of the NATS servers stores what agents say.', []],
  ['sustain_decision_delay_longest_seconds', 'The longest wait of an input in the last minute.', []],
  ['sustain_queued_inputs', 'Inputs that wait for their decision.', []],
  ['sustain_levels_readers', 'Who watches the meters.', []],
  ['sustain_history_failing', '1 while the disk takes nothing.', []],
  ['sustain_alerts_waiting', 'Alerts that wait to be told.', ['hook']],
] as const satisfies readonly Family[];

const COUNTERS = [
  [
    'sustain_dead_air_seconds_total',
    'How long listeners of the server heard no programme; grows late, by the trip delay.',
    ['station', 'server'],
  ],
  ['sustain_switches_total', 'Changes of what is on air.', ['station', 'server', 'trigger']],
  ['sustain_decoder_restarts_total', 'Times the ffmpeg that decodes a leg was replaced.', ['station', 'leg']],
  [
    'sustain_encoder_restarts_total',
    'Times the ffmpeg of a public mount was replaced.',
    ['station', 'mount'],
  ],
  ['sustain_alerts_sent_total', 'Alerts told.', ['hook']],
  ['sustain_alerts_failed_total', 'Tries to tell alerts that failed.', ['hook']],
  ['sustain_alerts_given_up_total', 'Alerts that nobody was told of in a day.', ['hook']],
  ['sustain_decisions_total', 'Inputs decided on.', []],
  ['sustain_decision_delay_seconds_total', 'Time that inputs waited for their decision.', []],
  ['sustain_levels_frames_total', 'Frames of meters sent.', []],
  ['sustain_levels_frames_dropped_total', 'Frames that slow readers did not get.', []],
] as const satisfies readonly Family[];

type GaugeName = (typeof GAUGES)[number][0];
type CounterName = (typeof COUNTERS)[number][0];
