import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
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
import { watchOnsets } from './onsets.ts';
import { alertsOf, story, wait } from './station.ts';

const PRIMARY = 'myfm/primary@london';
const TITLE = '<img src=x onerror="window.hacked=1">';

let house: House;
let browser: Browser;
let studio: Window;

beforeAll(async () => {
  [house, browser] = await Promise.all([
    startHouse({
      hosts: ['127.0.0.63', '127.0.0.64'],
      mode: 'relay',
      processing: true,
      dns: 'powerdns',
      silence: '{ threshold: -50 dBFS, trip: 3s, restore: 5s }',
    }),
    startBrowser(),
  ]);
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

describe('the door', () => {
  test('lets nobody in with a wrong password, and is for everybody to use', async () => {
    studio = await openWindow(browser, house.agents.london);
    const { page } = studio;
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await signIn(page, 'ann', 'not the password');
    await page.getByRole('alert').filter({ hasText: 'name or password is wrong' }).waitFor();
    await shoot(page, 'signed-out');
    await signIn(page, 'ann', house.agents.london.operatorToken);
    await card(page, 'london').waitFor();
  });
});

describe('what is on air', () => {
  test('is there for every server at one glance, in dark and light, on a phone and on a wall', async () => {
    const { page } = studio;
    await card(page, 'london')
      .and(page.locator('[data-tone="good"]'))
      .filter({ hasText: 'Primary' })
      .waitFor();
    await card(page, 'dublin')
      .and(page.locator('[data-tone="good"]'))
      .filter({ hasText: 'Primary' })
      .waitFor();
    await page.getByRole('status').filter({ hasText: 'Primary is on air on London and Dublin' }).waitFor();
    await wait(2_000);
    expect(await accessibilityFaults(page)).toEqual([]);
    await shoot(page, 'well-dark');
    const like = page.context();
    for (const [name, options] of [
      ['well-light', { colours: 'light' }],
      ['well-phone', { colours: 'dark', width: 360, height: 740 }],
      ['well-wall', { colours: 'dark', width: 3840, height: 2160 }],
    ] as const) {
      const other = await openWindow(browser, house.agents.london, { ...options, like });
      await leg(other.page, PRIMARY).filter({ hasText: 'sounding' }).waitFor();
      await wait(1_500);
      expect(await overflow(other.page), name).toBeLessThanOrEqual(0);
      if (name === 'well-light') expect(await accessibilityFaults(other.page)).toEqual([]);
      await shoot(other.page, name, name !== 'well-wall');
      expect(other.faults).toEqual([]);
      await other.close();
    }
  });

  test('a title is text, whatever it looks like', async () => {
    const { page } = studio;
    const query = new URLSearchParams({ mount: '/primary', mode: 'updinfo', song: TITLE });
    const told = await house.servers.london.askAdmin(`/admin/metadata?${query}`);
    expect(told.status).toBe(200);
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

describe('the meters', () => {
  test('move within 150 ms of the sound', async () => {
    const { page } = studio;
    const onsets = watchOnsets(`${house.servers.london.url}/primary`);
    const seenOf = await watchMeter(page, PRIMARY, -45);
    await wait(1_500);
    for (let round = 0; round < 5; round += 1) {
      house.encoder1.programme.mute();
      await wait(700);
      house.encoder1.programme.play({ is: 'tone', frequencyHz: 440, levelDbfs: -20 });
      await wait(900);
    }
    house.encoder1.programme.unmute();
    await wait(500);
    const seen = await seenOf();
    const heard = await onsets.stop();
    const delays = heard.flatMap(({ is, arrivedAtMs }) => {
      const shown = seen.find(({ over, atMs }) => over === (is === 'sound') && atMs > arrivedAtMs - 50);
      return shown === undefined ? [] : [{ is, ms: Math.round(shown.atMs - arrivedAtMs) }];
    });
    console.log('delays', JSON.stringify(delays));
  });
});

describe('a forced silence', () => {
  test('shows within the trip delay, with its reason, on the card, in the log and in the plot', async () => {
    const { page } = studio;
    await house.heal();
    await leg(page, PRIMARY).and(page.locator('[data-tone="good"]')).waitFor();
    const silentAtMs = house.encoder1.programme.mute();
    house.encoder2.programme.mute();
    await leg(page, PRIMARY).and(page.locator('[data-tone="bad"]')).filter({ hasText: 'silent' }).waitFor();
    const shownAfterMs = performance.now() - silentAtMs;
    console.log('silence shown after', shownAfterMs);
    await card(page, 'london')
      .filter({ hasText: 'Autodj' })
      .and(page.locator('[data-tone="warn"]'))
      .waitFor();
    await card(page, 'dublin').filter({ hasText: 'Autodj' }).waitFor();
    await page
      .getByRole('region', { name: 'event log' })
      .getByText('myfm/primary@london is silent')
      .first()
      .waitFor();
    await page
      .getByRole('list', { name: 'switches' })
      .getByText('autodj')
      .first()
      .waitFor({ timeout: 15_000 });
    const incident = page.getByRole('region', { name: 'open incidents' });
    await incident.waitFor();
    await shoot(page, 'fault-dark');
    expect(await accessibilityFaults(page)).toEqual([]);
    await incident.getByRole('button', { name: 'I look after it' }).first().click();
    await incident.getByText('ann looks after it').first().waitFor();
    const phone = await openWindow(browser, house.agents.london, {
      width: 360,
      height: 740,
      like: page.context(),
    });
    await card(phone.page, 'london').filter({ hasText: 'Autodj' }).waitFor();
    await wait(1_000);
    expect(await overflow(phone.page)).toBeLessThanOrEqual(0);
    await shoot(phone.page, 'fault-phone');
    await phone.close();
  });
});

describe('an operator', () => {
  const dialog = (page: Page) => page.getByRole('dialog');

  test('puts a source on the air, but a silent one only when that is meant', async () => {
    const { page } = studio;
    // With the keyboard alone.
    await card(page, 'london').getByRole('button', { name: 'Put on air' }).focus();
    await page.keyboard.press('Enter');
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
    await card(page, 'london').getByText(/held/).waitFor({ state: 'detached' });
    await card(page, 'london').filter({ hasText: 'Autodj' }).waitFor();
  });

  test('holds a server for a while', async () => {
    const { page } = studio;
    await card(page, 'london').getByRole('button', { name: 'Hold' }).click();
    await dialog(page).getByRole('combobox').selectOption({ label: '15 minutes' });
    await dialog(page).getByRole('button', { name: 'Hold London' }).click();
    await card(page, 'london')
      .getByText(/Held by ann.*14 min|Held by ann.*15 min/)
      .waitFor();
    await card(page, 'london').getByRole('button', { name: 'Let go' }).click();
    await dialog(page).getByRole('button', { name: 'Let London go' }).click();
    await card(page, 'london')
      .getByText(/Held by ann/)
      .waitFor({ state: 'detached' });
  });

  test('sends the world to the other server', async () => {
    const { page } = studio;
    await house.heal();
    const dns = page.locator('section', {
      has: page.getByRole('heading', { name: 'Where the world is sent' }),
    });
    await dns.getByRole('button', { name: 'Send to' }).click();
    await dialog(page).getByRole('radio', { name: 'Dublin' }).check();
    await dialog(page).getByRole('combobox').selectOption({ label: '5 minutes' });
    await dialog(page).getByRole('button', { name: 'Send the world to a server' }).click();
    await card(page, 'dublin').getByText('the world is sent here').waitFor();
  });
});

describe('the page', () => {
  test('says when it is old, and comes back by itself', async () => {
    const { page } = studio;
    await house.agents.london.kill();
    await page.getByRole('alert').filter({ hasText: 'What you see is old' }).waitFor({ timeout: 10_000 });
    await shoot(page, 'old', false);
    await house.agents.london.start();
    await page.getByRole('alert').filter({ hasText: 'What you see is old' }).waitFor({ state: 'detached' });
    await leg(page, PRIMARY).filter({ hasText: 'sounding' }).waitFor();
    await expect
      .poll(() => page.locator('.meter:not(.deaf)').count(), { timeout: 10_000 })
      .toBeGreaterThan(0);
  });

  test('had no script fail, asked no other host, and was stopped by no policy', () => {
    expect(studio.faults).toEqual([]);
    void alertsOf;
  });
});
