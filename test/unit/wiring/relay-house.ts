import { Secret } from '../../../src/config/secret.ts';
import { noMemory } from '../../../src/decide/state.ts';
import type { StationEvent } from '../../../src/domain/events.ts';
import { type Leg, monitorId, type ServerName } from '../../../src/domain/ids.ts';
import type { Input } from '../../../src/domain/inputs.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { Station } from '../../../src/station.ts';
import { startStationRelay } from '../../../src/wiring/station-relay.ts';
import { policyWith, viewOf } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';
import { type Carried, CHANNELS, Connection, Mount, RATE_HZ, START_MS, STEP_MS } from './relay-mount.ts';

export { type Carried, RATE_HZ, START_MS };

const LOOK_EVERY_STEPS = 5;

type RelaySwitch = StationEvent & { kind: 'relay-switched' };

/** One mount, and the agent's connection to it; null while there is none. */
interface Line {
  readonly mount: Mount;
  connection: Connection | null;
}

/** Noise under a slow envelope: unlike itself everywhere, and of a loudness that changes as speech and music do. */
export function noise(seconds: number, seed: number): Float32Array {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  };
  const out = new Float32Array(seconds * RATE_HZ * CHANNELS);
  let [slow, slower, envelope, wanted] = [0, 0, 0.5, 0.5];
  for (let frame = 0; frame < seconds * RATE_HZ; frame += 1) {
    if (frame % 4_800 === 0) wanted = 0.2 + 0.8 * Math.abs(random());
    envelope += (wanted - envelope) * 0.0005;
    slow += (random() - slow) * 0.15;
    slower += (slow - slower) * 0.3;
    out.fill(0.5 * envelope * slower, frame * CHANNELS, (frame + 1) * CHANNELS);
  }
  return out;
}

/**
 * The decision, the ears and the relay of one station as they ship, on a clock that is moved by hand: legs that send,
 * and an Icecast that hands it on.
 */
export function relayHouse(
  carried: readonly Carried[],
  settle: () => Promise<unknown>,
  { delayMs = 8_000, ...more }: Parameters<typeof policyWith>[0] & { readonly delayMs?: number } = {},
) {
  const clock = manualClock(START_MS);
  const servers = [...new Set(carried.map(({ on }) => on))];
  const all = policyWith({ mode: 'relay', servers, dwellMs: 5_000, ...more });
  const carriedBy = (leg: Leg) => carried.find(({ of, on }) => of === leg.source && on === leg.server);
  const policy = { ...all, legs: all.legs.filter((leg) => carriedBy(leg) !== undefined) };
  const switches: RelaySwitch[] = [];
  const events: StationEvent[] = [];
  const played: Float32Array[] = [];
  const take = (input: Input) => station.take(input);
  const station = new Station(policy, noMemory, clock.nowMs(), {
    command(command) {
      if (command.kind !== 'reconnect-monitor') return;
      const line = lines.find(({ mount }) => mount.leg.id === command.leg);
      if (line === undefined) return;
      hangUp(line);
      if (line.mount.isThere) connect(line);
    },
    event: (event) => events.push(event),
  });
  const relay = startStationRelay({
    station,
    serve: {
      mode: 'relay',
      delayMs,
      crossfadeMs: 250,
      outputs: [],
      emergencyFile: null,
      processing: null,
      stream: { name: 'My FM' },
    },
    server: { host: 'none.invalid', port: 1, tls: false },
    source: { user: 'source', password: new Secret('hackme', 'the test') },
    servers: [],
    ffmpegPath: 'none',
    decoders: {
      open() {
        throw new Error('nothing is decoded here');
      },
    },
    clock,
    random: systemRandom,
    log: silentLogger(),
    input: take,
    event: (event) => {
      events.push(event);
      if (event.kind === 'relay-switched') switches.push(event);
    },
    played: (pcm) => played.push(pcm),
    processed() {},
  });
  let monitors = 0;
  const connect = (line: Line) => {
    const { leg } = line.mount;
    monitors += 1;
    const monitor = monitorId(`m${monitors}`);
    const sinceMs = clock.nowMs();
    const link = { is: 'open', sinceMs, monitor, contentType: 'audio/mpeg' } as const;
    take({ kind: 'link', atMs: sinceMs, leg: leg.id, link });
    line.connection = new Connection({
      monitor,
      mount: line.mount,
      clock,
      openFeed: () => relay.openFeed(leg.id),
      reading: (reading) => take({ kind: 'levels', atMs: clock.nowMs(), leg: leg.id, reading }),
      pulse: (pulse) => take({ kind: 'pulse', atMs: pulse.atMs, leg: leg.id, pulse }),
    });
  };
  const hangUp = (line: Line) => {
    if (line.connection === null) return;
    line.connection.close();
    line.connection = null;
    take({ kind: 'link', atMs: clock.nowMs(), leg: line.mount.leg.id, link: { is: 'waiting' } });
  };
  const lines: Line[] = policy.legs.map((leg) => {
    const found = carriedBy(leg);
    if (found === undefined) throw new Error(`nothing is carried by ${leg.id}`);
    return { mount: new Mount(leg, found), connection: null };
  });
  for (const line of lines) connect(line);
  /** What Icecast does with the agent's connection. */
  const serve = (line: Line, nowMs: number) => {
    const { mount, connection } = line;
    if (connection === null) return;
    if (mount.carried.isCut?.(nowMs)) return hangUp(line);
    if (connection.mount.isThere) return;
    const gone = connection.mount.carried.isGone?.(nowMs);
    const to = typeof gone === 'object' ? gone.to : null;
    const other = lines.find(
      ({ mount: { leg, isThere } }) => leg.source === to && leg.server === mount.leg.server && isThere,
    );
    if (other === undefined) hangUp(line);
    else connection.carryTo(other.mount);
  };
  const look = (server: ServerName, nowMs: number) => {
    const here = lines.filter(({ mount }) => mount.leg.server === server);
    const mounts = here
      .filter(({ mount }) => mount.isThere)
      .map(({ mount }) => {
        const on = here.flatMap(({ connection }) =>
          connection?.mount === mount ? [connection.monitor] : [],
        );
        return viewOf(mount.leg.source, { monitors: on });
      });
    const seen = { ok: true as const, startedAtMs: nowMs - 10, atMs: nowMs, mounts, presences: [] };
    // A mount that isn't listed is not listened to.
    for (const line of here) {
      if (!line.mount.isThere) hangUp(line);
      else if (line.connection === null && !line.mount.carried.isCut?.(nowMs)) connect(line);
    }
    take({ kind: 'look', atMs: nowMs, server, look: seen });
  };
  const watch = (nowMs: number) => {
    const step = Math.round((nowMs - START_MS) / STEP_MS);
    if (step % LOOK_EVERY_STEPS === 0) for (const server of servers) look(server, nowMs);
    take({ kind: 'tick', atMs: nowMs });
  };
  const send = (nowMs: number) => {
    for (const { mount } of lines) mount.send(nowMs);
  };
  return {
    clock,
    relay,
    station,
    switches,
    events,
    played,
    /** The agent stands still; when it is hung up on, its monitors connect anew. */
    standStill(seconds: number, isHungUpOn = true) {
      const fromMs = clock.nowMs();
      clock.standStill(seconds * 1_000);
      for (let atMs = fromMs + STEP_MS; atMs <= clock.nowMs(); atMs += STEP_MS) send(atMs);
      if (seconds > 1) take({ kind: 'gap', atMs: clock.nowMs(), lostMs: seconds * 1_000 });
      if (!isHungUpOn) return;
      for (const line of lines) {
        if (line.connection === null) continue;
        hangUp(line);
        if (line.mount.isThere) connect(line);
      }
    },
    async pass(seconds: number) {
      for (let step = 0; step < (seconds * 1_000) / STEP_MS; step += 1) {
        clock.advance(STEP_MS);
        const nowMs = clock.nowMs();
        send(nowMs);
        for (const line of lines) {
          serve(line, nowMs);
          line.connection?.bring(nowMs);
        }
        watch(nowMs);
        await settle();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
