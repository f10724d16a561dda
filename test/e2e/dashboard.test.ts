/// <reference lib="dom" />
import type { Browser, Locator, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import type { AgentView, LoudnessView } from '../../src/domain/view.ts';
import { zoneWords } from '../../src/web/dashboard/text/plan.ts';
import {
  accessibilityFaults,
  openWindow,
  overflow,
  shoot,
  signIn,
  startBrowser,
  type Window,
  watchMeter,
} from './browser.ts';
import { watchFrames, watchOnsets } from './onsets.ts';
import { stateOf, story, wait } from './station.ts';

const TRIP_MS = 6_000;
const PRIMARY = 'myfm/primary@london';
const TITLE = '<img src=x onerror="window.hacked=1">';
const DESK = { width: 1440, height: 900 };

let house: House;
let browser: Browser;
/** Where the presenter and the operator sit: at london's page, for the whole of the test. */
let studio: Window;

beforeAll(async () => {
  house = await startHouse({
    hosts: ['127.0.0.63', '127.0.0.64'],
    mode: 'relay',
    processing: true,
    dns: 'powerdns',
    silence: '{ threshold: -50 dBFS, trip: 6s, restore: 6s }',
  });
  browser = await startBrowser();
  studio = await openWindow(browser, house.agents.london, DESK);
});
afterAll(async () => {
  await browser?.close();
  await house?.stop();
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(story(house));
});

const card = (page: Page, server: string) => page.locator(`[data-server="${server}"]`);
const leg = (page: Page, name: string) => page.locator(`[data-leg="${name}"]`);
const inTone = (page: Page, tone: string) => page.locator(`[data-tone="${tone}"]`);
const dialog = (page: Page) => page.getByRole('dialog');
/** A script makes the charts as wide as the window that they are in, in its own time. */
const expectToFit = (page: Page, name: string) =>
  expect
    .poll(() => overflow(page), { message: `${name} is wider than its window`, timeout: 30_000 })
    .toBeLessThanOrEqual(0);
const panel = (page: Page, heading: string) =>
  page.locator('section', { has: page.getByRole('heading', { name: heading, exact: true }) });

/** Goes on with Tab until it is there: whatever can't be reached so, nobody reaches without a mouse. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let tabs = 0; tabs < 150; tabs += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${target}`);
}

async function press(page: Page, button: Locator): Promise<void> {
  await tabTo(page, button);
  await page.keyboard.press('Enter');
}

test('the door lets nobody in with a wrong password, and everybody can use it', async () => {
  const { page } = studio;
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  await signIn(page, 'ann', 'not the password');
  await page.getByRole('alert').filter({ hasText: 'name or password is wrong' }).waitFor();
  await shoot(page, 'signed-out');
  await signIn(page, 'ann', house.agents.london.operatorToken);
  await card(page, 'london').waitFor();
});

describe('what is on air', () => {
  test('is there for every server at one glance, in dark and light, on a phone and on a wall', async () => {
    const { page } = studio;
    for (const server of ['london', 'dublin'])
      await card(page, server).and(inTone(page, 'good')).filter({ hasText: 'Primary' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'Primary is on air on London and Dublin' }).waitFor();
    for (const [name, colorScheme, width, height] of [
      ['well-light', 'light', 1440, 900],
      ['well-phone', 'dark', 360, 740],
      ['well-wall', 'dark', 3840, 2160],
      ['well-dark', 'dark', 1440, 900],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await wait(300);
      await expectToFit(page, name);
      expect(await accessibilityFaults(page), name).toEqual([]);
      await shoot(page, name, name === 'well-phone');
    }
  });

  test('is heard on every public mount, those that the other agent feeds as well', async () => {
    const { page } = studio;
    for (const mount of ['/stream@london', '/stream@dublin']) {
      await leg(page, mount).locator('.meter:not(.deaf)').waitFor();
      await expect
        .poll(() => leg(page, mount).getByRole('meter').getAttribute('aria-valuetext'), { timeout: 30_000 })
        .toMatch(/^−\d+\.\d dBFS$/);
    }
  });

  test('a title is text, whatever it looks like', async () => {
    const { page } = studio;
    const query = new URLSearchParams({ mount: '/primary', mode: 'updinfo', song: TITLE });
    expect((await house.servers.london.askAdmin(`/admin/metadata?${query}`)).status).toBe(200);
    await leg(page, PRIMARY).getByText(TITLE).waitFor();
    await card(page, 'london').getByText(TITLE).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  });

  test('is heard at a click, through the agent', async () => {
    const { page } = studio;
    const button = leg(page, PRIMARY).getByRole('button', { name: 'Listen: Primary on london' });
    await button.click();
    await leg(page, PRIMARY).locator('[data-listening="playing"]').waitFor();
    await leg(page, PRIMARY).getByRole('button', { name: 'Stop' }).click();
    await button.waitFor();
  });
});

interface MeterDelays {
  /** To the bar that shows it. */
  readonly barMs: readonly number[];
  /** To the frame that brings it, at a reader that is no browser: what the agent has of it. */
  readonly frameMs: readonly number[];
}

/** From the bytes of an onset at a listener of the mount. */
async function meterDelays(page: Page, rounds: number): Promise<MeterDelays> {
  const frames = watchFrames(house.agents.london, PRIMARY, -45);
  const onsets = watchOnsets(`${house.servers.london.url}/primary`);
  const seenOf = await watchMeter(page, PRIMARY, -45);
  await wait(1_200);
  for (let round = 0; round < rounds; round += 1) {
    house.encoder1.programme.mute();
    await wait(500);
    house.encoder1.programme.play({ is: 'tone', frequencyHz: 440, levelDbfs: -20 });
    await wait(600 + round * 37);
  }
  house.encoder1.programme.unmute();
  await wait(400);
  const seen = await seenOf();
  const framed = frames.stop();
  const heard = (await onsets.stop()).filter(({ is }) => is === 'sound');
  const shown = seen.filter(({ over }) => over).map(({ atMs }) => atMs);
  const delaysIn = (times: readonly number[]) =>
    heard.flatMap(({ arrivedAtMs }) => {
      const atMs = times.find((one) => one > arrivedAtMs - 50);
      return atMs === undefined ? [] : [Math.round(atMs - arrivedAtMs)];
    });
  return { barMs: delaysIn(shown), frameMs: delaysIn(framed) };
}

/** How late this machine is with what is due now, in ms: the 80th percentile, until asked. */
function watchLateness(): () => number {
  const late: number[] = [];
  let dueMs = performance.now() + 20;
  const timer = setInterval(() => {
    late.push(Math.max(0, performance.now() - dueMs));
    dueMs = performance.now() + 20;
  }, 20);
  return () => {
    clearInterval(timer);
    return late.sort((a, b) => a - b)[Math.floor(late.length * 0.8)] ?? 0;
  };
}

/** Icecast, ffmpeg, the agent and two processes of Chromium: each waits for its turn on a machine with too much to do. */
const TURNS = 5;

interface MeterRound {
  readonly delaysMs: readonly number[];
  readonly medianMs: number;
  readonly lateMs: number;
}

async function meterRound(): Promise<MeterRound> {
  const latenessOf = watchLateness();
  const { barMs, frameMs } = await meterDelays(studio.page, 6);
  const delaysMs = barMs.toSorted((a, b) => a - b);
  const lateMs = latenessOf();
  const medianMs = delaysMs[Math.floor(delaysMs.length / 2)] ?? Number.POSITIVE_INFINITY;
  console.log(
    `meters: ${JSON.stringify(barMs)} ms after the sound, frames ${JSON.stringify(frameMs)}; the machine is ${lateMs.toFixed(1)} ms late`,
  );
  return { delaysMs, medianMs, lateMs };
}

test('the meters move within 150 ms of the sound', async () => {
  const rounds: MeterRound[] = [];
  const isInTime = ({ delaysMs, medianMs, lateMs }: MeterRound) =>
    delaysMs.length >= 4 && medianMs <= 150 + TURNS * lateMs;
  // A busy machine can only make it later.
  while (!rounds.some(isInTime) && rounds.length < 3) rounds.push(await meterRound());
  expect(rounds.some(isInTime), JSON.stringify(rounds)).toBe(true);
});

test('a forced silence shows within the trip delay, and what was done about it with the reason', async () => {
  const { page } = studio;
  await house.heal();
  await leg(page, PRIMARY).and(inTone(page, 'good')).waitFor();
  const silentAtMs = house.encoder1.programme.mute();
  house.encoder2.programme.mute();
  await leg(page, PRIMARY)
    .getByText(/^quiet for/)
    .waitFor();
  const quietMs = performance.now() - silentAtMs;
  await leg(page, PRIMARY).and(inTone(page, 'bad')).filter({ hasText: 'silent' }).waitFor();
  const faultMs = performance.now() - silentAtMs;
  console.log(`silence: quiet after ${Math.round(quietMs)} ms, a fault after ${Math.round(faultMs)} ms`);
  expect(quietMs).toBeLessThan(TRIP_MS);
  // Silence has to last for the trip delay, and then for a look to prove where it was heard; a loaded machine looks seldom.
  expect(faultMs).toBeGreaterThan(TRIP_MS);
  expect(faultMs).toBeLessThan(TRIP_MS + 5_000);
  // How long it is silent is said once: this page may have been opened in the middle of it.
  await expect
    .poll(() =>
      leg(page, PRIMARY)
        .getByText(/^quiet for/)
        .count(),
    )
    .toBe(0);
  await card(page, 'london').and(inTone(page, 'warn')).filter({ hasText: 'Autodj' }).waitFor();
  await card(page, 'london').getByText('primary on london is silent').waitFor();
  await card(page, 'dublin').filter({ hasText: 'Autodj' }).waitFor();
  const log = page.getByRole('region', { name: 'event log' });
  await log.getByText('primary on london is silent').first().waitFor();
  const hours = panel(page, 'The last hours');
  for (const server of ['Dublin', 'London']) {
    await hours.getByRole('button', { name: server }).click();
    await hours.getByRole('list', { name: 'switches' }).getByText('autodj').first().waitFor();
  }
  const incidents = page.getByRole('region', { name: 'open incidents' });
  await incidents.getByRole('button', { name: 'I look after it' }).first().waitFor();
  // In relay mode the fault itself was heard by nobody.
  await incidents
    .getByText(/^Listeners have heard: .*no dead air/)
    .first()
    .waitFor();
  await shoot(page, 'fault-dark');
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 740 });
  await wait(300);
  await expectToFit(page, 'fault-phone');
  await shoot(page, 'fault-phone', false);
  await page.setViewportSize(DESK);
  await press(page, incidents.getByRole('button', { name: 'I look after it' }).first());
  await incidents.getByText('ann looks after it').first().waitFor();
});

describe('an operator', () => {
  test('puts a source on the air, but a silent one only when that is meant', async () => {
    const { page } = studio;
    // With the keyboard alone, as what follows.
    await press(page, card(page, 'london').getByRole('button', { name: 'Put on air' }));
    await dialog(page).getByRole('radio', { name: 'Primary' }).focus();
    await page.keyboard.press('Space');
    await shoot(page, 'force', false);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await dialog(page).getByRole('alert').filter({ hasText: 'Refused' }).waitFor();
    await dialog(page).getByRole('checkbox').check();
    await dialog(page).getByRole('combobox').selectOption({ label: '5 minutes' });
    await dialog(page).getByRole('button', { name: 'Put on the air of London' }).click();
    await dialog(page).waitFor({ state: 'hidden' });
    await card(page, 'london')
      .getByText(/Put on by ann/)
      .waitFor();
    await card(page, 'london').filter({ hasText: 'Primary' }).waitFor();
    await card(page, 'london').getByRole('button', { name: 'Let go' }).click();
    await dialog(page).getByRole('button', { name: 'Let London go' }).click();
    await card(page, 'london').filter({ hasText: 'Autodj' }).waitFor();
  });

  test('holds a server for a while', async () => {
    const { page } = studio;
    await press(page, card(page, 'london').getByRole('button', { name: 'Hold' }));
    await tabTo(page, dialog(page).getByRole('combobox'));
    await page.keyboard.type('15');
    await press(page, dialog(page).getByRole('button', { name: 'Hold London' }));
    await card(page, 'london')
      .getByText(/Held by ann.* 1[45] min/)
      .waitFor();
    // The other agent knows of it, as it may have to stand in for this one.
    const heldForDublin = async () => {
      const { stations } = await stateOf(house, 'dublin');
      return stations[0]?.servers.find(({ server }) => server === 'london')?.hold ?? null;
    };
    await expect.poll(heldForDublin, { timeout: 10_000 }).toMatchObject({ author: 'ann', source: null });
    await press(page, card(page, 'london').getByRole('button', { name: 'Let go' }));
    await press(page, dialog(page).getByRole('button', { name: 'Let London go' }));
    await card(page, 'london')
      .getByText(/Held by ann/)
      .waitFor({ state: 'detached' });
    await expect.poll(heldForDublin, { timeout: 10_000 }).toBeNull();
  });

  test('plans a silence and cancels it', async () => {
    const { page } = studio;
    await press(page, panel(page, 'Planned silence').getByRole('button', { name: 'Plan …' }));
    // In the order in which Tab goes through it, as the browser's language writes days and times.
    for (const [field, keys] of [
      [dialog(page).getByLabel('Day', { exact: true }), '11082027'],
      [dialog(page).getByLabel('From'), '1100AM'],
      [dialog(page).getByLabel('Minutes'), '2'],
      [dialog(page).getByLabel('Again'), 'every year'],
      [dialog(page).getByLabel('What for'), 'Two minutes for the fallen'],
    ] as const) {
      await tabTo(page, field);
      await page.keyboard.type(keys);
    }
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    await dialog(page)
      .getByText(`every 8 November at 11:00, by the clocks of the station: ${zoneWords(timeZone)}`)
      .waitFor();
    await press(page, dialog(page).getByRole('button', { name: 'Plan it' }));
    const plan = panel(page, 'Planned silence')
      .getByRole('listitem')
      .filter({ hasText: 'Two minutes for the fallen' });
    await plan.filter({ hasText: 'every 8 November at 11:00' }).waitFor();
    await press(page, plan.getByRole('button', { name: 'Cancel: Two minutes for the fallen' }));
    await plan.waitFor({ state: 'detached' });
  });

  test('sends the world to the other server, and every page shows it', async () => {
    await house.heal();
    const dublin = await openWindow(browser, house.agents.dublin, DESK);
    await signIn(dublin.page, 'bob', house.agents.dublin.operatorToken);
    await panel(dublin.page, 'Where the world is sent').getByRole('button', { name: 'Send to' }).click();
    await dialog(dublin.page).getByRole('radio', { name: 'Dublin' }).check();
    await dialog(dublin.page).getByRole('button', { name: 'Send the world to a server' }).click();
    await card(dublin.page, 'dublin').getByText('the world is sent here').waitFor();
    await card(studio.page, 'dublin').getByText('the world is sent here').waitFor();
    expect(dublin.faults).toEqual([]);
    await dublin.close();
  });
});

describe('the page', () => {
  test('says when it is old, and comes back by itself', async () => {
    const { page } = studio;
    const old = page.getByRole('alert').filter({ hasText: 'What you see is old' });
    await house.agents.london.kill();
    await old.waitFor({ timeout: 30_000 });
    await shoot(page, 'old', false);
    expect(await accessibilityFaults(page)).toEqual([]);
    await house.agents.london.start();
    await old.waitFor({ state: 'detached' });
    // What was there before is there again, from the history.
    const hours = () =>
      page.evaluate(async () => {
        const answer = await fetch('/api/v1/stations/myfm/loudness?lastMs=900000&points=900');
        return (await answer.json()) as LoudnessView;
      });
    await expect
      .poll(
        async () => (await hours()).switches.filter(({ event }) => event.kind === 'relay-switched').length,
        { timeout: 30_000 },
      )
      .toBeGreaterThan(1);
    const ofPrimary = (await hours()).series.find(({ channel }) => channel === PRIMARY);
    expect(ofPrimary?.conditions).toMatch(/a.*f.*a/);
    const log = page.getByRole('region', { name: 'event log' });
    await log.getByText('primary on london is silent').first().waitFor();
    await leg(page, PRIMARY).filter({ hasText: 'sounding' }).waitFor();
    await expect
      .poll(() => page.locator('.meter:not(.deaf)').count(), { timeout: 30_000 })
      .toBeGreaterThan(0);
  });

  test('says in its largest word when the public mount is not fed, and moves no meter there', async () => {
    const { page } = studio;
    await page.route('**/api/v1/state*', async (route) => {
      const answer = await route.fetch();
      const state = (await answer.json()) as AgentView;
      const stations = state.stations.map((station) => {
        const { relay } = station;
        if (relay === null) return station;
        const outputs = relay.outputs.map((one) => ({ ...one, state: 'no-sound' as const, rebuilds: 3 }));
        return { ...station, relay: { ...relay, outputs } };
      });
      await route.fulfill({ response: answer, json: { ...state, stations } });
    });
    // More switches than there is room for: the list scrolls.
    await page.route('**/loudness*', async (route) => {
      const answer = await route.fetch();
      const loudness = (await answer.json()) as LoudnessView;
      const switches = Array.from({ length: 12 }, () => loudness.switches).flat();
      await route.fulfill({ response: answer, json: { ...loudness, switches } });
    });
    const down = card(page, 'london').and(inTone(page, 'bad')).filter({ hasText: 'Stream down' });
    await down.getByText('no sound goes to /stream now').waitFor();
    await leg(page, '/stream@london').locator('[data-output="no-sound"]').waitFor();
    const switches = panel(page, 'The last hours').getByRole('list', { name: 'switches' });
    await expect.poll(() => switches.getByRole('listitem').count(), { timeout: 30_000 }).toBeGreaterThan(11);
    for (const [name, colorScheme, width, height] of [
      ['down-light', 'light', 1920, 1080],
      ['down-phone', 'dark', 360, 740],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await expectToFit(page, name);
      expect(await accessibilityFaults(page), name).toEqual([]);
      await shoot(page, name, false);
    }
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(DESK);
    await page.unrouteAll({ behavior: 'wait' });
    await leg(page, '/stream@london').locator('[data-output="feeding"]').waitFor();
  });

  test('says so when one is signed out without having asked for it', async () => {
    const other = await openWindow(browser, house.agents.london, DESK);
    await signIn(other.page, 'bob', house.agents.london.operatorToken);
    await card(other.page, 'london').waitFor();
    await other.page.context().clearCookies();
    const why = other.page.getByRole('status').filter({ hasText: 'You were signed out' });
    await why.waitFor();
    expect(await accessibilityFaults(other.page)).toEqual([]);
    await signIn(other.page, 'bob', house.agents.london.operatorToken);
    await card(other.page, 'london').waitFor();
    // What was asked before signing out, and is refused after it, is no news.
    const late = await new Promise<Route>(
      (hold) => void other.page.route('**/api/v1/state*', hold, { times: 1 }),
    );
    await other.page.getByRole('button', { name: 'Sign out' }).click();
    await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    const refused = other.page.waitForResponse('**/api/v1/state*');
    await late.continue();
    expect((await refused).status()).toBe(401);
    expect(await other.page.getByRole('heading', { name: 'Sign in' }).count()).toBe(1);
    expect(await why.count()).toBe(0);
    await other.close();
  });

  test('shows the witnesses and how the cluster stands', async () => {
    const { page } = studio;
    await page.route('**/api/v1/state*', async (route) => {
      const answer = await route.fetch();
      const state = (await answer.json()) as AgentView;
      const agents = [
        { agent: 'york', seenAgoMs: 900 },
        { agent: 'leeds', seenAgoMs: 70_000 },
      ];
      const cluster = { link: 'no-majority', reason: 'nobody answers' } as const;
      const dns = state.dns === null ? null : { ...state.dns, agents, cluster, lease: 'theirs' as const };
      await route.fulfill({ response: answer, json: { ...state, dns } });
    });
    const agents = panel(page, 'Agents');
    await agents
      .locator('[data-agent="york"]')
      .filter({ hasText: /York alive\s*a witness/ })
      .waitFor();
    await agents.locator('[data-agent="leeds"]').filter({ hasText: 'silent for 70 s' }).waitFor();
    await agents
      .locator('[data-cluster="no-majority"]')
      .filter({ hasText: 'Cluster: connected, but without a majority (nobody answers)' })
      .waitFor();
    await agents.getByText('When the cluster was last heard: another agent has the right').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.unrouteAll({ behavior: 'wait' });
  });

  test('had no script fail, asked no other host, and was stopped by no policy', () => {
    expect(studio.faults).toEqual([]);
  });
});
