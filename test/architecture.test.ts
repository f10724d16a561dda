import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** Which rooms of `src/` each room may import from; `docs/architecture.md` says why. */
const ROOMS: Readonly<Record<string, readonly string[] | 'all'>> = {
  domain: [],
  decide: ['domain'],
  simulate: ['domain', 'decide', 'platform'],
  config: ['domain'],
  platform: ['domain'],
  icecast: ['domain', 'platform'],
  listen: ['domain', 'platform', 'icecast'],
  audio: ['domain', 'platform', 'native'],
  relay: ['domain', 'platform', 'audio', 'icecast'],
  dns: ['domain', 'platform'],
  cluster: ['domain', 'platform'],
  alerts: ['domain', 'platform'],
  history: ['domain', 'platform'],
  web: ['domain', 'platform'],
  service: ['domain', 'platform', 'native'],
  wiring: 'all',
  cli: 'all',
  demo: 'all',
};

/** Rooms that nobody inside `src/` may import, as everything flows towards them. */
const DOORS = ['cli', 'demo'];
/** Who wires, and may see everything but the doors. */
const WIRING_FILES = ['agent.ts', 'station.ts', 'version.ts'];

/** What would make a pure room depend on the moment or on the machine. */
const IMPURE = [
  [/\bnew Date\b|\bDate\.(now|parse|UTC)\b/, 'Date'],
  [/\bMath\.random\b/, 'Math.random'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, 'a timer'],
  [/\bperformance\.now\b/, 'performance.now'],
  [/\basync\b|\bawait\b|\bPromise\b/, 'something asynchronous'],
  [/\bprocess\./, 'process'],
  [/from 'node:/, 'node:*'],
] as const;

const MAX_FILE_LINES = 400;

interface SourceFile {
  /** `decide/step.ts` */
  readonly path: string;
  readonly text: string;
}

function sourcesUnder(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') || name.endsWith('.svelte'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path;
}

function importsOf({ path, text }: SourceFile): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
    (match) => match[1] ?? '',
  );
  return specifiers.map((specifier) => relative(SRC, resolve(SRC, dirname(path), specifier)));
}

function breaches(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  for (const file of files) {
    const room = roomOf(file.path);
    const allowed = WIRING_FILES.includes(room) ? 'all' : ROOMS[room];
    if (allowed === undefined) {
      found.push(`${file.path}: there is no room ${room} in the table`);
      continue;
    }
    for (const target of importsOf(file)) {
      const to = target.startsWith('../native-bindings') ? 'native' : roomOf(target);
      if (to === room || target.startsWith('version.')) continue;
      if (DOORS.includes(to) && !DOORS.includes(room))
        found.push(`${file.path} imports ${target}: nobody imports ${to}`);
      else if (allowed !== 'all' && !allowed.includes(to))
        found.push(`${file.path} imports ${target}: ${room} may not import ${to}`);
    }
  }
  return found;
}

function impurities(files: readonly SourceFile[]): string[] {
  const pure = files.filter(({ path }) => ['domain', 'decide'].includes(roomOf(path)));
  return pure.flatMap(({ path, text }) => {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    return IMPURE.filter(([pattern]) => pattern.test(code)).map(([, what]) => `${path} uses ${what}`);
  });
}

const files = sourcesUnder(SRC);

/** A room's file with something planted in it that must be found. */
const planted = (path: string, text: string): SourceFile[] => [...files, { path, text }];

describe('the house', () => {
  test('rooms import only what the table lets them', () => {
    expect(breaches(files)).toEqual([]);
  });

  test('domain and decide know no clock, no chance, no machine', () => {
    expect(impurities(files)).toEqual([]);
  });

  test(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
    const long = files.filter(({ text }) => text.split('\n').length > MAX_FILE_LINES + 1);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('only audio, and what talks to systemd, load the native part', () => {
    const loaders = files.filter((file) =>
      importsOf(file).some((target) => target.startsWith('../native-bindings')),
    );
    expect(
      loaders.map(({ path }) => roomOf(path)).filter((room) => !['audio', 'service'].includes(room)),
    ).toEqual([]);
  });

  test.each([
    [
      'decide/planted.ts',
      "import { systemClock } from '../platform/clock.ts';",
      'decide may not import platform',
    ],
    ['listen/planted.ts', "import { openLegEar } from '../audio/leg-ear.ts';", 'listen may not import audio'],
    ['web/planted.ts', "import { Agent } from '../agent.ts';", 'web may not import agent.ts'],
    ['audio/planted.ts', "export { run } from '../cli/run.ts';", 'nobody imports cli'],
    ['wiring/planted.ts', "const later = await import('../demo/demo.ts');", 'nobody imports demo'],
    ['attic/planted.ts', '', 'there is no room attic'],
  ])('a planted breach in %s is found', (path, text, said) => {
    expect(breaches(planted(path, text)).join('\n')).toContain(said);
  });

  test.each([
    'const now = Date.now();',
    'setTimeout(run, 1);',
    'const luck = Math.random();',
    "import { readFileSync } from 'node:fs';",
  ])('a planted impurity is found: %s', (text) => {
    expect(impurities(planted('decide/planted.ts', text))).toHaveLength(1);
  });

  test('the check reads files as they are on the disk', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sustain-architecture-'));
    try {
      writeFileSync(join(directory, 'agent.ts'), "import './cli/main.ts';\n");
      expect(sourcesUnder(directory)).toEqual([{ path: 'agent.ts', text: "import './cli/main.ts';\n" }]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
