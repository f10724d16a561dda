import { describe, expect, test } from 'vitest';
import type { SoundHandlers } from '../../../src/web/routes/hear.ts';
import { startTestWeb } from './support.ts';

const PATH = '/api/v1/stations/myfm/hear?server=london&mount=%2Fprimary';

/** A mount that says what the test wants; `hungUp` counts those who left. */
async function startWithMount(play: (handlers: SoundHandlers) => void) {
  const counts = { asked: [] as string[], hungUp: 0 };
  const test = await startTestWeb(
    {},
    {
      hear(station, server, mount, handlers) {
        counts.asked.push(`${station} ${server} ${mount}`);
        setImmediate(() => play(handlers));
        return () => {
          counts.hungUp += 1;
        };
      },
    },
  );
  return { ...test, counts };
}

describe('listening to a mount through the agent', () => {
  test('gives its sound as it comes, and hangs up with the listener', async () => {
    const { get, counts } = await startWithMount((handlers) => {
      handlers.opened('audio/mpeg');
      handlers.bytes(Buffer.from('sound'));
    });
    const answer = await get(PATH, 'Bearer see');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('sound');
    await reader?.cancel();
    await expect.poll(() => counts.hungUp, { timeout: 10_000 }).toBe(1);
    expect(counts.asked).toEqual(['myfm london /primary']);
  });

  test('is for those who may look', async () => {
    const { get, counts } = await startWithMount(() => undefined);
    expect((await get(PATH)).status).toBe(401);
    expect(counts.asked).toEqual([]);
  });

  test('says that there is no such mount, or why it gives nothing', async () => {
    const { get } = await startTestWeb();
    expect((await get(PATH, 'Bearer see')).status).toBe(404);
    expect((await get('/api/v1/stations/myfm/hear?server=london', 'Bearer see')).status).toBe(400);
    const broken = await startWithMount((handlers) => handlers.failed('mount-not-found'));
    const answer = await broken.get(PATH, 'Bearer see');
    expect(answer.status).toBe(502);
    expect(await answer.json()).toEqual({ error: 'london/primary: mount-not-found' });
  });

  test('ends for whoever fetches nothing, so that nothing is kept for them', async () => {
    let timer: NodeJS.Timeout | undefined;
    const { get, counts } = await startWithMount((handlers) => {
      handlers.opened('audio/mpeg');
      timer = setInterval(() => handlers.bytes(Buffer.alloc(256 * 1024)), 5);
    });
    const answer = await get(PATH, 'Bearer see');
    expect(answer.status).toBe(200);
    await expect.poll(() => counts.hungUp, { timeout: 10_000 }).toBe(1);
    clearInterval(timer);
  });

  test('is for twenty at once', async () => {
    const { get } = await startWithMount((handlers) => {
      handlers.opened('audio/mpeg');
      handlers.bytes(Buffer.from('sound'));
    });
    const all = await Promise.all(Array.from({ length: 20 }, () => get(PATH, 'Bearer see')));
    expect(all.every(({ status }) => status === 200)).toBe(true);
    expect((await get(PATH, 'Bearer see')).status).toBe(503);
    await all[0]?.body?.cancel();
    await expect.poll(async () => (await get(PATH, 'Bearer see')).status, { timeout: 5_000 }).toBe(200);
  });
});
