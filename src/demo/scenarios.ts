import type { House, HouseServer } from './house.ts';
import { deadAirMsIn, type HeardReport, type Listener, waitUntil } from './rig/index.ts';
import type { Measured } from './table.ts';

export interface Scenario {
  readonly id: string;
  /** What is broken, for the table. */
  readonly broken: string;
  /** Which way of serving it is about, or the name that leads listeners to a server. */
  readonly mode: 'guard' | 'relay' | 'dns';
  run(house: House): Promise<readonly Measured[]>;
}

export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the agent beside `by` says is on air on `server`. */
export async function onAir(
  house: House,
  server: HouseServer,
  by: HouseServer = server,
): Promise<string | null> {
  const { stations } = await house.agents[by].state();
  return stations[0]?.servers.find((view) => view.server === server)?.onAir ?? null;
}

export async function waitForOnAir(
  house: House,
  server: HouseServer,
  source: string,
  timeoutMs: number,
  by: HouseServer = server,
): Promise<void> {
  await waitUntil(
    `${source} on air on ${server}`,
    timeoutMs,
    async () => (await onAir(house, server, by)) === source,
  );
}

/** All parts run, both servers are on their first source, and nobody has found anything wrong for a moment. */
export async function settle(house: House): Promise<void> {
  await house.heal();
  for (const server of ['london', 'dublin'] as const) await waitForOnAir(house, server, 'primary', 60_000);
  await waitUntil('every leg is audible', 30_000, async () => {
    for (const server of ['london', 'dublin'] as const) {
      const { stations } = await house.agents[server].state();
      const own = stations[0]?.servers.find((view) => view.server === server);
      if (own === undefined || own.legs.some((leg) => leg.condition !== 'audible')) return false;
    }
    return true;
  });
}

export async function listenOnBoth(
  house: House,
  options: { reconnectMs?: number } = {},
): Promise<Record<HouseServer, Listener>> {
  const [london, dublin] = await Promise.all([
    house.listen('london', options),
    house.listen('dublin', options),
  ]);
  // A player that has just joined is still filling its buffer.
  await wait(4000);
  return { london, dublin };
}

export async function turnOff(
  listeners: Record<HouseServer, Listener>,
): Promise<Record<HouseServer, HeardReport>> {
  const [london, dublin] = await Promise.all([listeners.london.stop(), listeners.dublin.stop()]);
  return { london, dublin };
}

export const deadAir = (
  report: HeardReport,
  server: HouseServer,
  boundMs: number,
  fromMs = -Infinity,
): Measured => ({
  where: `a listener of ${server}`,
  what: 'dead air',
  measuredMs: Math.round(deadAirMsIn(report, { fromMs })),
  boundMs,
});

export const dropped = (report: HeardReport, server: HouseServer): Measured => ({
  where: `a listener of ${server}`,
  what: 'times disconnected',
  measuredMs: report.disconnects,
  boundMs: 0,
  unit: 'times',
});

const silenceOnBoth: Scenario = {
  id: 'silence',
  mode: 'guard',
  broken: 'silence: both encoders go on sending, but digital silence, to both servers',
  async run(house) {
    const listeners = await listenOnBoth(house);
    const fromWall = Date.now();
    house.encoder1.programme.mute();
    house.encoder2.programme.mute();
    await Promise.all([
      waitForOnAir(house, 'london', 'autodj', 30_000),
      waitForOnAir(house, 'dublin', 'autodj', 30_000),
    ]);
    const late = await house.listen('london');
    await wait(9000);
    house.encoder1.programme.unmute();
    house.encoder2.programme.unmute();
    await Promise.all([
      waitForOnAir(house, 'london', 'primary', 40_000),
      waitForOnAir(house, 'dublin', 'primary', 40_000),
    ]);
    await wait(6000);
    const heard = await turnOff(listeners);
    const latecomer = await late.stop();
    const switchedAt = await switchTimes(house, 'autodj', fromWall);
    return [
      ...(['london', 'dublin'] as const).flatMap((server) => [
        deadAir(heard[server], server, 7000),
        dropped(heard[server], server),
      ]),
      {
        where: 'a listener who joins london during the silence',
        what: 'until the first sound',
        measuredMs: Math.round(latecomer.startupMs ?? Number.POSITIVE_INFINITY),
        boundMs: 8000,
      },
      {
        where: 'both servers',
        what: 'apart in putting the AutoDJ on',
        measuredMs: Math.max(...switchedAt) - Math.min(...switchedAt),
        boundMs: 1000,
      },
    ];
  },
};

/**
 * Wall times at which the agents beside both servers put `source` on there, since `fromWall`. What an agent logs may be
 * read a moment after the state that it answers with, so the line is waited for.
 */
function switchTimes(house: House, source: string, fromWall: number): Promise<number[]> {
  return Promise.all(
    (['london', 'dublin'] as const).map(async (server) => {
      const newest = () => switchTime(house, server, source, fromWall);
      await waitUntil(
        `${server}'s log tells of the switch to ${source}`,
        30_000,
        async () => newest() !== null,
      );
      return newest() ?? Number.POSITIVE_INFINITY;
    }),
  );
}

/** Wall time of the newest switch to `source` that the agent beside `server` made on it since `fromWall`. */
function switchTime(house: House, server: HouseServer, source: string, fromWall: number): number | null {
  const found = house.agents[server].log().filter((line) => {
    return (
      line['event'] === 'switched' &&
      line['server'] === server &&
      line['to'] === source &&
      wallTime(line) >= fromWall
    );
  });
  const last = found.at(-1);
  return last === undefined ? null : wallTime(last);
}

function wallTime(line: Record<string, unknown>): number {
  return Date.parse(String(line['time']));
}

const encoderKilled: Scenario = {
  id: 'encoder-killed',
  mode: 'guard',
  broken: 'encoder 1 is killed (kill -9) and started again 10 s later',
  async run(house) {
    const listeners = await listenOnBoth(house);
    await house.encoder1.kill();
    await Promise.all([
      waitForOnAir(house, 'london', 'secondary', 30_000),
      waitForOnAir(house, 'dublin', 'secondary', 30_000),
    ]);
    await wait(8000);
    await house.encoder1.start();
    await Promise.all([
      waitForOnAir(house, 'london', 'primary', 40_000),
      waitForOnAir(house, 'dublin', 'primary', 40_000),
    ]);
    await wait(6000);
    const heard = await turnOff(listeners);
    return (['london', 'dublin'] as const).flatMap((server) => [
      deadAir(heard[server], server, 1000),
      dropped(heard[server], server),
    ]);
  },
};

const encoderStalled: Scenario = {
  id: 'encoder-stalled',
  mode: 'guard',
  broken: 'encoder 1 stalls with its socket open (SIGSTOP) for 8 s',
  async run(house) {
    const listeners = await listenOnBoth(house);
    // It returns when every thread of it stands still; until then it may still send.
    house.encoder1.pause();
    const fromWall = Date.now();
    await Promise.all([
      waitForOnAir(house, 'london', 'secondary', 30_000),
      waitForOnAir(house, 'dublin', 'secondary', 30_000),
    ]);
    const foundMs = Math.max(...(await switchTimes(house, 'secondary', fromWall))) - fromWall;
    await wait(5000);
    house.encoder1.resume();
    await Promise.all([
      waitForOnAir(house, 'london', 'primary', 60_000),
      waitForOnAir(house, 'dublin', 'primary', 60_000),
    ]);
    await wait(6000);
    const heard = await turnOff(listeners);
    return [
      ...(['london', 'dublin'] as const).flatMap((server) => [
        deadAir(heard[server], server, 1000),
        dropped(heard[server], server),
      ]),
      { where: 'both servers', what: 'until the stall was found', measuredMs: foundMs, boundMs: 3000 },
    ];
  },
};

const serverKilled: Scenario = {
  id: 'server-killed',
  mode: 'guard',
  broken: 'Icecast of london is killed (kill -9) and restarted 5 s later',
  async run(house) {
    const listeners = await listenOnBoth(house, { reconnectMs: 500 });
    await house.servers.london.kill();
    await wait(5000);
    await house.servers.london.restart();
    await waitForOnAir(house, 'london', 'primary', 60_000);
    await wait(8000);
    const heard = await turnOff(listeners);
    return [
      deadAir(heard.dublin, 'dublin', 50),
      dropped(heard.dublin, 'dublin'),
      // Without a DNS move a listener of a dead server waits for it to come back; encoders and players return by themselves.
      deadAir(heard.london, 'london', 12_000),
    ];
  },
};

const agentKilled: Scenario = {
  id: 'agent-killed',
  mode: 'guard',
  broken: 'the agent of london is killed (kill -9); then /primary goes silent; then both come back',
  async run(house) {
    const listeners = await listenOnBoth(house);
    await house.agents.london.kill();
    await waitUntil('the agent of dublin stands in', 40_000, async () => {
      const { stations } = await house.agents.dublin.state();
      return stations[0]?.servers.find((view) => view.server === 'london')?.role === 'deputy';
    });
    const mutedAtMs = house.encoder1.programme.mute();
    await waitForOnAir(house, 'london', 'secondary', 30_000, 'dublin');
    await wait(4000);
    const restartWall = Date.now();
    await house.agents.london.start();
    await wait(6000);
    const switches = house.agents.london
      .log()
      .filter((line) => line['event'] === 'switched' && wallTime(line) >= restartWall).length;
    house.encoder1.programme.unmute();
    await waitForOnAir(house, 'london', 'primary', 60_000);
    await wait(6000);
    const heard = await turnOff(listeners);
    return [
      {
        ...deadAir(heard.london, 'london', 50),
        what: 'dead air by the loss of the agent',
        measuredMs: Math.round(deadAirMsIn(heard.london, { toMs: mutedAtMs })),
      },
      { ...deadAir(heard.london, 'london', 7000, mutedAtMs), what: 'dead air, with the deputy at work' },
      dropped(heard.london, 'london'),
      {
        where: 'london',
        what: 'switches made by the restart itself',
        measuredMs: switches,
        boundMs: 0,
        unit: 'times',
      },
    ];
  },
};

export const guardScenarios: readonly Scenario[] = [
  silenceOnBoth,
  encoderKilled,
  encoderStalled,
  serverKilled,
  agentKilled,
];
