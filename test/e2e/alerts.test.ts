import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, type HouseServer, startHouse } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { settle } from '../../src/demo/scenarios.ts';
import type { IncidentView } from '../../src/domain/history-view.ts';
import { historyFile, readHistory } from '../../src/history/open.ts';
import { loggedSince, story, wait } from './station.ts';

/** What a receiver got; each is verified by the official library before it counts. */
interface Told {
  readonly type: string;
  readonly data: {
    readonly id: string;
    readonly agent: string;
    readonly thread: string;
    readonly title: string;
  };
}

const SECRET = `whsec_${Buffer.from('a key of thirty-two bytes, no less').toString('base64')}`;
const folder = mkdtempSync(join(tmpdir(), 'sustain-alerts-'));
let house: House;
let receiver: Server;
let status = 204;
const told: Told[] = [];
const refused: string[] = [];
const beats: string[] = [];

function take(path: string, headers: IncomingHttpHeaders, body: string): number {
  if (path.startsWith('/beat')) {
    beats.push(path);
    return 200;
  }
  const one = new Webhook(SECRET).verify(body, headers as Record<string, string>) as Told;
  if (status >= 300) refused.push(`${one.type} ${one.data.agent}`);
  else told.push(one);
  return status;
}

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      response.statusCode = take(request.url ?? '', request.headers, body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const secretFile = join(folder, 'hook');
  writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
  house = await startHouse({
    silence: '{ trip: 2s, restore: 3s }',
    switching: '{ dwell: 1s, holdDown: 1s, holdDownMax: 2s }',
    alerts: `[{ webhook: "${url}/hidden", secretFile: ${secretFile} }, { heartbeat: "${url}/beat", every: 5s }]`,
  });
});

afterAll(async () => {
  await house?.stop();
  receiver?.closeAllConnections();
  receiver?.close();
  rmSync(folder, { recursive: true, force: true });
});

const from = (agent: HouseServer, type: string) =>
  told.filter((one) => one.type === type && one.data.agent === agent);

/** A wall time as the clocks of UTC show it. */
const clockText = (unixMs: number) => new Date(unixMs).toISOString().slice(11, 19);

test('a silence that was planned switches nothing and calls nobody', async () => {
  await settle(house);
  const atMs = Math.ceil(Date.now() / 1000) * 1000 + 1000;
  const plan = {
    day: new Date(atMs).toISOString().slice(0, 10),
    at: clockText(atMs),
    forMs: 12_000,
    timeZone: 'UTC',
    says: 'two minutes',
    author: 'ann',
  };
  for (const agent of Object.values(house.agents))
    expect(await agent.ask('/api/v1/stations/myfm/planned-silence', plan)).toBe(201);
  await wait(atMs + 1000 - Date.now());
  house.encoder1.programme.mute();
  house.encoder2.programme.mute();
  await wait(7_500);
  house.encoder1.programme.unmute();
  house.encoder2.programme.unmute();
  await wait(3_500);
  for (const agent of ['london', 'dublin'] as const) {
    expect(loggedSince(house, agent, 'switched', atMs), story(house)).toEqual([]);
    expect(loggedSince(house, agent, 'alert-opened', atMs), story(house)).toEqual([]);
  }
  expect(told).toEqual([]);
});

test('an agent that is killed after its act and before anybody was told tells when it is back', async () => {
  await settle(house);
  status = 503;
  const listener = await house.listen('london');
  const fromMs = Date.now();
  house.encoder1.programme.mute();
  await waitUntil(
    'the switch',
    30_000,
    () => loggedSince(house, 'london', 'switched', fromMs).length > 0,
    () => story(house),
  );
  await house.agents.london.kill();
  const openedOfSound = () => from('london', 'incident.opened').find(({ data }) => data.thread === 'sound');
  expect(from('london', 'incident.opened')).toEqual([]);
  status = 204;
  await house.agents.london.start();
  await waitUntil(
    'the message',
    30_000,
    () => openedOfSound() !== undefined,
    () => story(house),
  );
  // Killed within the milliseconds before its log was on the disk, it tells what it finds on air when it is back.
  const opened = openedOfSound();
  expect(opened?.data).toMatchObject({
    thread: 'sound',
    title: expect.stringMatching(/primary to secondary|secondary is on air/) as string,
  });

  const { text } = await house.agents.london.call('/api/v1/incidents?open=true');
  const { incidents } = JSON.parse(text) as { incidents: IncidentView[] };
  expect(incidents.map(({ id }) => id)).toContain(opened?.data.id);
  const path = `/api/v1/incidents/${opened?.data.id}/acknowledge`;
  expect(await house.agents.london.ask(path, { author: 'ann' })).toBe(202);
  await waitUntil('it is told', 30_000, () => from('london', 'incident.acknowledged').length > 0);
  await waitUntil('dublin knows of it too', 30_000, async () => {
    const { text: open } = await house.agents.dublin.call('/api/v1/incidents?open=true');
    const { incidents: all } = JSON.parse(open) as { incidents: IncidentView[] };
    const sound = all.filter(({ acknowledged }) => acknowledged?.author === 'ann');
    return sound.length > 0;
  });
  // Dublin acknowledges only what it told itself, as it does where london was away for long.
  expect(from('dublin', 'incident.acknowledged').length).toBeLessThanOrEqual(
    from('dublin', 'incident.opened').length,
  );
  await listener.stop();
});

test('what both agents see is told once', async () => {
  told.splice(0);
  await house.servers.dublin.kill();
  await waitUntil(
    'somebody tells',
    20_000,
    () => told.some(({ data }) => data.thread === 'server dublin'),
    () => story(house),
  );
  // The other has its time to tell of it too.
  await wait(14_000);
  expect(
    told.filter(({ data, type }) => data.thread === 'server dublin' && type === 'incident.opened'),
  ).toMatchObject([{ data: { agent: 'london' } }]);
});

test('no address of a receiver is in any log, the heart beats, and the log of events is whole', async () => {
  for (const agent of Object.values(house.agents))
    expect(JSON.stringify(agent.log())).not.toMatch(/hidden|whsec_|beat"/);
  expect(beats.length).toBeGreaterThan(4);
  const store = readHistory(historyFile(join(dirname(house.configPath), 'state-london')));
  expect(store.verify()).toMatchObject({ ok: true });
  const kinds = store.events({ limit: 1000 }).map(({ event }) => event.kind);
  expect(kinds).toEqual(expect.arrayContaining(['took-over', 'planned-silence', 'acknowledged']));
  const leg = store.legs()[0];
  const rows = leg === undefined ? [] : store.levels({ leg, fromUnixMs: 0, toUnixMs: Date.now() });
  expect(rows.length).toBeGreaterThan(10);
  store.close();
});
