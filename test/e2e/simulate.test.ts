import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { simulate } from '../../src/cli/simulate.ts';
import { usualCauses } from '../../src/simulate/faults.ts';
import { DUBLIN, LONDON } from '../../src/simulate/station.ts';

const CLI = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sustain-simulate-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the same seed gives the same years on several threads as on one', async () => {
  const rates = join(directory, 'rates.yaml');
  const lines = usualCauses([LONDON, DUBLIN]).map(
    ({ id }) => `  ${id}: { perYear: ${id === 'icecast-crash' ? 1 : 0} }`,
  );
  writeFileSync(rates, `faults:\n${lines.join('\n')}\n`);
  // More than ten years, so that faults are drawn more than once.
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[CLI, 'simulate', '--years', '11', '--seed', '3', '--rates', rates, '--json'],
  ]);
  const printed: string[] = [];
  const terminal = { write: () => true };
  await simulate(
    { years: '11', seed: '3', rates, json: true },
    { env: {}, terminal, print: (text) => printed.push(text) },
  );
  expect(JSON.parse(stdout)).toEqual(JSON.parse(printed.join('')));
  expect(JSON.parse(stdout).keepers[0].episodes).toBeGreaterThan(10);
});
