import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface ProcessSeen {
  readonly pid: number;
  readonly state: string;
  readonly name: string;
}

/** Our direct children, zombies included, as Linux lists them for each of our threads. */
export function childrenOfOurs(): ProcessSeen[] {
  const pids = readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').map(Number),
  );
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      return [{ pid, state: stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3), name }];
    } catch {
      // The end of the list, or it ended while we looked.
      return [];
    }
  });
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
export async function until(isSo: () => boolean, withinMs = 60_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function misbehaving(name: string, kind: 'mjs' | 'sh' = 'mjs'): string {
  return fileURLToPath(new URL(`../../../fixtures/children/${name}.${kind}`, import.meta.url));
}
