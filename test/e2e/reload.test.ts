import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { deadAirMsIn, waitUntil } from '../../src/demo/rig/index.ts';
import { settle } from '../../src/demo/scenarios.ts';
import type { IncidentView } from '../../src/domain/history-view.ts';
import { legOf, story, wait } from './station.ts';

let house: House;
/** What receivers of alerts were told by london, by the path that it was told at: `/one incident.opened`. */
const told: string[] = [];
const receiver = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    told.push(`${request.url} ${(JSON.parse(body) as { type: string }).type}`);
    response.writeHead(204).end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  house = await startHouse({ mode: 'relay', silence: '{ threshold: -50 dBFS, trip: 6s, restore: 6s }' });
});
afterAll(async () => {
  await house?.stop();
  receiver.closeAllConnections();
  receiver.close();
});

/** Writes the config of london with a change, has it read, and waits for what the agent says of it. */
async function reload(change: (text: string) => string, says: string): Promise<void> {
  const text = readFileSync(house.configPath, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(house.configPath, changed);
  const before = house.agents.london.log().length;
  house.agents.london.hangUp();
  await waitUntil(
    says,
    30_000,
    async () =>
      house.agents.london
        .log()
        .slice(before)
        .some(({ msg }) => String(msg).includes(says)),
    () => story(house),
  );
}

test('a config is reloaded while the station plays: no listener hears it, and what can be changed is', async () => {
  await settle(house);
  const listener = await house.listen('london');
  const good = readFileSync(house.configPath, 'utf8');

  await reload((text) => text.replace('trip: 6s', 'trip: 6'), 'the old one runs on');
  expect((await legOf(house, 'london', 'primary')).condition).toBe('audible');

  const alertsTo = (path: string) =>
    `alerts: [{ webhook: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}${path}" }]\n`;
  await reload(
    () =>
      alertsTo('/one') +
      good.replace('-50 dBFS, trip: 6s', '-45 dBFS, trip: 1500ms').replace('/autodj }', '/other }'),
    'the new config is in use',
  );
  const waiting = house.agents.london.log().filter(({ msg }) => String(msg).includes('not now'));
  expect(waiting.map(({ path }) => path)).toEqual(['stations.myfm.sources']);

  // The other agent still has a trip delay of 6 s, so that the two differ by 4.5 s; each waits for a look besides.
  await wait(2000);
  house.encoder1.programme.mute();
  const silentAfterMs = async (agent: 'london' | 'dublin') => {
    const fromMs = performance.now();
    await waitUntil(`${agent} finds it silent`, 30_000, async () => {
      return (await legOf(house, agent, 'primary')).condition === 'faulty';
    });
    return performance.now() - fromMs;
  };
  const [london, dublin] = await Promise.all([silentAfterMs('london'), silentAfterMs('dublin')]);
  expect(dublin - london, story(house)).toBeGreaterThan(1500);
  await waitUntil('the first receiver is told', 30_000, async () => told.includes('/one incident.opened'));
  house.encoder1.programme.unmute();

  await reload((text) => text.replace('/one', '/two'), 'is in use');
  // The incident that is open over the reload is known still, and goes on at the new receiver.
  const { text: open } = await house.agents.london.call('/api/v1/incidents?open=true');
  const { incidents } = JSON.parse(open) as { incidents: IncidentView[] };
  const path = `/api/v1/incidents/${incidents[0]?.id}/acknowledge`;
  expect(await house.agents.london.ask(path, { author: 'ann' }), open).toBe(202);
  const acknowledged = () => told.filter((one) => one.endsWith('acknowledged'));
  await waitUntil('the second receiver is told', 30_000, () => acknowledged().length > 0);
  expect(acknowledged()).toEqual(['/two incident.acknowledged']);

  await reload(
    (text) => text.replace('operatorTokenFile', 'trustProxy: ["127.0.0.9"], operatorTokenFile'),
    'is in use',
  );
  expect((await legOf(house, 'london', 'autodj')).condition).toBe('audible');
  // The relay runs 9 s behind: until then nothing of all this could have been heard.
  await wait(10_000);
  const heard = await listener.stop();
  expect(heard.disconnects).toBe(0);
  expect(deadAirMsIn(heard, {}), story(house)).toBeLessThanOrEqual(50);
});
