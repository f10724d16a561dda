import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
// @ts-expect-error: a script without types.
import { billOfMaterials, licenceTexts } from '../../../.dev/bom.mjs';
// @ts-expect-error: a script without types.
import { isForRunning, nodeDependency } from '../../../.dev/shipped.mjs';

const debian = (name: string) =>
  readFileSync(new URL(`../../../.deploy/debian/${name}`, import.meta.url), 'utf8');

/** A folder that the scripts of the package take for the machine. */
let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'sustain-package-'));
  put('usr/share/sustain/default', debian('default'));
  put('bin/systemctl', `#!/bin/sh\necho "$*" >> ${machine}/asked\n`);
  chmodSync(join(machine, 'bin/systemctl'), 0o755);
  mkdirSync(join(machine, 'run/systemd/system'), { recursive: true });
});
afterEach(() => rmSync(machine, { recursive: true, force: true }));

const at = (path: string) => join(machine, path);
const has = (path: string) => existsSync(at(path));
function put(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}

/** Runs a script of the package with its paths led into the folder; gives what it printed. */
function runScript(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  const text = debian(name)
    .replaceAll(/(?<=[\s"=])\/(etc|run|var|lib|usr\/share)\//g, `${machine}/$1/`)
    .replace(/^exec .*$/m, 'exec env');
  const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', text, name, ...args], {
    encoding: 'utf8',
    env: { PATH: `${machine}/bin:/usr/bin:/bin`, ...env },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

/** What systemctl was told meanwhile. */
function toldDuring(name: string, ...args: readonly string[]): string[] {
  rmSync(at('asked'), { force: true });
  runScript(name, args);
  return has('asked') ? readFileSync(at('asked'), 'utf8').trim().split('\n') : [];
}

const WANTS = 'etc/systemd/system/multi-user.target.wants/sustain.service';
const isEnabled = () =>
  spawnSync('test', ['-L', at(WANTS)]).status === 0 &&
  spawnSync('test', ['-L', at(WANTS.replace('.service', '.path'))]).status === 0;

describe('the package', () => {
  test.each([
    ['20.20.2', 'nodejs (>= 20.19), nodejs (<< 21~)'],
    ['22.23.3', 'nodejs (>= 22), nodejs (<< 23~)'],
  ])(
    'that was built with Node %s depends on that major version, as SQLite is bound to it',
    (node, wanted) => {
      expect(nodeDependency(node)).toBe(wanted);
      expect(debian('control')).toMatch(/^Depends: @NODE@,/m);
    },
  );

  test.each([
    ['fluent-ffmpeg', 'coverage/tmp/coverage-1.json', false],
    ['fluent-ffmpeg', 'doc/index.html', false],
    ['bintrees', 'test/perf/100k', false],
    ['zod', 'v4/core/schemas.d.cts', false],
    ['pino', '.github/workflows/ci.yml', false],
    ['nats', 'lib/mod.js.map', false],
    ['yaml', 'dist/doc/Document.js', true],
    ['zod', 'v4/locales/ts.js', true],
    ['pino', 'LICENSE', true],
    ['fluent-ffmpeg', 'doctor.js', true],
    ['pino', '', true],
  ])('of the npm package %s takes %s along: %s', (name, inside, isTaken) => {
    expect(isForRunning(name, inside)).toBe(isTaken);
  });

  test('enables and starts at the first installation, and the service only when there is a config', () => {
    expect(toldDuring('postinst', 'configure', '')).toEqual(['daemon-reload', 'start sustain.path']);
    expect(isEnabled()).toBe(true);
    rmSync(at('etc'), { recursive: true });
    put('etc/sustain/sustain.yaml', '');
    expect(toldDuring('postinst', 'configure', '')).toContain('start sustain.service');
  });

  test('enables without starting where no systemd runs', () => {
    rmSync(at('run'), { recursive: true });
    expect(toldDuring('postinst', 'configure', '')).toEqual([]);
    expect(isEnabled()).toBe(true);
  });

  test('upgraded starts the new version only where the old one ran, and enables nothing', () => {
    put('etc/sustain/sustain.yaml', '');
    expect(toldDuring('postinst', 'configure', '0.1.0')).toEqual([
      'daemon-reload',
      'try-restart sustain.path sustain.service',
    ]);
    expect(isEnabled()).toBe(false);
  });

  test('that was removed and comes again is enabled and started as the first time', () => {
    runScript('postinst', ['configure', '']);
    put('etc/sustain/sustain.yaml', '');
    runScript('postrm', ['remove']);
    expect(isEnabled()).toBe(false);
    expect(toldDuring('postinst', 'configure', '0.1.0')).toContain('start sustain.service');
    expect(isEnabled()).toBe(true);
    expect(toldDuring('postinst', 'configure', '0.1.0')).not.toContain('start sustain.service');
  });

  test('brings the file that an engineer edits as none of dpkg, makes it once, and purges it', () => {
    expect(existsSync(new URL('../../../.deploy/debian/conffiles', import.meta.url))).toBe(false);
    runScript('postinst', ['configure', '']);
    expect(readFileSync(at('etc/default/sustain'), 'utf8')).toBe(debian('default'));
    put('etc/default/sustain', 'SUSTAIN_SERVER=dublin\n');
    runScript('postinst', ['configure', '0.1.0']);
    expect(readFileSync(at('etc/default/sustain'), 'utf8')).toBe('SUSTAIN_SERVER=dublin\n');
    runScript('postrm', ['remove']);
    expect(has('etc/default/sustain')).toBe(true);
    runScript('postrm', ['purge']);
    expect(has('etc/default/sustain')).toBe(false);
    expect(has('etc/sustain')).toBe(false);
  });
});

describe('the bill of materials', () => {
  test('has what runs and what the page is made of, each with its licence, and nothing that only builds or tests', () => {
    const { components, dependencies } = billOfMaterials() as {
      components: readonly { readonly name: string; readonly version: string }[];
      dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
    };
    const names = components.map(({ name }) => name);
    const texts: string = licenceTexts();
    for (const name of ['fastify', 'svelte', 'uplot', 'clsx']) {
      expect(names).toContain(name);
      expect(texts).toContain(`\n${name} ${components.find((one) => one.name === name)?.version} (MIT)\n`);
    }
    for (const name of ['vite', 'typescript', 'vitest']) expect(names).not.toContain(name);
    const own = dependencies.find(({ ref }) => ref.startsWith('sustain@'))?.dependsOn ?? [];
    expect(own.some((ref) => ref.startsWith('uplot@'))).toBe(true);
    // Of ours only the tests need it; fastify does as well.
    expect(own.some((ref) => ref.startsWith('ajv@'))).toBe(false);
  });
});

describe('sustain by hand', () => {
  const variables = (env: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      runScript('sustain', ['check'], env)
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );

  test('is the server that the service is', () => {
    put('etc/default/sustain', '# which\nSUSTAIN_SERVER=dublin\nSUSTAIN_MP3_DECODER="ffmpeg" \n');
    expect(variables()).toMatchObject({ SUSTAIN_SERVER: 'dublin', SUSTAIN_MP3_DECODER: 'ffmpeg' });
    expect(variables({ SUSTAIN_SERVER: 'london' })).toMatchObject({ SUSTAIN_SERVER: 'london' });
  });

  test('is the witness that the service is, but not when the caller names a server', () => {
    put('etc/default/sustain', " SUSTAIN_WITNESS='paris'");
    expect(variables()).toMatchObject({ SUSTAIN_WITNESS: 'paris' });
    expect(variables({ SUSTAIN_SERVER: 'london' })).not.toHaveProperty('SUSTAIN_WITNESS');
  });

  test('has one heap for all its threads, or as many as the caller or the file of the service says', () => {
    expect(variables()).toMatchObject({ MALLOC_ARENA_MAX: '1' });
    expect(variables({ MALLOC_ARENA_MAX: '3' })).toMatchObject({ MALLOC_ARENA_MAX: '3' });
    put('etc/default/sustain', 'MALLOC_ARENA_MAX=2\n');
    expect(variables()).toMatchObject({ MALLOC_ARENA_MAX: '2' });
  });

  test('takes nothing from a file that is no such file, and needs none', () => {
    put('etc/default/sustain', `oh no\n(\n$(touch ${machine}/run-it)\nA-B=c\n1X=2\nEMPTY=\n`);
    expect(variables()).toMatchObject({ EMPTY: '' });
    expect(has('run-it')).toBe(false);
    unlinkSync(at('etc/default/sustain'));
    expect(variables()).toMatchObject({ CREDENTIALS_DIRECTORY: `${machine}/etc/sustain/secrets` });
  });
});
