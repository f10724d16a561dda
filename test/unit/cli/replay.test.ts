import { copyFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ReplayCommand, replayCommand } from '../../../src/cli/replay.ts';
import { makeLeg, mount, sourceName } from '../../../src/domain/ids.ts';
import type { RecordedEvent } from '../../../src/domain/record.ts';
import { historyFile, openHistory } from '../../../src/history/open.ts';
import { LONDON, MYFM } from '../decide/builders.ts';
import { second, temporaryFolder } from '../history/support.ts';

const T0 = Date.UTC(2026, 10, 1);
const at = (seconds: number) => T0 + seconds * 1000;
const [PRIMARY_LEG, AUTODJ_LEG] = ['primary', 'autodj'].map((source) =>
  makeLeg(MYFM, sourceName(source), LONDON, mount(`/${source}`)),
);

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** An hour of a station: 6 s of silence on its primary, a passage at -48 dBFS, and a tone that was found. */
function anHour(serve: string): ReplayCommand {
  const directory = temporaryFolder();
  const config = join(directory, 'sustain.yaml');
  writeFileSync(
    config,
    `server: london
servers: { london: { url: "http://10.0.0.1:8000", admin: { passwordEnv: PW }, source: { passwordEnv: PW } } }
stations:
  myfm:
    sources: [{ name: primary, mount: /primary }, { name: autodj, mount: /autodj }]
    silence: { threshold: -50 dBFS, trip: 5s, restore: 20s }
    serve: ${serve}
`,
  );
  vi.stubEnv('PW', 'pw');
  const { store } = openHistory(directory, new Date(0));
  const levelAt = (index: number) => {
    if (index >= 600 && index < 606) return -70;
    return index >= 1_200 && index < 1_220 ? -48 : -20;
  };
  const rows = Array.from({ length: 3_600 }, (_, index) => [
    second(at(index), levelAt(index), { leg: PRIMARY_LEG?.id as never }),
    second(at(index), -20, { leg: AUTODJ_LEG?.id as never }),
  ]);
  store.addLevels(rows.flat());
  const tone = (isOver: boolean): RecordedEvent => ({
    kind: 'leg-changed',
    atMs: isOver ? 70_000 : 20_000,
    leg: PRIMARY_LEG?.id as never,
    from: { is: 'unknown', sinceMs: 0, reason: 'starting' },
    to: isOver
      ? { is: 'audible', sinceMs: 60_000, verifiedAtMs: 70_000 }
      : { is: 'faulty', sinceMs: 10_000, fault: 'tone', detail: 'the meter found it in the sound' },
  });
  const events = [
    { unixMs: at(1_820), station: MYFM, event: tone(false) },
    { unixMs: at(1_870), station: MYFM, event: tone(true) },
  ];
  store.apply({ events, incidents: [], outbox: [] });
  store.close();
  return { config, history: [historyFile(directory)], from: '2026-11-01', to: '2026-11-01T01:00:00Z' };
}

async function replayed(command: ReplayCommand): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    text += String(piece);
    return true;
  });
  expect(await replayCommand(command)).toBe(0);
  return text;
}

describe('sustain replay', () => {
  const asked = { silenceThreshold: '-45', trip: '8s' };

  test('in relay mode says which trips there would be more and fewer, and what would have been played', async () => {
    const command = anHour('{ mode: relay, outputs: [{ mount: /stream, codec: mp3 }] }');
    const text = await replayed({ ...command, ...asked });
    expect(text).toContain('more trips: 1\n  2026-11-01T00:20:00.000Z  myfm/primary@london  silent  20.0 s');
    expect(text).toContain('fewer trips: 1\n  2026-11-01T00:10:00.000Z  myfm/primary@london  silent  6.0 s');
    expect(text).toContain('both the same: 1');
    expect(text).toMatch(/as it is:.*2 trips, 4 switches on london, 0\.0 s of silence played/);
    // What is no fault by the longer delay goes out.
    expect(text).toMatch(/as asked:.*2 trips, 4 switches on london, 6\.0 s of silence played/);
    expect(text).toMatch(
      /myfm\/primary@london to myfm\/autodj@london \(fault: myfm\/primary@london is tone\)/,
    );
  });

  test('in guard mode has the sources of the server, and nothing that is played', async () => {
    const json = JSON.parse(await replayed({ ...anHour('{ mode: guard }'), ...asked, json: true }));
    expect(json.asItIs.trips.map(({ fault }: { fault: string }) => fault)).toEqual(['silent', 'tone']);
    expect(json.asItIs.playedSilenceMs).toBeNull();
    expect(json.asAsked.switches[0]).toMatchObject({ server: 'london', from: 'primary', to: 'autodj' });
    expect(json.both).toMatchObject([{ fault: 'tone', from: '2026-11-01T00:30:10.000Z' }]);
  });

  test('of a file that is damaged names it, and of two asks for one', async () => {
    const command = anHour('{ mode: guard }');
    const [path = ''] = command.history ?? [];
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    truncateSync(copy, Math.floor(statSync(copy).size / 2 / 4096) * 4096);
    let said = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((piece) => {
      said += String(piece);
      return true;
    });
    expect(await replayCommand({ ...command, history: [copy], trip: '8s' })).toBe(1);
    expect(said).toContain(`${copy} is damaged`);
    expect(await replayCommand({ ...command, history: [path, copy], trip: '8s' })).toBe(2);
    expect(said).toContain(`--history ${copy}: each agent decided by its own levels`);
  });
});
