import { readFileSync } from 'node:fs';

/**
 * Why a process may be doing nothing for us. `stopped`: by a signal. `starved`: it would run, but gets no CPU or no disk
 * (or it runs in circles). `waiting`: it has done what it could and waits for somebody. `gone`: it is dead.
 */
export type ProcessState = 'stopped' | 'starved' | 'waiting' | 'gone';

/** A program that has used no more CPU than this is still being started; in ticks of 10 ms. */
const STARTED_TICKS = 2;

const TICK_MS = 10;

interface Stat {
  readonly state: string;
  readonly cpuTicks: number;
}

/** Null where there is none to be read. */
function statOf(pid: number): Stat | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The name in parentheses may hold anything, so the fields are counted from its end: state is the first of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', cpuTicks: Number(fields[11]) + Number(fields[12]) };
}

/** Only Linux says; elsewhere the answer is `waiting`. */
export function lookAtProcess(pid: number): ProcessState {
  const stat = statOf(pid);
  if (stat === null) return process.platform === 'linux' ? 'gone' : 'waiting';
  const { state, cpuTicks } = stat;
  if (state === 'Z' || state === 'X') return 'gone';
  if (state === 'T' || state === 't') return 'stopped';
  return state === 'R' || state === 'D' || cpuTicks <= STARTED_TICKS ? 'starved' : 'waiting';
}

/** The CPU time that it has used; 0 where that is not told. */
export function cpuTimeMs(pid: number): number {
  return (statOf(pid)?.cpuTicks ?? 0) * TICK_MS;
}
