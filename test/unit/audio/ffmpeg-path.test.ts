import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedFfmpegPath, findFfmpeg } from '../../../src/audio/ffmpeg-path.ts';
import { systemClock as clock } from '../../../src/platform/clock.ts';

const { PATH } = process.env;

describe('which ffmpeg', () => {
  let folder = '';
  const noEmbedded = () => Promise.reject(new Error('not installed'));

  function script(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sustain-ffmpeg-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the named one before all others', async () => {
    const path = script('mine', 'echo "ffmpeg version 9.9-mine Copyright"');
    const found = await findFfmpeg({ clock, env: { FFMPEG_PATH: path, PATH } });
    expect(found).toEqual({ ok: true, ffmpeg: { path, origin: 'FFMPEG_PATH', version: '9.9-mine' } });
  });

  it('is no other when the named one does not work', async () => {
    const found = await findFfmpeg({ clock, env: { FFMPEG_PATH: '/no/ffmpeg', PATH } });
    expect(found.ok).toBe(false);
    if (found.ok) return;
    expect(found.error.code).toBe('ffmpeg-not-usable');
    expect(found.error.message).toMatch(/apt install ffmpeg.*FFMPEG_PATH=\/no\/ffmpeg: .*ENOENT/);
  });

  it('is the one on the PATH', async () => {
    const found = await findFfmpeg({ clock, env: { PATH } });
    expect(found).toMatchObject({ ok: true, ffmpeg: { origin: 'PATH' } });
  });

  it('is the embedded one when the PATH has none that runs', async () => {
    script('ffmpeg', 'echo "libx264.so.999: cannot open shared object file" >&2; exit 127');
    const found = await findFfmpeg({ clock, env: { PATH: folder } });
    expect(found).toMatchObject({
      ok: true,
      ffmpeg: { origin: 'embedded', version: expect.stringMatching(/^N-/) },
    });
  });

  it('is none, with everything that was tried, when nothing works', async () => {
    script('ffmpeg', 'echo "libx264.so.999: cannot open shared object file" >&2; exit 127');
    const found = await findFfmpeg({ clock, env: { PATH: folder }, embeddedPath: noEmbedded });
    expect(found.ok ? '' : found.error.message).toMatch(/libx264\.so\.999.*not installed/);
    const empty = await findFfmpeg({ clock, env: {}, embeddedPath: noEmbedded });
    expect(empty.ok ? '' : empty.error.message).toContain('no ffmpeg on the PATH');
  });

  it('is the embedded one even if npm left out its exec bit', async () => {
    const path = script('plain', 'echo "ffmpeg version N-1 Copyright"');
    chmodSync(path, 0o644);
    const found = await findFfmpeg({ clock, env: {}, embeddedPath: () => embeddedFfmpegPath({ path }) });
    expect(found).toEqual({ ok: true, ffmpeg: { path, origin: 'embedded', version: 'N-1' } });
  });
});
