import type { DecoderFactory } from '../audio/decoder.ts';
import { correlate } from '../audio/splice.ts';
import { type Leg, type Mount, makeLeg, type ServerName, sourceName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { StreamView } from '../domain/view.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { type Clock, sleep } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { Alignment } from '../relay/alignment.ts';
import { behindMsOf } from '../relay/relations.ts';
import { Take } from '../relay/take.ts';
import { meterSettingsOf } from './meter-settings.ts';
import { startMountEar } from './mount-ear.ts';

export interface StreamSkewOptions {
  readonly policy: StationPolicy;
  /** The public mount that is compared. */
  readonly mount: Mount;
  readonly servers: readonly { readonly server: ServerName; readonly address: ServerAddress }[];
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly isPlaying: () => boolean;
}

/** How the public streams of a station lie to each other, heard as a listener hears them. */
export interface StreamSkew {
  readonly views: readonly StreamView[];
  stop(): void;
}

/** Two decoders for some ten seconds: now and then, and not all the time. */
const EVERY_MS = 120_000;
/** What could not be compared, or is another programme, may have been a fault in the middle of it. */
const DOUBT_AGAIN_MS = 30_000;
const FIRST_AFTER_MS = 15_000;
const LISTEN_AT_MOST_MS = 25_000;
const LOOK_EVERY_MS = 500;
/** Loudness over three seconds has to be full on both. */
const LEAST_MS = 6_000;
const HELD_FRAMES = 60 * 48_000;
/** A change by less is the network's. */
const NEWS_MS = 100;

/** Compares our own public stream with that of every other server, one after the other. */
export function startStreamSkew(options: StreamSkewOptions): StreamSkew {
  const { clock, log, policy, servers } = options;
  const own = servers.find(({ server }) => server === policy.self);
  const others = servers.filter(({ server }) => server !== policy.self);
  const found = new Map<ServerName, Compared & { readonly atMs: number }>();
  const over = new AbortController();

  /** Gives when to compare again. */
  const compareAll = async (): Promise<number> => {
    let againMs = EVERY_MS;
    if (own === undefined) return againMs;
    for (const other of others) {
      if (!options.isPlaying() || over.signal.aborted) return DOUBT_AGAIN_MS;
      const compared = await compare(options, own, other, over.signal);
      if (over.signal.aborted) return againMs;
      const before = found.get(other.server);
      found.set(other.server, { ...compared, atMs: clock.nowMs() });
      if (compared.relation !== 'same') againMs = DOUBT_AGAIN_MS;
      if (isNews(before, compared)) log.info(compared, sentenceOf(options.mount, policy.self, compared));
    }
    return againMs;
  };
  const run = async () => {
    await sleep(clock, FIRST_AFTER_MS, over.signal);
    while (!over.signal.aborted) {
      await sleep(clock, await compareAll(), over.signal);
    }
  };
  if (others.length > 0) void run();
  return {
    get views() {
      return [...found.values()].map(({ atMs, ...view }) => ({
        ...view,
        agoMs: Math.round(clock.nowMs() - atMs),
      }));
    },
    stop: () => over.abort(),
  };
}

type Compared = Omit<StreamView, 'agoMs'>;

function isNews(before: Compared | undefined, now: Compared): boolean {
  if (before?.relation !== now.relation) return true;
  return Math.abs((before.skewMs ?? 0) - (now.skewMs ?? 0)) > NEWS_MS;
}

function sentenceOf(
  mount: Mount,
  self: ServerName,
  { server, relation, skewMs, louderDb }: Compared,
): string {
  if (relation === 'unknown') return `${mount} of ${server} and of ${self} could not be compared`;
  if (relation === 'different')
    return `${mount} of ${server} does not match that of ${self}: another programme, or one of them makes up for a delay`;
  const way = (skewMs ?? 0) < 0 ? 'ahead of' : 'behind';
  const level =
    louderDb === null ? '' : `, ${Math.abs(louderDb).toFixed(1)} dB ${louderDb < 0 ? 'quieter' : 'louder'}`;
  return `${mount} of ${server} is ${Math.abs((skewMs ?? 0) / 1_000).toFixed(2)} s ${way} that of ${self}${level}`;
}

async function compare(
  options: StreamSkewOptions,
  own: StreamSkewOptions['servers'][number],
  other: StreamSkewOptions['servers'][number],
  signal: AbortSignal,
): Promise<Compared> {
  const { clock } = options;
  const [ours, theirs] = [hear(options, own, 1), hear(options, other, 2)];
  const alignment = new Alignment(correlate);
  alignment.setReference(ours.take);
  const fromMs = clock.nowMs();
  try {
    for (let passedMs = 0; passedMs < LISTEN_AT_MOST_MS && !signal.aborted; ) {
      await sleep(clock, LOOK_EVERY_MS, signal);
      passedMs = clock.nowMs() - fromMs;
      const cursor = Math.max(0, ours.take.endFrame - 3 * 48_000);
      alignment.tick(clock.nowMs(), cursor, [theirs.take]);
      if (passedMs >= LEAST_MS && alignment.relationOf(theirs.take).is !== 'unknown') break;
    }
    const relation = alignment.relationOf(theirs.take);
    const skewMs = behindMsOf(ours.take, theirs.take, relation);
    const louderDb = skewMs === null ? null : louderBy(ours.take, theirs.take, skewMs);
    return {
      server: other.server,
      relation: relation.is,
      skewMs: skewMs === null ? null : Math.round(skewMs),
      louderDb: louderDb === null ? null : Math.round(louderDb * 10) / 10,
    };
  } finally {
    ours.stop();
    theirs.stop();
  }
}

/** By how much the other stream is louder over the same three seconds of the programme. */
function louderBy(ours: Take, theirs: Take, skewMs: number): number | null {
  const endMs = ours.timeOf(ours.endFrame);
  if (endMs === null) return null;
  const atMs = endMs - Math.max(0, skewMs) - 500;
  const [here, there] = [ours.loudness.before(atMs), theirs.loudness.before(atMs + skewMs)];
  if (here === null || there === null) return null;
  const louder = there.lufs - here.lufs;
  return Number.isFinite(louder) ? louder : null;
}

/** A listener of one public stream, until it is stopped. */
function hear(options: StreamSkewOptions, at: StreamSkewOptions['servers'][number], id: number) {
  const { clock, policy, mount } = options;
  const leg: Leg = makeLeg(policy.station, sourceName('public'), at.server, mount);
  const take = new Take({ id, leg: leg.id, mostFrames: HELD_FRAMES });
  let isCut = false;
  const ear = startMountEar({
    server: at.address,
    mount,
    agent: policy.self,
    settings: meterSettingsOf(policy),
    decoders: options.decoders,
    clock,
    random: options.random,
    handlers: {
      link(link) {
        if (link.is === 'open') isCut = take.endFrame > 0;
      },
      // What comes over a second connection doesn't follow on the first.
      reading({ atMs, shortTermLufs, truePeakDbtp }) {
        if (!isCut) take.loudness.note(atMs, shortTermLufs, truePeakDbtp);
      },
      pcm(pcm) {
        if (!isCut) take.push(pcm, clock.nowMs());
      },
    },
  });
  return { take, stop: () => void ear.stop() };
}
