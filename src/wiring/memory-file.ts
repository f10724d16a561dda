import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type Memory, noMemory } from '../decide/state.ts';
import { type StationName, sourceName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

const source = z.string().transform(sourceName);
const savedSchema = z.object({
  savedAt: z.iso.datetime(),
  desks: z.record(
    z.string(),
    z.object({
      onAir: source.nullable(),
      away: z.array(source),
      hold: z.object({ author: z.string(), remainingMs: z.number(), source: source.nullable() }).nullable(),
    }),
  ),
});

export interface MemoryFile {
  load(): Promise<Memory>;
  /** Writes beside the file and renames, so that a crash leaves the old one or the new one, never half of it. */
  save(memory: Memory): Promise<void>;
}

/** What one station's decisions need over a restart. Without it the agent works too; it only knows less at the start. */
export function memoryFile(directory: string, station: StationName, clock: Clock, log: Logger): MemoryFile {
  const path = join(directory, `${station}.json`);
  let complained = false;
  let newest: Memory | null = null;
  let writing: Promise<void> | null = null;

  /** One write at a time, as all of them go through the same new file; of those that wait only the newest counts. */
  const writeAll = async (): Promise<void> => {
    while (newest !== null) {
      const { desks } = newest;
      newest = null;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const text = JSON.stringify({ savedAt: clock.wallTime().toISOString(), desks });
        await writeFile(`${path}.new`, text, { mode: 0o600 });
        await rename(`${path}.new`, path);
        complained = false;
      } catch (thrown) {
        if (!complained)
          log.error({ path, err: messageOf(thrown) }, 'cannot remember over a restart; deciding goes on');
        complained = true;
      }
    }
    writing = null;
  };

  return {
    async load() {
      try {
        const saved = savedSchema.parse(JSON.parse(await readFile(path, 'utf8')));
        const ageMs = Math.max(0, clock.wallTime().getTime() - Date.parse(saved.savedAt));
        const desks = Object.fromEntries(
          Object.entries(saved.desks).map(([server, { hold, ...desk }]) => [
            server,
            {
              ...desk,
              hold:
                hold === null || hold.remainingMs <= ageMs
                  ? null
                  : { ...hold, remainingMs: hold.remainingMs - ageMs },
            },
          ]),
        );
        return { ageMs, desks };
      } catch (thrown) {
        if (codeOf(thrown) !== 'ENOENT')
          log.warn(
            { path, err: messageOf(thrown) },
            'what was remembered could not be read; starting without it',
          );
        return noMemory;
      }
    },
    save(memory) {
      newest = memory;
      writing ??= writeAll();
      return writing;
    },
  };
}
