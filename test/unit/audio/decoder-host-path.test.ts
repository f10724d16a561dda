import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decoderHostPath } from '../../../native-bindings/decoder-host.ts';
import { findDecoderHost } from '../../../src/audio/decoder-host-path.ts';
import { systemClock as clock } from '../../../src/platform/clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'sustain-decoder-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const search = (named: string) => findDecoderHost({ clock, env: { SUSTAIN_MP3_DECODER: named } });

describe('the decoder process', () => {
  it('is the one that came with Sustain', async () => {
    for (const word of ['', 'shared'])
      expect(await search(word)).toEqual({ is: 'found', path: decoderHostPath() });
  });

  it('is another one where that is named', async () => {
    const path = program('mine', 'exit 0');
    expect(await search(path)).toEqual({ is: 'found', path });
  });

  it('is none where ffmpeg is wanted', async () => {
    expect(await search('ffmpeg')).toEqual({ is: 'not-wanted' });
  });

  it('that lacks its library says so', async () => {
    const path = program('lacks', 'echo libmpg123 is not installed >&2; exit 3');
    expect(await search(path)).toEqual({ is: 'not-usable', why: `${path}: libmpg123 is not installed` });
  });

  it('that is not there is not usable', async () => {
    expect(await search('/no/decoder')).toMatchObject({
      is: 'not-usable',
      why: expect.stringContaining('ENOENT'),
    });
  });
});
