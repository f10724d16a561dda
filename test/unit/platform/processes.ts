import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessSeen {
  readonly pid: number;
  readonly state: string;
  readonly name: string;
}

/** Our direct children, zombies included, as Linux sees them. */
export function childrenOfOurs(): ProcessSeen[] {
  const seen: ProcessSeen[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) !== process.pid) continue;
      seen.push({
        pid: Number(entry),
        state,
        name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      });
    } catch {
      // It ended while we looked.
    }
  }
  return seen;
}

/** A zombie is dead; who has to reap it is another matter. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

export function openFds(): number {
  return readdirSync('/proc/self/fd').length;
}

export function rssMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

/** Polls until it is so; the test's own time limit ends a wait in vain. */
export async function until(isSo: () => boolean, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function misbehaving(name: string): string {
  return new URL(`../../../fixtures/children/${name}.mjs`, import.meta.url).pathname;
}
