/// <reference lib="dom" />
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { AgentProcess } from '../../src/demo/agent-process.ts';

const OUTPUT = fileURLToPath(new URL('../output/dashboard/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUM = process.env['SUSTAIN_CHROMIUM'] ?? '/usr/bin/chromium';

export function startBrowser(): Promise<Browser> {
  // Root, as in a container, may not use Chromium's own sandbox; it opens nothing but our own page.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: CHROMIUM, args: asRoot });
}

/** One browser window at an agent's page, and everything that went wrong in it. */
export interface Window {
  readonly page: Page;
  /** Scripts that failed, and what the page's own policy stopped. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

export interface WindowOptions {
  readonly colours?: 'dark' | 'light';
  readonly width?: number;
  readonly height?: number;
  /** Whose cookies it has. */
  readonly like?: BrowserContext;
}

export async function openWindow(
  browser: Browser,
  agent: AgentProcess,
  options: WindowOptions = {},
): Promise<Window> {
  const { colours = 'dark', width = 1440, height = 900, like } = options;
  const context = await browser.newContext({
    colorScheme: colours,
    viewport: { width, height },
    ...(like === undefined ? {} : { storageState: await like.storageState() }),
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(`policy: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(agent.webUrl).origin)
      faults.push(`asked elsewhere: ${request.url()}`);
  });
  await page.goto(agent.webUrl);
  return { page, faults, close: () => context.close() };
}

export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password or token').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** For people to look at, after the test: test/output/dashboard/. */
export async function shoot(page: Page, name: string, fullPage = true): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage });
}

/** What axe has against the page as it is now, by the rules of WCAG 2.2 A and AA; empty for nothing. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Evaluated by the browser's own tools, it isn't stopped by the page's policy.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(options: object): Promise<{
          violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes
          .slice(0, 3)
          .map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.replaceAll('\n', ' ')}`)
          .join(' | ')}`,
    );
  });
}

/** How far the page is wider than its window, in CSS pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** When a leg's meter went over and under a level, on this process's monotonic clock, until asked. */
export async function watchMeter(page: Page, channel: string, thresholdDb: number) {
  await page.evaluate(
    ([name, threshold]) => {
      const bar = document.querySelector<HTMLElement>(`[data-leg="${name}"] .rms`);
      if (bar === null) throw new Error(`${name} has no meter`);
      const seen: { over: boolean; unixMs: number }[] = [];
      Object.assign(window, { meterSeen: seen });
      let before: boolean | null = null;
      // Told of each change as it is made: to look each time a picture is made would keep the browser busy, and see it late.
      const look = () => {
        const hiddenPercent = Number(/inset\(0p?x? ([\d.]+)%/.exec(bar.style.clipPath)?.[1] ?? 100);
        const over = -60 * (hiddenPercent / 100) > Number(threshold);
        if (before !== null && over !== before)
          seen.push({ over, unixMs: performance.timeOrigin + performance.now() });
        before = over;
      };
      new MutationObserver(look).observe(bar, { attributeFilter: ['style'] });
      look();
    },
    [channel, thresholdDb] as const,
  );
  return async (): Promise<readonly { over: boolean; atMs: number }[]> => {
    const seen = await page.evaluate(
      () => (window as unknown as { meterSeen: { over: boolean; unixMs: number }[] }).meterSeen,
    );
    return seen.map(({ over, unixMs }) => ({ over, atMs: unixMs - performance.timeOrigin }));
  };
}
