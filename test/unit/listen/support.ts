import type { MonitorId } from '../../../src/domain/ids.ts';
import type { Link } from '../../../src/domain/readings.ts';
import type { MonitorHandlers } from '../../../src/listen/monitor.ts';
import type { Random } from '../../../src/platform/random.ts';

/** Chance that comes out the same in every run: the middle of every range, and tokens that count up. */
export function countingRandom(): Random {
  let count = 0;
  return {
    next: () => 0.5,
    token: (bytes) => {
      count += 1;
      return count.toString(16).padStart(bytes * 2, '0');
    },
  };
}

/** Remembers what a monitor told. */
export function recorder() {
  const links: Link[] = [];
  const titles: (string | null)[] = [];
  const bytesOf = new Map<MonitorId, number>();
  const handlers: MonitorHandlers = {
    link: (link) => links.push(link),
    bytes: (chunk, monitor) => bytesOf.set(monitor, (bytesOf.get(monitor) ?? 0) + chunk.length),
    title: ({ title }) => titles.push(title),
  };
  return {
    handlers,
    links,
    titles,
    bytesOf,
    states: () => links.map((link) => link.is),
    totalBytes: () => [...bytesOf.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}
