import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { startProcess, waitUntil } from '../../src/demo/rig/index.ts';
import { settle } from '../../src/demo/scenarios.ts';
import { blockText, inShell, ROOT } from '../docs-blocks.ts';
import { alertsOf, stateOf } from './station.ts';

/** Whatever it is called: what is in it counts. */
const MUSIC = '/usr/share/games/asc/music/frontiers.mp3';
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

/** A block with the addresses, files and times of the house. */
function here(key: string, id = ''): string {
  const secrets = dirname(house.configPath);
  return blockText(key)
    .replaceAll('/etc/sustain/secrets/', `${secrets}/`)
    .replaceAll('/etc/sustain/sustain.yaml', 'sustain.yaml')
    .replaceAll('http://127.0.0.1:8080', house.agents.london.webUrl)
    .replaceAll('/planned-silence/ID', `/planned-silence/${id}`)
    .replaceAll('2027-11-08', `${YEAR + 1}-11-08`)
    .replaceAll('/var/lib/sustain/', `${secrets}/state-london/`)
    .replaceAll('node dist/src/', `node ${join(ROOT, 'dist/src')}/`)
    .replaceAll(/^curl /gm, 'curl --fail-with-body -sS ');
}

async function run(...blocks: readonly string[]): Promise<string> {
  const token = `TOKEN=$(cat ${dirname(house.configPath)}/operator)\n`;
  const programs = { systemctl: '' };
  return (await inShell(token + blocks.join('\n'), { folder, programs })).stdout;
}

const london = async () =>
  (await stateOf(house, 'london')).stations[0]?.servers.find((one) => one.server === 'london');

it('hold, force and release do what the page says', async () => {
  await run(here('docs/how-to/hold.md sh 1'));
  expect((await london())?.hold).toMatchObject({ author: 'ann' });
  const [force = '', release = ''] = here('docs/how-to/hold.md sh 2').split(/^(?=curl .*release)/m);
  await run(force);
  await expect.poll(async () => (await london())?.onAir, { timeout: 60_000 }).toBe('autodj');
  await run(release);
  await expect.poll(async () => (await london())?.hold, { timeout: 60_000 }).toBeNull();
  await expect.poll(async () => (await london())?.onAir, { timeout: 60_000 }).toBe('primary');
});

it('a silence is planned, listed and cancelled as the page says', async () => {
  const said = await run(here('docs/how-to/planned-silence.md sh 1'));
  const { planned } = JSON.parse(said.slice(said.lastIndexOf('{"planned":['))) as {
    planned: { id: string; says: string }[];
  };
  expect(planned).toMatchObject([{ says: 'two minutes', author: 'ann' }]);
  await run(here('docs/how-to/planned-silence.md sh 2', planned[0]?.id));
  const { text } = await house.agents.london.call('/api/v1/stations/myfm/planned-silence');
  expect(JSON.parse(text)).toMatchObject({ planned: [] });
});

it('reports and a replay are made as the pages say, from copies that were made under the agents', async () => {
  const copy = here('docs/how-to/report.md sh 1');
  await run(copy, copy.replaceAll('london', 'dublin'));
  expect(await run(here('docs/how-to/report.md sh 2'))).toMatch(/london: sound .* %?; dead air/);
  for (const name of ['november.html', 'november.csv'])
    expect(readFileSync(join(folder, name), 'utf8')).not.toBe('');
  rmSync(join(folder, 'november.csv'));
  const verified = await run(here('docs/history.md sh 1'));
  expect(verified).toContain('myfm');
  expect(readFileSync(join(folder, 'november.html'), 'utf8')).toContain('</html>');
  expect(readFileSync(join(folder, 'november.csv'), 'utf8')).toContain('what,station,server');
  expect(await run(here('docs/how-to/report.md sh 3'))).toContain('myfm');
  expect(await run(here('docs/history.md sh 3'))).toContain('myfm');
  const head = /london\.db.*?\b([0-9a-f]{64})\b/.exec(verified)?.[1] ?? '';
  expect(head).not.toBe('');
  expect(await run(here('docs/history.md sh 2').replace('5f0c…', head))).toContain('myfm');
  expect(await alertsOf(house, 'london')).toEqual([]);
});

it('what the tutorial and the upgrade look at is there: a check without a fault, and an agent that is ready', async () => {
  const said = await run(here('docs/tutorial.md sh 7'));
  expect(said).toContain('Nothing stands in the way');
  expect(said).toMatch(/\{"ready":true/);
  const [, ready = ''] = here('docs/deploy/upgrade.md sh 1').split(/^(?=curl)/m);
  expect(await run(ready)).toMatch(/\{"ready":true/);
});

it('the README checks a config, runs an agent with it, and measures a file', async () => {
  const [, check = '', start = '', measure = ''] = here('README.md sh 2').trimEnd().split('\n');
  copyFileSync(MUSIC, join(folder, 'programme.flac'));
  expect(await run(measure)).toMatch(/LUFS/);
  expect(await run(check)).toContain('Nothing stands in the way');
  await house.agents.london.stop();
  const command = start.replace(/\s+#.*$/, '');
  expect(command).toMatch(/main\.js run --config sustain\.yaml$/);
  const agent = await startProcess({
    command: 'sh',
    args: ['-c', `exec ${command}`],
    directory: folder,
    stdout: 'pipe',
  });
  try {
    agent.stdout?.resume();
    await waitUntil(
      'the agent of the README',
      60_000,
      async () => (await fetch(`${house.agents.london.webUrl}/readyz`)).ok,
    );
  } finally {
    await agent.stop();
  }
});
