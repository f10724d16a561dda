import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { startTestWeb } from '../web/support.ts';
import { commandReference, configReference, httpReference, type OpenApi } from './reference.ts';

/** `npm run reference` writes what the test would compare with. */
const WRITES = process.env['SUSTAIN_WRITE_REFERENCE'] !== undefined;

function holds(name: string, made: string): void {
  const path = fileURLToPath(new URL(`../../../docs/reference/${name}`, import.meta.url));
  if (WRITES) writeFileSync(path, made);
  expect(readFileSync(path, 'utf8'), 'run `npm run reference`').toBe(made);
}

describe('the reference is what the program is', () => {
  test('the config', () => holds('config.md', configReference()));
  test('the commands', () => holds('cli.md', commandReference()));
  test('the API', async () => {
    const web = await startTestWeb();
    holds('http.md', httpReference((await (await web.get('/api/v1/openapi.json')).json()) as OpenApi));
  });
});
