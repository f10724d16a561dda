import { PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { DecoderFactory } from '../audio/decoder.ts';
import { type Leg, type Mount, makeLeg, type ServerName, sourceName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { WHY_NOT_COMPARED } from '../domain/sentences.ts';
import type { StreamView } from '../domain/view.ts';
import type { ServerAddress } from '../icecast/address.ts';
import { type Clock, sleep } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { Take } from '../relay/take.ts';
import { meterSettingsOf } from './meter-settings.ts';
import { startMountEar } from './mount-ear.ts';
import { type MatchOptions, matchStreams, type StreamMatch, unknown } from './stream-match.ts';

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
/** So long that a moment is heard on both when one of them is this far behind, and the sound around it. */
const LISTEN_AT_MOST_MS = 32_000;
const FURTHEST_MS = 25_000;
const LOOK_EVERY_MS = 500;
/** As a rule the two lie so close that this is enough, and when it arrived is known to some ms. */
const LEAST_MS = 6_000;
const LEAST_FRAMES = 8 * PCM_RATE_HZ;
/** Of which nothing came until then, nothing is waited for. */
const NOTHING_AFTER_MS = 12_000;
const HELD_FRAMES = 50 * PCM_RATE_HZ;
/** A change by less is the network's. */
const NEWS_MS = 100;
const NEWS_DB = 1;
const CLOSE_BY: MatchOptions = { places: [0.5], isLast: false };
const ANYWHERE: MatchOptions = { places: [0, 1, 0.5], isLast: true };

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
      const compared = { server: other.server, ...(await compare(options, own, other, over.signal)) };
      if (over.signal.aborted) return againMs;
      const before = found.get(other.server);
      found.set(other.server, { ...compared, atMs: clock.nowMs() });
      const isOther = compared.relation === 'different' && before?.relation === 'different';
      if (compared.relation !== 'same' && !isOther) againMs = DOUBT_AGAIN_MS;
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
  if (before?.relation !== now.relation || before.why !== now.why) return true;
  if (Math.abs((before.louderDb ?? 0) - (now.louderDb ?? 0)) > NEWS_DB) return true;
  const drifts = [Math.sign(before.driftMsPerS ?? 0), Math.sign(now.driftMsPerS ?? 0)];
  if (drifts[0] !== drifts[1]) return true;
  return drifts[0] === 0 && Math.abs((before.skewMs ?? 0) - (now.skewMs ?? 0)) > NEWS_MS;
}

function sentenceOf(mount: Mount, self: ServerName, compared: Compared): string {
  const { server, relation, skewMs, driftMsPerS, louderDb, why } = compared;
  if (relation === 'unknown')
    return `${mount} of ${server} and of ${self} could not be compared${why === null ? '' : `: ${WHY_NOT_COMPARED[why]}`}`;
  if (relation === 'different')
    return `${mount} of ${server} does not match that of ${self}: another programme, or more than ${FURTHEST_MS / 1_000} s away`;
  const way = (skewMs ?? 0) < 0 ? 'ahead of' : 'behind';
  const drift = driftMsPerS ?? 0;
  const change = drift * (skewMs ?? 0) < 0 ? 'less' : 'more';
  const drifting = drift === 0 ? '' : `, ${Math.abs(drift).toFixed(1)} ms ${change} each second`;
  const level =
    louderDb === null ? '' : `, ${Math.abs(louderDb).toFixed(1)} dB ${louderDb < 0 ? 'quieter' : 'louder'}`;
  return `${mount} of ${server} is ${Math.abs((skewMs ?? 0) / 1_000).toFixed(2)} s ${way} that of ${self}${drifting}${level}`;
}

async function compare(
  options: StreamSkewOptions,
  own: StreamSkewOptions['servers'][number],
  other: StreamSkewOptions['servers'][number],
  signal: AbortSignal,
): Promise<StreamMatch> {
  const { clock } = options;
  const [ours, theirs] = [hear(options, own, 1), hear(options, other, 2)];
  const fromMs = clock.nowMs();
  let hasLooked = false;
  try {
    for (;;) {
      await sleep(clock, LOOK_EVERY_MS, signal);
      const passedMs = clock.nowMs() - fromMs;
      const isOver = passedMs >= LISTEN_AT_MOST_MS || signal.aborted;
      const missing = isLongEnough(ours.take) ? 'not-heard-there' : 'not-heard-here';
      const isEmpty = ours.take.endFrame === 0 || theirs.take.endFrame === 0;
      if (isEmpty && passedMs >= NOTHING_AFTER_MS) return unknown(missing);
      const isReady = passedMs >= LEAST_MS && isLongEnough(ours.take) && isLongEnough(theirs.take);
      if (isOver && !isReady) return unknown(missing);
      if (isReady && !hasLooked) {
        hasLooked = true;
        const match = await matchStreams(ours.take, theirs.take, CLOSE_BY);
        if (match?.relation === 'same') return match;
      }
      if (isOver) return (await matchStreams(ours.take, theirs.take, ANYWHERE)) ?? unknown(missing);
    }
  } finally {
    ours.stop();
    theirs.stop();
  }
}

const isLongEnough = (take: Take): boolean =>
  take.endFrame - take.startFrame >= LEAST_FRAMES && take.timeOf(take.endFrame) !== null;

/** A listener of one public stream, until it is stopped. */
function hear(options: StreamSkewOptions, at: StreamSkewOptions['servers'][number], id: number) {
  const { clock, policy, mount } = options;
  const leg: Leg = makeLeg(policy.station, sourceName('public'), at.server, mount);
  const newTake = () => new Take({ id, leg: leg.id, mostFrames: HELD_FRAMES });
  let take = newTake();
  // What comes over a second connection, or out of a second decoder, doesn't follow on the first.
  const beginAnew = () => {
    if (take.endFrame > 0) take = newTake();
  };
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
        if (link.is === 'open') beginAnew();
      },
      hole: beginAnew,
      reading() {},
      pcm(pcm) {
        take.push(pcm, clock.nowMs());
      },
    },
  });
  return {
    get take() {
      return take;
    },
    stop: () => void ear.stop(),
  };
}
