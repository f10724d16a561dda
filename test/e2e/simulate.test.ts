import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { simulate } from '../../src/cli/simulate.ts';
import { usualCauses } from '../../src/simulate/faults.ts';
import { DUBLIN, LONDON } from '../../src/simulate/station.ts';
import { blockText, commandsIn, inShell } from '../docs-blocks.ts';

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

test('the commands of the page run, with fewer faults and fewer years', async () => {
  const few = usualCauses([LONDON, DUBLIN]).map(
    ({ id }) => `  ${id}: { perYear: ${id === 'icecast-crash' ? 1 : 0} }`,
  );
  const [, ofPlayers = ''] = blockText('docs/simulate.md yaml 1').split(/^(?=players:)/m);
  expect(ofPlayers).not.toBe('');
  writeFileSync(join(directory, 'rates.yaml'), `faults:\n${few.join('\n')}\n${ofPlayers}`);
  const server = 'url: "http://10.0.0.1:8000", admin: { passwordEnv: PW }';
  writeFileSync(
    join(directory, 'sustain.yaml'),
    `server: london\nservers: { london: { ${server} } }\nstations: { myfm: { sources: [{ name: a, mount: /a }] } }\n`,
  );
  const lines = commandsIn(blockText('docs/simulate.md sh 1'));
  expect(lines).toHaveLength(3);
  const block = lines.map((line) => `${line.replace('--years 100', '')} --years 1 --rates rates.yaml\n`);
  const { stdout } = await inShell(block.join('echo ---\n'), { folder: directory, environment: { PW: 'x' } });
  const [usual = '', planned = '', json = ''] = stdout.split('---\n');
  expect(usual).toContain('Sustain on two servers');
  expect(planned).toContain('seed 7');
  expect(readFileSync(join(directory, 'out.svg'), 'utf8')).toContain('<svg');
  expect(JSON.parse(json)).toMatchObject({ years: 1 });
});
