import { readFileSync } from 'node:fs';

/** A started program has used more CPU than this before it can be blamed for anything, in ticks of 10 ms. */
const STARTED_TICKS = 2;

/**
 * True when a process had no chance to work: stopped by a signal, or hardly scheduled since its start.
 * Only Linux says; elsewhere, and for a process that is gone, the answer is false.
 */
export function hadNoChance(pid: number): boolean {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return false;
  }
  // The name in parentheses may hold anything, so the fields are counted from its end: state is the first of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  return state === 'T' || state === 't' || cpuTicks <= STARTED_TICKS;
}
