import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSound } from '../../../src/audio/sound-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-sound-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function pipe(name: string): string {
  const path = join(folder, name);
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  return path;
}

describe('a named pipe', () => {
  it('into which nobody writes is left when somebody stops it', async () => {
    const path = pipe('quiet');
    const opened = openSound(path, AbortSignal.timeout(50));
    await expect(opened).rejects.toThrow(`${path}: stopped before anything was heard`);
  });

  it('is waited for, and read to its end', async () => {
    const path = pipe('late');
    const opened = openSound(path, new AbortController().signal);
    const head = Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(200_000)]);
    setTimeout(() => createWriteStream(path).end(head), 50);
    const source = await opened;
    let bytes = 0;
    for await (const chunk of source.chunks()) bytes += chunk.length;
    expect({ container: source.container, bytes }).toEqual({ container: 'flac', bytes: head.length });
    await source.close();
  });
});
