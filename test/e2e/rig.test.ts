import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createEncoder,
  createProgramme,
  deadAirMsIn,
  type EncoderOptions,
  type HeardReport,
  type IcecastOptions,
  type ListenerOptions,
  livingProcesses,
  loadMaterial,
  type Material,
  PILOTS_HZ,
  type Programme,
  programmeMs,
  SILENT,
  startIcecast,
  startListener,
  UNCLEAR,
  waitUntil,
  wrongProgrammeMs,
} from '../../src/demo/rig/index.ts';

// A short burst, so that a listener is half a second behind and a test need not wait four.
const SHORT_BURST = { limits: { burstSizeBytes: 8192 } };
const EAGER_PLAYER = { startMs: 300, resumeMs: 300 };
/** It has enough in hand for a machine that stands still for a second. */
const CALM_PLAYER = { startMs: 2000, resumeMs: 300 };
/** How far a calm one is behind the encoder, with some room. */
const PLAYED_MS = 4500;

const wait = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
let studio: Material;
let other: Material;

beforeAll(async () => {
  studio = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary, loopSeconds: 60 });
  other = await loadMaterial({ music: 'autodj', pilotHz: PILOTS_HZ.autodj, loopSeconds: 60 });
});

afterAll(() => {
  expect(livingProcesses()).toEqual([]);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`sustain-rig-${process.pid}-`))).toEqual([]);
});

/** What one test starts, and nobody else has. */
function createStage() {
  const undo: (() => Promise<unknown>)[] = [];
  return {
    async icecast(options: Partial<IcecastOptions> = {}) {
      const server = await startIcecast({ host: '127.0.0.41', ...SHORT_BURST, ...options });
      undo.push(() => server.stop());
      return server;
    },
    async encoder(options: Omit<EncoderOptions, 'name'>) {
      const made = createEncoder({ name: `encoder of ${options.programme.name}`, ...options });
      undo.push(() => made.stop());
      await made.start();
      return made;
    },
    async listen(url: string, options: Partial<ListenerOptions> = {}) {
      const listener = await startListener({ name: 'listener', url, buffer: EAGER_PLAYER, ...options });
      undo.push(() => listener.stop());
      return listener;
    },
    async clear() {
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}

/** A test on a stage of its own, so that several may run at once. */
function staged(happens: (stage: ReturnType<typeof createStage>) => Promise<void>) {
  return async () => {
    const stage = createStage();
    try {
      await happens(stage);
    } finally {
      await stage.clear();
    }
  };
}

const primary = (): Programme => createProgramme({ name: 'primary', material: studio });
const autodj = (): Programme => createProgramme({ name: 'autodj', material: other });

function expectOnly(report: HeardReport, programmes: readonly string[]): void {
  expect(wrongProgrammeMs(report, programmes), JSON.stringify(report.programmes)).toBeLessThanOrEqual(100);
}

// Each waits for real time, and shares nothing with the others.
describe.concurrent('a listener of the rig', () => {
  it(
    'hears a muted programme as dead air of the same length, while the encoder goes on',
    staged(async ({ icecast, encoder, listen }) => {
      const server = await icecast();
      const programme = primary();
      const source = { programme, targets: [{ server: server.source, mount: '/primary' }] };
      await encoder({ ...source, titlesEveryMs: 1000 });
      const listener = await listen(`${server.url}/primary`, { titles: true, buffer: CALM_PLAYER });
      await wait(2000);
      const mutedAtMs = programme.mute();
      await wait(1500);
      const unmutedAtMs = programme.unmute();
      await wait(PLAYED_MS);
      const report = await listener.stop();

      expect(report.deadAir).toHaveLength(1);
      expect(report.deadAir[0]?.cause).toBe('silence');
      expect(Math.abs(report.deadAirMs - (unmutedAtMs - mutedAtMs))).toBeLessThan(60);
      const lateMs = (report.deadAir[0]?.atMs ?? 0) - mutedAtMs;
      expect(lateMs).toBeGreaterThan(0);
      expect(lateMs).toBeLessThan(5000);
      expectOnly(report, ['primary']);
      expect(report.underrunMs).toBe(0);
      expect(report.disconnects).toBe(0);
      expect(listener.titles().length).toBeGreaterThan(2);
    }),
  );

  it(
    'counts silence with clicks as dead air throughout',
    staged(async ({ icecast, encoder, listen }) => {
      const server = await icecast();
      const programme = primary();
      await encoder({ programme, targets: [{ server: server.source, mount: '/primary' }] });
      const listener = await listen(`${server.url}/primary`, { buffer: CALM_PLAYER });
      await wait(1500);
      const fromMs = programme.play({ is: 'clicks', everyMs: 500, lengthMs: 10 });
      await wait(2750);
      const toMs = programme.unmute();
      await wait(PLAYED_MS);
      const report = await listener.stop();
      expect(Math.abs(report.longestDeadAirMs - (toMs - fromMs))).toBeLessThan(120);
    }),
  );

  it(
    'hears the fallback when the encoder is killed, and is not disconnected',
    staged(async ({ icecast, encoder, listen }) => {
      const server = await icecast({ mounts: [{ mount: '/primary', fallbackMount: '/autodj' }] });
      const killed = await encoder({
        programme: primary(),
        targets: [{ server: server.source, mount: '/primary' }],
      });
      await encoder({ programme: autodj(), targets: [{ server: server.source, mount: '/autodj' }] });
      const listener = await listen(`${server.url}/primary`, { buffer: CALM_PLAYER });
      await wait(1500);
      await killed.kill();
      await wait(5500);
      const report = await listener.stop();
      expect(report.disconnects).toBe(0);
      expect(programmeMs(report, 'primary')).toBeGreaterThan(1000);
      expect(programmeMs(report, 'autodj')).toBeGreaterThan(1500);
      expect(report.programmes.at(-1)?.programme).toBe('autodj');
      expectOnly(report, ['primary', 'autodj']);
      expect(report.deadAirMs).toBeLessThan(300);
    }),
  );

  it(
    'hears nothing while the encoder is stopped with its socket open',
    staged(async ({ icecast, encoder, listen }) => {
      const server = await icecast();
      const stalled = await encoder({
        programme: primary(),
        targets: [{ server: server.source, mount: '/primary' }],
      });
      const buffer = { startMs: 1000, resumeMs: 1000 };
      const listener = await listen(`${server.url}/primary`, { buffer });
      await wait(1500);
      stalled.pause();
      await wait(3000);
      stalled.resume();
      await wait(4500);
      const report = await listener.stop();
      expect(report.disconnects).toBe(0);
      expect(report.deadAir.map(({ cause }) => cause)).toEqual(['underrun']);
      expect(report.underrunMs).toBeGreaterThan(1500);
      expect(report.longestArrivalGapMs).toBeGreaterThan(2700);
      // A recording may begin in the middle of a frame.
      const heard = report.programmes.map(({ programme }) => programme);
      expectOnly(report, ['primary']);
      expect(heard.slice(heard[0] === UNCLEAR ? 1 : 0)).toEqual(['primary', SILENT, 'primary']);
    }),
  );
});

describe.concurrent('an Icecast of the rig', () => {
  it(
    'takes connections and gives nothing while it is paused, and goes on after',
    staged(async ({ icecast, encoder, listen }) => {
      const server = await icecast();
      await encoder({ programme: primary(), targets: [{ server: server.source, mount: '/primary' }] });
      const listener = await listen(`${server.url}/primary`);
      await wait(1500);
      const fromMs = performance.now();
      server.pause();
      const signal = AbortSignal.timeout(4_000);
      await expect(fetch(`${server.url}/status.xsl`, { signal })).rejects.toThrow();
      server.resume();
      await wait(2500);
      const report = await listener.stop();
      expect(report.disconnects).toBe(0);
      expect(deadAirMsIn(report, { fromMs })).toBeGreaterThan(1500);
    }),
  );

  it(
    'is killed and comes back; encoder and listener find it again',
    staged(async ({ icecast, encoder, listen }) => {
      const server = await icecast();
      await encoder({
        programme: primary(),
        targets: [{ server: server.source, mount: '/primary' }],
        reconnectMs: 200,
      });
      const listener = await listen(`${server.url}/primary`, { reconnectMs: 300 });
      await wait(1500);
      await server.kill();
      expect(server.pid()).toBeNull();
      await wait(1000);
      await server.restart();
      await waitUntil('it hears again', 30_000, () => listener.connected());
      await wait(2500);
      const report = await listener.stop();
      expect(report.disconnects).toBe(1);
      expect(report.refusals).toBeGreaterThan(0);
      expect(report.programmes.at(-1)?.programme).toBe('primary');
      expect(report.longestDeadAirMs).toBeGreaterThan(500);
    }),
  );

  it(
    'is started again when it crashes, and the crash is counted',
    staged(async ({ icecast }) => {
      const server = await icecast();
      const pid = server.pid();
      if (pid !== null) process.kill(pid, 'SIGSEGV');
      await waitUntil('it is back', 30_000, async () => {
        const now = server.pid();
        return now !== null && now !== pid && (await server.mounts()).length === 0;
      });
      expect(server.crashes()).toBe(1);
    }),
  );

  it(
    'reads a changed configuration on reload',
    staged(async ({ icecast, encoder, listen }) => {
      const server = await icecast();
      await encoder({ programme: primary(), targets: [{ server: server.source, mount: '/primary' }] });
      await server.reload({ mounts: [{ mount: '/live', fallbackMount: '/primary' }] });
      // Until the server has read it there is no such mount, and a player tries again.
      const listener = await listen(`${server.url}/live`, { reconnectMs: 300 });
      const isSeated = async () => (await server.listenersOf('/primary'))?.length === 1;
      await waitUntil('it is seated', 15_000, isSeated);
      expect(await server.listenersOf('/primary')).toMatchObject([{ userAgent: listener.userAgent }]);
    }),
  );
});

describe('an encoder of the rig', () => {
  it(
    'of every kind sends to two servers at once',
    staged(async ({ icecast, encoder, listen }) => {
      const kinds = [
        { kind: 'ffmpeg', codec: 'aac', mount: '/ffmpeg-aac' },
        { kind: 'ffmpeg', codec: 'vorbis', mount: '/ffmpeg-vorbis' },
        { kind: 'ezstream', codec: 'mp3', mount: '/ezstream-mp3' },
        { kind: 'ezstream', codec: 'vorbis', mount: '/ezstream-vorbis' },
        { kind: 'liquidsoap', codec: 'mp3', mount: '/liquidsoap-mp3' },
      ] as const;
      const servers = [await icecast(), await icecast({ host: '127.0.0.42' })];
      const programme = primary();
      const started = kinds.map(async ({ kind, codec, mount }) => {
        const targets = servers.map((server) => ({ server: server.source, mount }));
        const one = await encoder({ programme, targets, kind, format: { codec } });
        const listeners = await Promise.all(servers.map((server) => listen(`${server.url}${mount}`)));
        return { one, mount, listeners };
      });
      const encoders = await Promise.all(started);
      await wait(2500);
      programme.mute();
      await wait(1000);
      programme.unmute();
      await wait(4000);
      for (const { mount, listeners } of encoders) {
        for (const listener of listeners) {
          const report = await listener.stop();
          expect(programmeMs(report, 'primary'), mount).toBeGreaterThan(2500);
          expectOnly(report, ['primary']);
          // AAC and Vorbis need hardly a byte for silence, so Icecast holds it back and the player may run dry first.
          expect(Math.abs(report.deadAirMs - 1000 - report.underrunMs), mount).toBeLessThan(150);
        }
      }
      await Promise.all(encoders.map(({ one }) => one.kill()));
      for (const server of servers)
        await waitUntil('no mount is left', 30_000, async () => (await server.mounts()).length === 0);
    }),
  );
});
