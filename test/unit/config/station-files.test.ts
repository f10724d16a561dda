import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig, printProblems } from '../../../src/config/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-stations-'));
  mkdirSync(join(folder, 'stations.d'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const station = (name: string, extra = '') =>
  `sources: [ { name: primary, mount: /${name}-1 }, { name: autodj, mount: /${name}-2 } ]\n${extra}`;

function put(stations: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'stations.d', name), text);
  const path = join(folder, 'sustain.yaml');
  writeFileSync(
    path,
    `server: london
servers:
  london: { url: "http://10.0.0.1:8000", admin: { passwordEnv: PW } }
  dublin: { url: "http://10.1.0.1:8000", admin: { passwordEnv: PW } }
${stations}`,
  );
  return path;
}

const load = (path: string, leaveOut = false) => loadConfig(path, { PW: 'x' }, { leaveOut });

describe('stations in files of their own', () => {
  test('are stations like those in the config, called after their file', async () => {
    const path = put(`stations:\n  main:\n    ${station('main').trim()}\n`, {
      'jazz.yaml': station('jazz', 'silence: { trip: 9s }'),
      'news.yaml': station('news'),
      'notes.txt': 'not a station',
      '.hidden.yaml': '{',
    });
    const loaded = await load(path);
    if (!loaded.ok) throw new Error(printProblems(path, loaded.faults));
    expect(loaded.config.stations.map(({ name }) => name)).toEqual(['main', 'jazz', 'news']);
    expect(loaded.config.stations[1]?.silence.tripMs).toBe(9000);
  });

  test('need no stations in the config', async () => {
    const loaded = await load(put('', { 'jazz.yaml': station('jazz') }));
    expect(loaded.ok && loaded.config.stations).toHaveLength(1);
  });

  test('have faults with the file and the line in it', async () => {
    const path = put('', {
      'jazz.yaml': station('jazz', 'silence: { trip: 5 }\n'),
      'news.yaml': 'sources: [ {',
      'main.yaml': station('jazz'),
    });
    const loaded = await load(path);
    const said = loaded.ok ? '' : printProblems(path, loaded.faults);
    expect(said).toContain(`${join(folder, 'stations.d/jazz.yaml')}:2:12  stations.jazz.silence.trip`);
    expect(said).toContain(`${join(folder, 'stations.d/news.yaml')}:1:`);
    expect(said).toMatch(/main\.yaml.*is the mount of|jazz\.yaml.*is the mount of/);
  });

  test('may not have the name of one in the config', async () => {
    const path = put(`stations:\n  jazz:\n    ${station('main').trim()}\n`, { 'jazz.yaml': station('jazz') });
    const loaded = await load(path);
    expect(!loaded.ok && loaded.faults[0]?.message).toContain('stands in the config as well');
  });
});

describe('one bad station', () => {
  const bad = { 'jazz.yaml': station('jazz'), 'bad.yaml': station('bad', 'silence: { trip: 5 }') };

  test('is left out when the agent starts, with its faults, and the others run', async () => {
    const loaded = await load(put('', bad), true);
    if (!loaded.ok) throw new Error('the others do not run');
    expect(loaded.config.stations.map(({ name }) => name)).toEqual(['jazz']);
    expect(loaded.leftOut.map(({ station: name }) => name)).toEqual(['bad']);
    expect(loaded.leftOut[0]?.faults[0]?.path).toBe('stations.bad.silence.trip');
  });

  test.each([
    ['of which nothing can be read', '\u0000'],
    ['that is no YAML', 'sources: [ { name: "'],
    ['that is empty', ''],
    ['that is no section', '- one'],
    ['that takes a mount of another', station('jazz')],
  ])('%s as well', async (_what, text) => {
    const loaded = await load(put('', { 'jazz.yaml': station('jazz'), 'zz.yaml': text }), true);
    expect(loaded.ok && loaded.config.stations.map(({ name }) => name)).toEqual(['jazz']);
    expect(loaded.ok && loaded.leftOut).toHaveLength(1);
  });

  test('is a fault for everything else that reads the config, as it is for a reload', async () => {
    expect((await load(put('', bad))).ok).toBe(false);
  });

  test('alone leaves nothing to run', async () => {
    expect((await load(put('', { 'bad.yaml': 'sources: []' }), true)).ok).toBe(false);
  });

  test('does not hide a fault that is not its own', async () => {
    const path = put('deputy: { after: 1 }', bad);
    expect((await load(path, true)).ok).toBe(false);
  });
});
