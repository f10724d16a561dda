import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longest-first.ts';

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 20_000, hookTimeout: 60_000, ...extra },
});

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      // What waits for processes of its own takes long on a loaded machine, and a limit is there for what hangs.
      project('unit', { include: ['test/unit/**/*.test.ts', 'test/*.test.ts'], testTimeout: 120_000 }),
      // Beside the e2e tests these run only where nothing else wants to.
      project('scenario', { testTimeout: 600_000 }),
      project('native', { testTimeout: 600_000, hookTimeout: 600_000 }),
      // Real parts on loopback addresses and free ports.
      project('e2e', { testTimeout: 300_000, hookTimeout: 240_000 }),
      // Minutes each; not part of `npm test`, see CONTRIBUTING.md.
      project('long', { testTimeout: 900_000, hookTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
