import { isDeepStrictEqual } from 'node:util';
import type { DecoderFactory } from '../audio/decoder.ts';
import type { Leg, ServerName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { ServerAddress } from '../icecast/address.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { LegFeed } from '../relay/legs.ts';
import { meterSettingsOf } from './meter-settings.ts';
import { startMountEar } from './mount-ear.ts';

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

/** One leg, heard on its mount: what the decision, the meters and the relay want to know of it. */
export function startLegListener(options: LegListenerOptions): LegListener {
  const { leg, clock, input, log } = options;
  let feed: LegFeed | null = null;
  let { policy } = options;
  /** What the connection has brought so far, for a feed that opens with the first decoded sound. */
  let brought: { bytes: number; titles: { atByte: number; title: string }[] } = { bytes: 0, titles: [] };

  /** A decoder that was replaced begins with what comes now, under the title that is on. */
  const closeFeed = () => {
    feed?.close();
    feed = null;
    const last = brought.titles.at(-1);
    brought = { bytes: 0, titles: last === undefined ? [] : [{ atByte: 0, title: last.title }] };
  };
  const openFeed = (): LegFeed | null => {
    const opened = options.openFeed?.() ?? null;
    if (opened === null) return null;
    let told = 0;
    for (const { atByte, title } of brought.titles) {
      opened.bytes(atByte - told);
      opened.title(title);
      told = atByte;
    }
    opened.bytes(brought.bytes - told);
    return opened;
  };

  const ear = startMountEar({
    server: options.server,
    mount: leg.mount,
    agent: options.agent,
    settings: meterSettingsOf(policy),
    wanted: false,
    decoders: options.decoders,
    clock,
    random: options.random,
    log,
    handlers: {
      link(link) {
        closeFeed();
        // The title of an earlier connection may be over.
        brought = { bytes: 0, titles: [] };
        input({ kind: 'link', atMs: clock.nowMs(), leg: leg.id, link });
      },
      undecodable: (contentType) =>
        log.warn({ leg: leg.id, contentType }, 'this kind of stream cannot be decoded'),
      reading(reading) {
        feed?.loudness(reading.atMs, reading.shortTermLufs, reading.truePeakDbtp);
        input({ kind: 'levels', atMs: clock.nowMs(), leg: leg.id, reading });
      },
      pulse: (pulse) => input({ kind: 'pulse', atMs: pulse.atMs, leg: leg.id, pulse }),
      pcm(pcm) {
        options.heard(pcm);
        feed ??= openFeed();
        feed?.pcm(pcm);
      },
      hole() {
        options.decoderReplaced();
        closeFeed();
      },
      bytes(count) {
        brought.bytes += count;
        feed?.bytes(count);
      },
      title(title) {
        options.title(title);
        brought.titles = [...brought.titles, { atByte: brought.bytes, title }].slice(-MOST_TITLES);
        feed?.title(title);
      },
    },
  });

  return {
    setListed: (listed) => ear.setWanted(listed),
    reconnect: (because) => ear.reconnect(because),
    change(wanted) {
      const [before, now] = [meterSettingsOf(policy), meterSettingsOf(wanted)];
      policy = wanted;
      if (!isDeepStrictEqual(before, now)) ear.measureBy(now);
    },
    feedAnew: closeFeed,
    stop() {
      closeFeed();
      return ear.stop();
    },
  };
}
