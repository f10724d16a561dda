import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mp3Frames } from '../../../fixtures/servers/frames.ts';
import { type MisbehavingServer, startServing } from '../../../fixtures/servers/misbehaving-server.ts';
import { probeSound } from '../../../src/cli/check/sound.ts';
import { mount } from '../../../src/domain/ids.ts';
import { systemClock } from '../../../src/platform/clock.ts';

let server: MisbehavingServer;
let folder = '';
/** Enough of it at once that the probe listens no longer than it must. */
const more = mp3Frames(200);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-check-'));
  server = await startServing({
    serve: (socket) => {
      socket.write(`HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n${mp3Frames(2)}`);
      const interval = setInterval(() => socket.write(more), 50);
      socket.on('close', () => clearInterval(interval));
    },
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** An ffmpeg in place of the real one. */
function program(line: string): string {
  const path = join(folder, 'ffmpeg');
  writeFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return path;
}

test('an ffmpeg that is killed, or is not there, says nothing about what a mount sends', async () => {
  const probe = (ffmpeg: string) => probeSound(systemClock, server.address, mount('/primary'), ffmpeg);
  expect(await probe(program('kill -9 $$'))).toMatchObject({ ok: false, why: 'no-answer' });
  expect(await probe(join(folder, 'none'))).toMatchObject({ ok: false, why: 'no-answer' });
  expect(await probe(program('exit 1'))).toMatchObject({ ok: false, why: 'no-reading' });
});
