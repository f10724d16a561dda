import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadNative, NativeLoadError } from '../../native-bindings/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = join(root, 'native-bindings', 'build', 'sustain.node');
const system = `${process.platform}-${process.arch}`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-loader-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function emptyFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function messageOf(path: string): string {
  try {
    loadNative(path);
  } catch (error) {
    expect(error).toBeInstanceOf(NativeLoadError);
    return error instanceof Error ? error.message : '';
  }
  throw new Error('it loaded');
}

describe('the loader', () => {
  test('without an addon says what was found, what is needed and what to do', () => {
    const message = messageOf(emptyFolder('nothing'));
    expect(message).toContain(`could not be loaded on ${system} with Node ${process.versions.node}`);
    expect(message).toMatch(/Found:\n.*build: absent\n.*prebuilds: absent/);
    expect(message).toContain(`Needed: build/sustain.node, or a prebuild for ${system}`);
    expect(message).toContain('apt-get install g++');
  });

  test('with a broken addon says why it can not be used', () => {
    const path = emptyFolder('broken');
    mkdirSync(join(path, 'build'));
    writeFileSync(join(path, 'build', 'sustain.node'), 'not a library');
    expect(messageOf(path)).toMatch(
      /Found, but unusable:\n.*sustain\.node: .*(invalid ELF header|file too short)/,
    );
  });

  test('takes a prebuild laid out as node-gyp-build wants it', () => {
    const path = emptyFolder('prebuilt');
    mkdirSync(join(path, 'prebuilds', system), { recursive: true });
    cpSync(built, join(path, 'prebuilds', system, 'sustain.node'));
    expect(typeof loadNative(path).Meter).toBe('function');
  });
});

describe('the build', () => {
  function copyOfPackage(name: string): string {
    const path = emptyFolder(name);
    mkdirSync(join(path, 'native-bindings'));
    for (const part of ['src', 'build.mjs']) {
      cpSync(join(root, 'native-bindings', part), join(path, 'native-bindings', part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
    return path;
  }
  const build = (path: string, env: NodeJS.ProcessEnv = process.env) =>
    spawnSync(process.execPath, [join(path, 'native-bindings', 'build.mjs')], { encoding: 'utf8', env });

  test('without a compiler says what was found, what is needed and what to do, and fails', () => {
    const { status, stderr } = build(copyOfPackage('no-compiler'), {
      ...process.env,
      CXX: 'no-such-compiler',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('found:  no prebuild that loads, and no working compiler "no-such-compiler"');
    expect(stderr).toContain('needed: a prebuild for this system');
    expect(stderr).toContain('do:     apt-get install g++');
  });

  test('of source that does not compile shows the message of the compiler, and fails', () => {
    const path = copyOfPackage('wrong-source');
    rmSync(join(path, 'native-bindings', 'src', 'dsp'), { recursive: true });
    const { status, stderr } = build(path);
    expect(status).toBe(1);
    expect(stderr).toMatch(/could not compile .*\.cpp:\n/);
    expect(stderr).toContain('No such file or directory');
    expect(existsSync(join(path, 'native-bindings', 'build', 'sustain.node'))).toBe(false);
  });

  test('without npm packages names them, and fails', () => {
    const path = copyOfPackage('no-headers');
    rmSync(join(path, 'node_modules'));
    const { status, stderr } = build(path);
    expect(status).toBe(1);
    expect(stderr).toContain('the npm packages node-api-headers and node-addon-api are not installed');
  });

  test('keeps a prebuild that loads, and compiles when it does not', () => {
    const path = copyOfPackage('with-prebuild');
    const prebuild = join(path, 'native-bindings', 'prebuilds', system, 'sustain.node');
    mkdirSync(dirname(prebuild), { recursive: true });
    cpSync(built, prebuild);
    const env = { ...process.env, CXX: 'no-such-compiler' };
    expect(build(path, env)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('using the prebuild'),
    });
    writeFileSync(prebuild, readFileSync(built).subarray(0, 500));
    expect(build(path, env).status).toBe(1);
  });

  test('of unchanged source does nothing', () => {
    const before = statSync(built).mtimeMs;
    expect(build(root)).toMatchObject({ status: 0, stdout: '' });
    expect(statSync(built).mtimeMs).toBe(before);
  });
});
