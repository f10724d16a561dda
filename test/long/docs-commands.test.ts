import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { settle } from '../../src/demo/scenarios.ts';
import { alertsOf, stateOf } from '../e2e/station.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const YEAR = new Date().getFullYear();

let house: House;
let folder: string;
beforeAll(async () => {
  house = await startHouse({ hosts: ['127.0.0.174', '127.0.0.175'], silence: '{ trip: 2s, restore: 3s }' });
  folder = mkdtempSync(join(tmpdir(), 'sustain-docs-'));
  symlinkSync(house.configPath, join(folder, 'sustain.yaml'));
  await settle(house);
});
afterAll(async () => {
  await house?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** The shell blocks of a how-to, with the addresses, files and times of the house. */
function blocksOf(page: string, id = ''): string[] {
  const text = readFileSync(join(ROOT, 'docs/how-to', page), 'utf8');
  const secrets = dirname(house.configPath);
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) =>
    block
      .replaceAll('/etc/sustain/secrets/', `${secrets}/`)
      .replaceAll('http://127.0.0.1:8080', house.agents.london.webUrl)
      .replaceAll('/planned-silence/ID', `/planned-silence/${id}`)
      .replaceAll('2027-11-08', `${YEAR + 1}-11-08`)
      .replaceAll(/\b(london|dublin)\.db/g, `${secrets}/state-$1/history.db`)
      .replaceAll(/^curl /gm, 'curl --fail-with-body -sS ')
      .replaceAll(/^sustain /gm, `${process.execPath} ${join(ROOT, 'dist/src/cli/main.js')} `),
  );
}

async function run(...blocks: readonly string[]): Promise<string> {
  const token = `TOKEN=$(cat ${dirname(house.configPath)}/operator)\n`;
  const { stdout } = await promisify(execFile)('sh', ['-euc', token + blocks.join('\n')], { cwd: folder });
  return stdout;
}

const london = async () =>
  (await stateOf(house, 'london')).stations[0]?.servers.find((one) => one.server === 'london');

it('hold, force and release do what the page says', async () => {
  const [hold = '', rest = ''] = blocksOf('hold.md');
  await run(hold);
  expect((await london())?.hold).toMatchObject({ author: 'ann' });
  const [force = '', release = ''] = rest.split(/^(?=curl .*release)/m);
  await run(force);
  await expect.poll(async () => (await london())?.onAir, { timeout: 10_000 }).toBe('autodj');
  await run(release);
  await expect.poll(async () => (await london())?.hold, { timeout: 10_000 }).toBeNull();
  await expect.poll(async () => (await london())?.onAir, { timeout: 20_000 }).toBe('primary');
});

it('a silence is planned, listed and cancelled as the page says', async () => {
  const [plan = ''] = blocksOf('planned-silence.md');
  const said = await run(plan);
  const { planned } = JSON.parse(said.slice(said.lastIndexOf('{"planned":['))) as {
    planned: { id: string; says: string }[];
  };
  expect(planned).toMatchObject([{ says: 'two minutes', author: 'ann' }]);
  const [, cancel = ''] = blocksOf('planned-silence.md', planned[0]?.id);
  await run(cancel);
  const { text } = await house.agents.london.call('/api/v1/stations/myfm/planned-silence');
  expect(JSON.parse(text)).toEqual({ planned: [] });
});

it('reports and a replay are made as the page says', async () => {
  const [report = '', replay = ''] = blocksOf('report.md');
  expect(await run(report)).toMatch(/london: sound .* %?; dead air/);
  expect(readFileSync(join(folder, 'november.html'), 'utf8')).toContain('</html>');
  expect(readFileSync(join(folder, 'november.csv'), 'utf8')).toContain('what,station,server');
  expect(await run(replay)).toContain('myfm');
  expect(await alertsOf(house, 'london')).toEqual([]);
});
