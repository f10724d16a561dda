import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { historyFile, openHistory, readHistory } from '../../src/history/open.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const WRITER = join(root, 'fixtures', 'children', 'history-writer.mjs');

let directory = '';
let writer: ChildProcess | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sustain-history-'));
});

afterEach(() => {
  if (writer?.exitCode === null) writer.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A writer, and what it has said; `limitKib` is the largest file that it may write. */
function startWriter(limitKib: number | null): { lines: string[]; child: ChildProcess } {
  const lines: string[] = [];
  const node = [process.execPath, WRITER, join(root, 'dist'), directory];
  const limited = ['-c', `ulimit -f ${limitKib ?? 'unlimited'}; exec "$@"`, 'bash', ...node];
  const child = spawn('bash', limited, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  writer = child;
  return { lines, child };
}

const until = async (isTrue: () => boolean) => {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
};

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const lastKept = (lines: readonly string[]) =>
  Math.max(0, ...lines.filter((line) => line.startsWith('kept')).map((line) => Number(line.slice(5))));

test('every event that was kept is there after kill -9, at whatever moment it came', async () => {
  let kept = 0;
  for (let round = 0; round < 8; round += 1) {
    const { lines, child } = startWriter(null);
    await until(() => lines.length > 0);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
    await kill(child);
    kept = Math.max(kept, lastKept(lines));
    expect(lines.filter((line) => line.startsWith('set aside'))).toEqual([]);
    const { store, setAside } = openHistory(directory, new Date());
    expect(setAside).toBeNull();
    const verdict = store.verify();
    expect(verdict).toMatchObject({ ok: true });
    expect(verdict.ok && verdict.rows).toBeGreaterThanOrEqual(kept);
    store.close();
  }
  expect(kept).toBeGreaterThan(8);
});

test('a disk that takes no more leaves all that was kept, readable and whole', async () => {
  const { lines, child } = startWriter(400);
  await until(() => lines.filter((line) => line.startsWith('failed')).length > 3);
  await kill(child);
  expect(lastKept(lines)).toBeGreaterThan(10);
  const store = readHistory(historyFile(directory));
  const verdict = store.verify();
  expect(verdict.ok && verdict.rows).toBeGreaterThanOrEqual(lastKept(lines));
  store.close();
});
