import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../../src/cli/exit-codes.ts';
import { run } from '../../../src/cli/run.ts';
import { claimFolder } from '../../../src/history/claim.ts';

const BUILT = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));

let directory: string;
let stderr: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sustain-run-'));
  stderr = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

function configOf(text: string): string {
  const path = join(directory, 'sustain.yaml');
  writeFileSync(path, text);
  return path;
}

const BAD = `
server: london
servers:
  london: { url: "ftp://10.0.0.1", admin: { user: admin, passwordFile: nowhere } }
stations:
  myfm:
    sources: [ { name: primary, mount: primary } ]
    silence: { trip: 5 }
`;

describe('sustain run', () => {
  test('with a config full of faults says all of them, each with its line, and gives up with 2', async () => {
    const path = configOf(BAD);
    expect(await run({ config: path })).toBe(EXIT.unusable);
    const said = stderr.join('');
    for (const place of [
      'servers.london.url',
      'stations.myfm.sources[0].mount',
      'stations.myfm.silence.trip',
    ])
      expect(said).toContain(place);
    expect(said).toMatch(/sustain\.yaml:4:/);
    expect(said).not.toContain('    at ');
  });

  test('without a config says which file is missing', async () => {
    expect(await run({ config: join(directory, 'none.yaml') })).toBe(2);
    expect(stderr.join('')).toContain('none.yaml');
  });

  test('for a server that the config does not have says so', async () => {
    expect(await run({ config: configOf(BAD), server: 'paris' })).toBe(2);
    expect(stderr.join('')).toContain('paris');
  });

  test('without a decoder that works says what to do, before anything is connected; 1, as that may pass', async () => {
    vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg');
    expect(await run({ config: goodConfig(1) })).toBe(EXIT.failed);
    expect(stderr.join('')).toContain('/nowhere/ffmpeg');
  });
});

describe('sustain run where its port is taken', () => {
  let taken: Server;
  let port: number;
  beforeEach(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve());
    });
    const address = taken.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterEach(() => {
    taken.close();
  });

  test('gives up with 1, after which systemd tries again, and leaves nothing running', async () => {
    expect(await run({ config: goodConfig(port) })).toBe(EXIT.failed);
    expect(stderr).toEqual([]);
    expect(existsSync(join(directory, 'state', 'myfm.json'))).toBe(true);
  });
});

function goodConfig(webPort: number, logLevel = 'silent'): string {
  writeFileSync(join(directory, 'secret'), 'hackme\n', { mode: 0o600 });
  return configOf(`
server: london
servers:
  london: { url: "http://127.0.0.1:1", admin: { user: admin, passwordFile: ./secret } }
stations:
  myfm:
    sources: [ { name: primary, mount: /primary }, { name: autodj, mount: /autodj } ]
    serve: { mode: guard }
state: { directory: ${join(directory, 'state')} }
log: { level: ${logLevel} }
web: { listen: "127.0.0.1:${webPort}", viewerTokenFile: ./secret }
`);
}

describe.skipIf(!existsSync(BUILT))('the built command', () => {
  const sustain = (...args: readonly string[]) =>
    spawnSync(process.execPath, [BUILT, ...args], { encoding: 'utf8', timeout: 15_000 });

  test('ends with 2 and the faults on stderr', () => {
    const { status, stdout, stderr: said } = sustain('run', '--config', configOf(BAD));
    expect(status).toBe(2);
    expect(said).toContain('servers.london.url');
    expect(stdout).toBe('');
  });

  test('beside an agent that runs with the same state ends with 1, says so, and writes nothing there', () => {
    const config = goodConfig(1, 'error');
    const state = join(directory, 'state');
    const release = claimFolder(state);
    try {
      const { status, stdout } = sustain('run', '--config', config);
      expect(stdout).toContain(`another agent runs with ${state}: stop it first`);
      expect(status).toBe(1);
      expect(readdirSync(state)).toEqual(['.agent.lock']);
    } finally {
      release();
    }
  });
});
