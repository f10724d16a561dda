import { isDeepStrictEqual } from 'node:util';
import { demuxerFor } from '../audio/decode-command.ts';
import type { DecoderFactory } from '../audio/decoder.ts';
import { type LegEar, openLegEar } from '../audio/leg-ear.ts';
import type { Leg, ServerName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { Link } from '../domain/readings.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { startMonitor } from '../listen/monitor.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { LegFeed } from '../relay/legs.ts';
import { meterSettingsOf } from './meter-settings.ts';

export interface LegListenerOptions {
  readonly leg: Leg;
  readonly agent: ServerName;
  readonly server: ServerAddress;
  readonly policy: StationPolicy;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly input: (input: Input) => void;
  readonly title: (title: string) => void;
  /** Decoded sound, for meters. */
  readonly heard: (pcm: Float32Array) => void;
  readonly decoderReplaced: () => void;
  /** In relay mode: where the decoded sound of one connection goes; null while there is nothing that would play it. */
  readonly openFeed?: () => LegFeed | null;
}

export interface LegListener {
  /** Whether the mount exists; one that does not is not asked for, as its fallback would answer. */
  setListed(listed: boolean): void;
  reconnect(because: string): void;
  /** From now on judged by this policy; the connection stays. */
  change(policy: StationPolicy): void;
  /** What comes from now on goes into a new feed. */
  feedAnew(): void;
  stop(): Promise<void>;
}

/** More than a burst of any length brings. */
const MOST_TITLES = 20;

/** One leg: a monitor on its mount, and an ear for each connection the monitor makes. */
export function startLegListener(options: LegListenerOptions): LegListener {
  const { leg, clock, input, log } = options;
  let ear: LegEar | null = null;
  let feed: LegFeed | null = null;
  let { policy } = options;
  /** What the connection has brought so far, for a feed that opens with the first decoded sound. */
  let brought: { bytes: number; titles: { atByte: number; title: string }[] } = { bytes: 0, titles: [] };
  const closing = new Set<Promise<void>>();

  /** A decoder that was replaced begins with what comes now, under the title that is on. */
  const closeFeed = () => {
    feed?.close();
    feed = null;
    const last = brought.titles.at(-1);
    brought = { bytes: 0, titles: last === undefined ? [] : [{ atByte: 0, title: last.title }] };
  };
  const tellBrought = (to: LegFeed) => {
    let told = 0;
    for (const { atByte, title } of brought.titles) {
      to.bytes(atByte - told);
      to.title(title);
      told = atByte;
    }
    to.bytes(brought.bytes - told);
  };
  const closeEar = () => {
    closeFeed();
    if (ear === null) return;
    const done: Promise<void> = ear.close().finally(() => closing.delete(done));
    closing.add(done);
    ear = null;
  };

  const openEar = (link: Link & { is: 'open' }) => {
    const demuxer = demuxerFor(link.contentType);
    if (demuxer === null) {
      log.warn({ leg: leg.id, contentType: link.contentType }, 'this kind of stream cannot be decoded');
      return;
    }
    ear = openLegEar({
      monitor: link.monitor,
      demuxer,
      openedAtMs: link.sinceMs,
      ...meterSettingsOf(policy),
      decoders: options.decoders,
      clock,
      onReading(reading) {
        feed?.loudness(reading.atMs, reading.shortTermLufs, reading.truePeakDbtp);
        input({ kind: 'levels', atMs: clock.nowMs(), leg: leg.id, reading });
      },
      onPulse: (pulse) => input({ kind: 'pulse', atMs: pulse.atMs, leg: leg.id, pulse }),
      onPcm: (pcm) => {
        options.heard(pcm);
        if (feed === null && options.openFeed !== undefined) {
          feed = options.openFeed();
          if (feed !== null) tellBrought(feed);
        }
        feed?.pcm(pcm);
      },
      onHole: () => {
        options.decoderReplaced();
        closeFeed();
      },
    });
  };

  const monitor = startMonitor({
    clock,
    random: options.random,
    server: options.server,
    mount: leg.mount,
    agent: options.agent,
    wanted: false,
    log,
    handlers: {
      link(link) {
        closeEar();
        // The title of an earlier connection may be over.
        brought = { bytes: 0, titles: [] };
        input({ kind: 'link', atMs: clock.nowMs(), leg: leg.id, link });
        if (link.is === 'open') openEar(link);
      },
      bytes: (chunk) => {
        brought.bytes += chunk.length;
        feed?.bytes(chunk.length);
        ear?.write(chunk, clock.nowMs());
      },
      title: ({ title }) => {
        if (title === null) return;
        options.title(title);
        brought.titles = [...brought.titles, { atByte: brought.bytes, title }].slice(-MOST_TITLES);
        feed?.title(title);
      },
    },
  });

  return {
    setListed: (listed) => monitor.setWanted(listed),
    reconnect: (because) => monitor.reconnect(because),
    change(wanted) {
      const [before, now] = [meterSettingsOf(policy), meterSettingsOf(wanted)];
      policy = wanted;
      if (!isDeepStrictEqual(before, now)) ear?.measureBy(now);
    },
    feedAnew: closeFeed,
    async stop() {
      monitor.stop();
      closeEar();
      await Promise.all(closing);
    },
  };
}
