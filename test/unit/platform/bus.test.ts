import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createBus } from '../../../src/platform/bus.ts';

type Events = { level: number; title: string };

function busWithLog() {
  const lines: string[] = [];
  const bus = createBus<Events>(pino({}, { write: (line: string) => lines.push(line) }));
  return { bus, lines };
}

describe('the bus', () => {
  it('brings an event to those who listen to it, until they stop', () => {
    const { bus } = busWithLog();
    const heard: number[] = [];
    const stop = bus.on('level', (level) => {
      heard.push(level);
    });
    bus.emit('level', 1);
    bus.emit('title', 'x');
    stop();
    stop();
    bus.emit('level', 2);
    expect(heard).toEqual([1]);
  });

  it('goes on to the others when a listener throws, and says it in the log', () => {
    const { bus, lines } = busWithLog();
    const heard: string[] = [];
    bus.on('title', () => {
      throw new Error('no room');
    });
    bus.on('title', (title) => {
      heard.push(title);
    });
    expect(() => bus.emit('title', 'news')).not.toThrow();
    expect(heard).toEqual(['news']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('no room');
  });

  it('survives a listener that fails later', async () => {
    const { bus, lines } = busWithLog();
    bus.on('title', async () => {
      await Promise.resolve();
      throw new Error('too late');
    });
    bus.emit('title', 'news');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lines[0]).toContain('too late');
  });

  it('lets a listener go away while it is being told', () => {
    const { bus } = busWithLog();
    const heard: string[] = [];
    const stop = bus.on('title', () => {
      heard.push('first');
      stop();
    });
    bus.on('title', () => {
      heard.push('second');
    });
    bus.emit('title', 'a');
    bus.emit('title', 'b');
    expect(heard).toEqual(['first', 'second', 'second']);
    bus.close();
    bus.emit('title', 'c');
    expect(heard).toHaveLength(3);
  });
});
