import type { DecoderFactory } from '../audio/decoder.ts';
import type { Config, StationConfig } from '../config/index.ts';
import type { AlertCode } from '../domain/events.ts';
import type { Leg, LegId, Mount, ServerName, StationName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { LevelReading } from '../domain/readings.ts';
import type { AlertView } from '../domain/view.ts';
import { Backoff } from '../platform/backoff.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf, SustainError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { OutputView } from '../relay/outputs.ts';
import type { Station } from '../station.ts';
import { type Failed, isolatedClock, isolatedFeed } from './isolation.ts';
import { type LegListener, startLegListener } from './leg-listener.ts';
import { OutputWatch } from './output-watch.ts';
import type { Running } from './running.ts';
import type { ServerLink } from './server-link.ts';
import { type StationRelay, startStationRelay } from './station-relay.ts';

/** Between the starts of two stations. */
const STAGGER_MS = 50;
const WATCH_EVERY_MS = 1_000;
const RETRY = { firstMs: 5_000, maxMs: 5 * 60_000 };

export interface StationPartsOptions {
  readonly config: Config;
  readonly ffmpegPath: string;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly links: () => ReadonlyMap<ServerName, ServerLink>;
  readonly input: (to: Station, input: Input) => void;
  readonly heard: (station: StationName, leg: LegId, reading: LevelReading) => void;
  /** Replaced in tests. */
  readonly startRelay?: typeof startStationRelay;
  readonly startListener?: typeof startLegListener;
}

/** A relay, or nothing yet and what is being done about it. */
interface RelaySeat {
  serve: StationConfig['serve'];
  relay: StationRelay | null;
  readonly backoff: Backoff;
  alert: AlertView | null;
  watch: OutputWatch;
  /** What is wrong with a relay that runs, by what it is about. */
  readonly troubles: Map<string, AlertView>;
}

/**
 * What listens to the legs of every station and, in relay mode, plays them. A part that cannot start, or fails later on, is
 * started again: the other stations don't notice.
 */
export class StationParts {
  readonly #options: StationPartsOptions;
  readonly #relays = new Map<StationName, RelaySeat>();
  readonly #legs = new Map<LegId, LegListener>();
  readonly #cancels = new Set<Cancel>();
  #isOver = false;

  constructor(options: StationPartsOptions) {
    this.#options = options;
  }

  relayOf(name: StationName): StationRelay | null {
    return this.#relays.get(name)?.relay ?? null;
  }

  alertsOf(name: StationName): readonly AlertView[] {
    const seat = this.#relays.get(name);
    if (seat === undefined) return [];
    return [...(seat.alert === null ? [] : [seat.alert]), ...seat.troubles.values()];
  }

  /** One station after another: the decoders and encoders of a hundred must not all begin in one moment. */
  start(all: readonly Running[]): void {
    for (const [index, running] of all.entries()) this.#later(index * STAGGER_MS, () => this.#begin(running));
  }

  change(policy: StationPolicy, { serve }: StationConfig): void {
    for (const leg of policy.legs) this.#legs.get(leg.id)?.change(policy);
    const seat = this.#relays.get(policy.station);
    if (seat === undefined) return;
    seat.serve = serve;
    if (serve.processing !== null) seat.relay?.processing?.change(serve.processing);
  }

  reconnect(leg: LegId, because: string): void {
    this.#legs.get(leg)?.reconnect(because);
  }

  setListed({ id, mount }: Leg, listed: ReadonlySet<Mount>): void {
    this.#legs.get(id)?.setListed(listed.has(mount));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
    const relays = [...this.#relays.values()].flatMap(({ relay }) => (relay === null ? [] : [relay]));
    await Promise.allSettled([...relays, ...this.#legs.values()].map((part) => part.stop()));
  }

  #begin(running: Running): void {
    const { config, links, random, clock } = this.#options;
    const { policy } = running.station;
    const serve = config.stations.find(({ name }) => name === policy.station)?.serve;
    if (serve?.mode === 'relay' && links().has(policy.self)) {
      const backoff = new Backoff(RETRY, random);
      const seat: RelaySeat = {
        serve,
        relay: null,
        backoff,
        alert: null,
        watch: new OutputWatch(),
        troubles: new Map(),
      };
      this.#relays.set(policy.station, seat);
      this.#startRelay(running, seat);
      this.#cancels.add(clock.every(WATCH_EVERY_MS, () => this.#watch(running, seat)));
    }
    for (const leg of policy.legs) this.#startLeg(running, leg, new Backoff(RETRY, random));
  }

  #startRelay(running: Running, seat: RelaySeat): void {
    let isOurs = true;
    const failed: Failed = (thrown) => {
      if (!isOurs || this.#isOver) return;
      isOurs = false;
      this.#relayFailed(running, seat, thrown);
    };
    try {
      seat.relay = this.#openRelay(running, seat.serve, failed);
      // What is heard already goes to this one from now on.
      for (const { id } of running.station.policy.legs) this.#legs.get(id)?.feedAnew();
      this.#relayWorks(running, seat);
    } catch (thrown) {
      failed(thrown);
    }
  }

  #openRelay(
    { station, levels, note }: Running,
    serve: StationConfig['serve'],
    failed: Failed,
  ): StationRelay {
    const {
      config,
      clock,
      random,
      log,
      ffmpegPath,
      decoders,
      startRelay = startStationRelay,
    } = this.#options;
    const links = this.#options.links();
    const { self, station: name } = station.policy;
    const source = config.servers.find((one) => one.name === self)?.source ?? null;
    const server = links.get(self)?.address;
    if (source === null || server === undefined)
      throw new SustainError('no-source-user', `servers.${self}.source is needed in relay mode`);
    const relay = startRelay({
      station,
      serve,
      server,
      source,
      servers: [...links].map(([one, { address }]) => ({ server: one, address })),
      ffmpegPath,
      decoders,
      clock: isolatedClock(clock, failed),
      random,
      log: log.child({ station: name }),
      input: (input) => this.#options.input(station, input),
      event: note,
      played: (pcm) => levels.played(pcm),
      processed: (reading) => levels.noteProcessing(reading),
    });
    return {
      get emergencyProblem() {
        return relay.emergencyProblem;
      },
      processing: relay.processing,
      get view() {
        return relay.view;
      },
      get streams() {
        return relay.streams;
      },
      openFeed: (leg) => isolatedFeed(relay.openFeed(leg), failed),
      stop: () => relay.stop(),
    };
  }

  #relayFailed(running: Running, seat: RelaySeat, thrown: unknown): void {
    const { log, clock } = this.#options;
    const { self, station } = running.station.policy;
    const waitMs = Math.round(seat.backoff.nextMs());
    const detail = `the relay of ${station} failed: ${messageOf(thrown)}; it is started again`;
    log.error({ station, err: messageOf(thrown), retryInMs: waitMs }, 'the relay of this station failed');
    void seat.relay?.stop().catch(() => {});
    seat.relay = null;
    if (seat.alert === null) {
      seat.alert = { code: 'relay-failed', subject: self, detail };
      running.note({
        kind: 'alert-opened',
        atMs: clock.nowMs(),
        code: 'relay-failed',
        subject: self,
        detail,
      });
    }
    this.#later(waitMs, () => this.#startRelay(running, seat));
  }

  /** Over only when it has lasted: one that fails again and again is one trouble. */
  #relayWorks(running: Running, seat: RelaySeat): void {
    const { relay } = seat;
    this.#later(RETRY.firstMs, () => {
      if (seat.relay !== relay) return;
      seat.backoff.succeeded();
      if (seat.alert === null) return;
      const { subject, detail } = seat.alert;
      seat.alert = null;
      const atMs = this.#options.clock.nowMs();
      running.note({ kind: 'alert-closed', atMs, code: 'relay-failed', subject, detail });
    });
  }

  /** A relay that runs and doesn't feed its mounts is told as one that failed: listeners of the mount are no better off. */
  #watch(running: Running, seat: RelaySeat): void {
    const { relay } = seat;
    const { self } = running.station.policy;
    const nowMs = this.#options.clock.nowMs();
    if (relay === null) seat.watch = new OutputWatch();
    // One that is connected for the first time is not amiss yet.
    const isFed = ({ state: { is } }: OutputView) => is === 'feeding' || is === 'connecting';
    const outputs = relay?.view.outputs ?? [];
    running.levels.fed(outputs.filter(isFed).map(({ mount }) => mount));
    const failing = running.station.state.servers.get(self)?.failing ?? null;
    const isAnswering = failing === null || failing.failure === 'unauthorised';
    const unfed = relay === null ? null : seat.watch.troubleIn(outputs, isAnswering, nowMs);
    this.#tell(running, seat, 'relay-failed', self, unfed);
    const unplayable = relay?.emergencyProblem ?? null;
    const says = unplayable === null ? null : `the emergency file can't be played: ${unplayable}`;
    this.#tell(running, seat, 'backup-not-proven', `${self} emergency file`, says);
  }

  /** Once when it begins and once when it is over. */
  #tell({ note }: Running, seat: RelaySeat, code: AlertCode, subject: string, trouble: string | null): void {
    const atMs = this.#options.clock.nowMs();
    const before = seat.troubles.get(subject);
    if (trouble !== null && before === undefined) {
      seat.troubles.set(subject, { code, subject, detail: trouble });
      note({ kind: 'alert-opened', atMs, code, subject, detail: trouble });
    } else if (trouble === null && before !== undefined) {
      seat.troubles.delete(subject);
      note({ kind: 'alert-closed', atMs, code, subject, detail: before.detail });
    }
  }

  /** A leg that nobody can listen to is unknown to the decision, which tells of it when that lasts. */
  #startLeg(running: Running, leg: Leg, backoff: Backoff): void {
    const { config, links, clock, random, log, decoders, startListener = startLegListener } = this.#options;
    const { station, levels, records } = running;
    const link = links().get(leg.server);
    if (link === undefined) return;
    const name = station.policy.station;
    const isRelayed = this.#relays.has(name);
    try {
      const listener = startListener({
        leg,
        agent: config.self,
        server: link.address,
        policy: station.policy,
        decoders,
        clock,
        random,
        log,
        input: (input) => {
          if (input.kind === 'levels') this.#options.heard(name, input.leg, input.reading);
          this.#options.input(station, input);
        },
        title: (title) => station.titles.set(leg.id, title),
        heard: (pcm) => levels.heard(leg.id, pcm),
        decoderReplaced: () => records.noteDecoderRestart(leg.id),
        // Null while the relay is not there: what is heard is decided on, but not played.
        ...(isRelayed ? { openFeed: () => this.relayOf(name)?.openFeed(leg.id) ?? null } : {}),
      });
      this.#legs.set(leg.id, listener);
    } catch (thrown) {
      const waitMs = Math.round(backoff.nextMs());
      const facts = { leg: leg.id, err: messageOf(thrown), retryInMs: waitMs };
      log.error(facts, 'the listener of this leg cannot start');
      this.#later(waitMs, () => this.#startLeg(running, leg, backoff));
    }
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      run();
    });
    this.#cancels.add(cancel);
  }
}
