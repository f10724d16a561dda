import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const run = fileURLToPath(new URL('soak/run.mjs', import.meta.url));

// The hour under the sanitizers and valgrind takes minutes: `node test/native/soak/run.mjs`. This is its beginning.
test('the plain C++ meter, chain, delay line and search bear random audio, rates, settings and lengths under the sanitizers', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [run, '300', '5', '--sanitizers-only'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toContain('300 s of audio, nothing amiss');
  expect(status).toBe(0);
});
