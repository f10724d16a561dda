import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type House, type HouseServer, startHouse } from '../../src/demo/house.ts';
import { startListener } from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';

/** Twenty minutes of real time; the first five are for caches to fill. */
const MINUTES = Number(process.env['SUSTAIN_SOAK_MINUTES'] ?? 20);
const SETTLED_AFTER_MINUTES = Math.min(5, MINUTES / 2);
const SERVERS = ['london', 'dublin'] as const;

let house: House;

beforeAll(async () => {
  house = await startHouse({ ...houseOptions('relay'), hosts: ['127.0.0.48', '127.0.0.49'] });
}, 120_000);
afterAll(() => house?.stop());

interface Sample {
  readonly minute: number;
  readonly rssMib: number;
  readonly files: number;
  readonly cpuS: number;
}

/** What an agent's own process takes now. */
function sampleOf(server: HouseServer, minute: number): Sample {
  const pid = house.agents[server].pid();
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return {
    minute,
    rssMib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024,
    files: readdirSync(`/proc/${pid}/fd`).length,
    cpuS: (Number(stat[11]) + Number(stat[12])) / 100,
  };
}

/** Every minute something breaks, and is repaired before the next. */
const FAULTS: readonly { what: string; run(): Promise<void> }[] = [
  {
    what: 'encoder 1 is silent for 20 s',
    async run() {
      house.encoder1.programme.mute();
      await sleep(systemClock, 20_000);
      house.encoder1.programme.unmute();
    },
  },
  {
    what: 'encoder 1 is killed',
    async run() {
      await house.encoder1.kill();
      await sleep(systemClock, 10_000);
      await house.encoder1.start();
    },
  },
  { what: 'nothing', run: () => Promise.resolve() },
  {
    what: 'encoder 2 stalls for 15 s',
    async run() {
      house.encoder2.pause();
      await sleep(systemClock, 15_000);
      house.encoder2.resume();
    },
  },
];

it(
  `for ${MINUTES} minutes listeners of both servers hear no fault, and the agents do not grow`,
  async () => {
    const url = (server: HouseServer) => `${house.servers[server].url}${house.publicMount}`;
    const listeners = await Promise.all(
      SERVERS.map((server) => startListener({ name: server, url: url(server) })),
    );
    const samples: Record<HouseServer, Sample[]> = { london: [], dublin: [] };
    for (let minute = 0; minute < MINUTES; minute += 1) {
      const fromMs = systemClock.nowMs();
      await FAULTS[minute % FAULTS.length]?.run();
      await sleep(systemClock, Math.max(0, 60_000 - (systemClock.nowMs() - fromMs)));
      for (const server of SERVERS) samples[server].push(sampleOf(server, minute + 1));
      console.log(JSON.stringify(SERVERS.map((server) => samples[server].at(-1))));
    }
    const dryMs = await Promise.all(
      SERVERS.map(async (server) => (await house.agents[server].state()).stations[0]?.relay?.dryMs),
    );
    const reports = await Promise.all(listeners.map((listener) => listener.stop()));
    console.log(
      JSON.stringify(
        reports.map(({ name, disconnects, underruns, deadAirMs, longestDeadAirMs, decodeErrors }) => ({
          ...{ name, disconnects, underruns, deadAirMs, longestDeadAirMs, decodeErrors },
        })),
      ),
      JSON.stringify({ dryMs }),
    );
    expect(dryMs).toEqual([0, 0]);
    for (const report of reports) {
      expect(report).toMatchObject({ disconnects: 0, underruns: 0 });
      expect(report.longestDeadAirMs).toBeLessThan(50);
      expect(report.listenedMs).toBeGreaterThan((MINUTES - 0.5) * 60_000);
    }
    for (const server of SERVERS) {
      const [first, last] = [
        samples[server].find(({ minute }) => minute >= SETTLED_AFTER_MINUTES),
        samples[server].at(-1),
      ];
      expect((last?.rssMib ?? 0) / (first?.rssMib ?? 1), server).toBeLessThan(1.25);
      expect((last?.files ?? 0) - (first?.files ?? 0), server).toBeLessThan(10);
    }
  },
  (MINUTES + 3) * 60_000,
);
