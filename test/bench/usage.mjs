// What a tree of processes costs, by /proc: CPU over a window, memory at its end.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

const MS_PER_TICK = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const KIB_PER_MIB = 1024;

/**
 * @typedef {{ pid: number, parent: number, name: string, ownMs: number, reapedMs: number }} ProcessTimes
 * @typedef {{ rss: number, pss: number, private: number }} MemoryMib
 * @typedef {{ windowMs: number, core: number, nodeCore: number, otherCore: number, changed: number }} Cpu
 * @typedef {Cpu & { memory: MemoryMib }} Usage
 */

/** @returns {ProcessTimes | null} null when the process is gone */
function timesOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const nameEnd = stat.lastIndexOf(')');
    const fields = stat.slice(nameEnd + 2).split(' ');
    const ms = (index) => Number(fields[index]) * MS_PER_TICK;
    return {
      pid,
      parent: Number(fields[1]),
      name: stat.slice(stat.indexOf('(') + 1, nameEnd),
      ownMs: ms(11) + ms(12),
      reapedMs: ms(13) + ms(14),
    };
  } catch {
    return null;
  }
}

/** @returns {ProcessTimes[]} the processes given and all below them */
function treeOf(roots) {
  const everything = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => timesOf(Number(name)))
    .filter((times) => times !== null);
  const inTree = new Set(roots);
  for (let before = 0; before !== inTree.size; ) {
    before = inTree.size;
    for (const { pid, parent } of everything) if (inTree.has(parent)) inTree.add(pid);
  }
  return everything.filter(({ pid }) => inTree.has(pid));
}

/** Work of the whole machine so far, in ms of CPU. */
function machineMs() {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * MS_PER_TICK;
}

/**
 * Of the processes given and all below them. Read in the background: walking through the pages of many processes takes
 * long enough for the feeder, which lives in this process, to fall behind.
 *
 * @returns {Promise<MemoryMib>}
 */
export async function measureMemory(roots) {
  const sum = { rss: 0, pss: 0, private: 0 };
  for (const { pid } of treeOf(roots)) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    const mib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / KIB_PER_MIB;
    sum.rss += mib('Rss');
    sum.pss += mib('Pss');
    sum.private += mib('Private_Dirty');
  }
  return sum;
}

const sumOf = (tree, amountOf) => tree.reduce((sum, one) => sum + amountOf(one), 0);

/**
 * Measures the processes below `roots` (those included) for a while. Cores are percent of one core. A child that ends in
 * the window is counted in what its parent has reaped, so nothing is lost, and `changed` says that it happened.
 *
 * @returns {Promise<Cpu>}
 */
export async function measureCpu(roots, windowMs) {
  const machineBefore = machineMs();
  const before = treeOf(roots);
  const fromMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, windowMs));
  const after = treeOf(roots);
  const tookMs = performance.now() - fromMs;
  const machineAfter = machineMs();

  const percent = (ms) => (100 * ms) / tookMs;
  const spent = (amountOf) => sumOf(after, amountOf) - sumOf(before, amountOf);
  const ofNode = ({ name, ownMs }) => (name === 'node' || name === 'MainThread' ? ownMs : 0);
  const core = percent(spent(({ ownMs, reapedMs }) => ownMs + reapedMs));
  const pidsBefore = new Set(before.map(({ pid }) => pid));
  const kept = after.filter(({ pid }) => pidsBefore.has(pid)).length;
  return {
    windowMs: tookMs,
    core,
    nodeCore: percent(spent(ofNode)),
    otherCore: percent(machineAfter - machineBefore) - core,
    changed: before.length - kept + (after.length - kept),
  };
}
