import { afterEach, expect, test, vi } from 'vitest';
import { demo } from '../../../src/demo/demo.ts';

afterEach(() => vi.restoreAllMocks());

test.each([
  [{ mode: 'gaurd' }, 'There is no mode gaurd; there are guard, relay, dns.'],
  [{ tour: true, only: 'silense' }, 'There is no scenario silense'],
  [{ json: true }, '--json is for a tour: write --tour too.'],
  [{ markdown: true }, '--markdown is for a tour: write --tour too.'],
  [{ only: 'silence' }, '--only is for a tour: write --tour too.'],
])('a demo with %o is refused before anything starts', async (options, says) => {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  expect(await demo(options)).toBe(2);
  expect(said.join('')).toContain(says);
});
