import { readFileSync } from 'node:fs';

/**
 * Why a process may be doing nothing for us. `stopped`: by a signal. `starved`: it would run, but gets no CPU or no disk
 * (or it runs in circles). `waiting`: it has done what it could and waits for somebody. `gone`: it is dead.
 */
export type ProcessState = 'stopped' | 'starved' | 'waiting' | 'gone';

/** A program that has used no more CPU than this is still being started; in ticks of 10 ms. */
const STARTED_TICKS = 2;

/** Only Linux says; elsewhere the answer is `waiting`. */
export function lookAtProcess(pid: number): ProcessState {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return process.platform === 'linux' ? 'gone' : 'waiting';
  }
  // The name in parentheses may hold anything, so the fields are counted from its end: state is the first of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  if (state === 'Z' || state === 'X') return 'gone';
  if (state === 'T' || state === 't') return 'stopped';
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  return state === 'R' || state === 'D' || cpuTicks <= STARTED_TICKS ? 'starved' : 'waiting';
}
