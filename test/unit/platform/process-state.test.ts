import { expect, it } from 'vitest';
import { startChild } from '../../../src/platform/child.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { lookAtProcess } from '../../../src/platform/process-state.ts';
import { misbehaving, until } from './processes.ts';

it('a process is seen to wait, to be stopped, to run in circles, or to be gone', async () => {
  const waits = startChild({ command: process.execPath, args: [misbehaving('forever')], clock: systemClock });
  const circles = startChild({ command: misbehaving('runs-in-circles', 'sh'), args: [], clock: systemClock });
  await until(() => waits.stderrTail().includes('ready'));
  await until(() => lookAtProcess(waits.pid ?? 0) === 'waiting');
  await until(() => lookAtProcess(circles.pid ?? 0) === 'starved');
  waits.kill('SIGSTOP');
  await until(() => lookAtProcess(waits.pid ?? 0) === 'stopped');
  await Promise.all([waits.stop(), circles.stop()]);
  expect(lookAtProcess(waits.pid ?? 0)).toBe('gone');
});
