import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface Block {
  /** Its page, language and number among those: `docs/dns.md sh 1`. A test that runs a block asks for it by this. */
  readonly key: string;
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

function markdownUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(folder, name));
}

export const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...markdownUnder('docs'),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

function blocksOf({ path, text }: (typeof PAGES)[number]): Block[] {
  const counts = new Map<string, number>();
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language = '', inside = '']) => {
    const kind = language === '' ? 'plain' : language;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return { key: `${path} ${kind} ${count}`, page: path, language: kind, text: inside };
  });
}

export const BLOCKS: readonly Block[] = PAGES.flatMap(blocksOf);

export function blockText(key: string): string {
  const block = BLOCKS.find((one) => one.key === key);
  if (block === undefined) throw new Error(`no page has the block ${key}`);
  return block.text;
}

/** Lines of a shell block, continued ones joined, without comments. */
export function commandsIn(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/\s+#\s.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const CLI = join(ROOT, 'dist/src/cli/main.js');

/** `sustain` as the package installs it: the command of this build. */
export const SUSTAIN = `exec ${process.execPath} ${CLI} "$@"`;

export interface Shell {
  readonly folder: string;
  /** Programs that are other ones here, each as a script for sh. What they are called with is in `calls`. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a block as a person would paste it, and stops at the first command that fails. */
export async function inShell(text: string, { folder, programs = {}, environment = {} }: Shell) {
  const bin = join(folder, '.bin');
  const calls = join(folder, '.calls');
  mkdirSync(bin, { recursive: true });
  for (const [name, script] of Object.entries({ sustain: SUSTAIN, ...programs })) {
    const path = join(bin, name);
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> '${calls}'\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const env = { ...process.env, ...environment, PATH: `${bin}:${process.env['PATH']}` };
  const { stdout } = await promisify(execFile)('sh', ['-euc', text], { cwd: folder, env });
  const called = existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [];
  return { stdout, calls: called };
}
