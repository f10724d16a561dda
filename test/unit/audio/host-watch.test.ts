import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { HostWatch } from '../../../src/audio/host-watch.ts';
import { wait } from './decoders.ts';

const EVERY_MS = 100;
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that has been at work, and now does this. */
async function running(then: string): Promise<number> {
  const work = 'const end = Date.now() + 100; while (Date.now() < end); console.log("on");';
  const child = spawn(process.execPath, ['-e', `${work} ${then}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  if (child.stdout === null || child.pid === undefined) throw new Error('not started');
  await once(child.stdout, 'data');
  await wait(100);
  return child.pid;
}

const asleep = () => running('setInterval(() => {}, 1e6);');
const busy = () => running('for (;;);');

/** After how many ms of looks it is to be replaced, and why; null when it isn't within 20 s. */
function verdict(pid: number, stepMs = EVERY_MS, isOwed = true) {
  const watch = new HostWatch(EVERY_MS, 0);
  for (let nowMs = stepMs; nowMs <= 20_000; nowMs += stepMs) {
    const because = watch.look(pid, isOwed, nowMs);
    if (because !== null) return { nowMs, because };
  }
  return null;
}

describe('a process that owes an answer', () => {
  it('and was stopped is replaced after half a second', async () => {
    const pid = await asleep();
    process.kill(pid, 'SIGSTOP');
    await wait(50);
    expect(verdict(pid)).toMatchObject({
      nowMs: 500,
      because: expect.stringContaining('stopped by a signal'),
    });
  });

  it('and sleeps is replaced after a second', async () => {
    expect(verdict(await asleep())).toMatchObject({
      nowMs: 1_000,
      because: expect.stringContaining('did nothing any more'),
    });
  });

  it('and is at work without end is given 10 s, or 3 s of CPU', async () => {
    const pid = await busy();
    expect(verdict(pid)).toMatchObject({ nowMs: 10_000, because: expect.stringContaining('no CPU') });
    const watch = new HostWatch(EVERY_MS, 0);
    for (let nowMs = EVERY_MS; nowMs <= 600; nowMs += EVERY_MS)
      expect(watch.look(pid, true, nowMs)).toBe(null);
    let because: string | null = null;
    while (because === null) {
      await wait(250);
      because = watch.look(pid, true, 700);
    }
    expect(because).toContain('ran in circles');
  });

  it('is not judged by a minute in which we did not run ourselves', async () => {
    const watch = new HostWatch(EVERY_MS, 0);
    const pid = await asleep();
    for (const nowMs of [100, 60_100, 120_100]) expect(watch.look(pid, true, nowMs)).toBe(null);
    watch.answered();
    for (const nowMs of [180_100, 240_100]) expect(watch.look(pid, true, nowMs)).toBe(null);
  });
});

it('a process that owes nothing may sleep as long as it likes', async () => {
  expect(verdict(await asleep(), EVERY_MS, false)).toBe(null);
});
