import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type FailoverMemory, noFailoverMemory } from '../decide/failover/state.ts';
import { type Memory, noMemory } from '../decide/state.ts';
import { type StationName, serverName, sourceName, stationName } from '../domain/ids.ts';
import {
  type PlannedSilence,
  parsePlannedDay,
  parseTimeOfDay,
  plannedDayText,
  timeOfDayText,
} from '../domain/planned-silence.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

const source = z.string().transform(sourceName);
const server = z.string().transform(serverName);
const stationSchema = z.object({
  savedAt: z.iso.datetime(),
  desks: z.record(
    z.string(),
    z.object({
      onAir: source.nullable(),
      away: z.array(source),
      hold: z.object({ author: z.string(), remainingMs: z.number(), source: source.nullable() }).nullable(),
      order: z
        .object({ unixSeconds: z.int().min(0), by: server, author: z.string() })
        .nullable()
        .prefault(null),
    }),
  ),
});
const failoverSchema = z.object({
  savedAt: z.iso.datetime(),
  hold: z
    .object({
      author: z.string(),
      remainingMs: z.number(),
      server: server.nullable(),
      override: z.boolean(),
    })
    .nullable(),
  order: z.object({ version: z.int().min(0), by: z.string() }).prefault({ version: 0, by: '' }),
  wrote: z.object({ server, epoch: z.number(), agoMs: z.number() }).nullable(),
  contest: z.object({ remainingMs: z.number() }).nullable(),
  leaving: z
    .array(
      z.object({ server, inMs: z.number(), gapMs: z.number(), times: z.int().min(0), because: z.string() }),
    )
    .prefault([]),
});

export interface MemoryFile<Remembered> {
  load(): Promise<Remembered>;
  /** Writes beside the file and renames, so that a crash leaves the old one or the new one, never half of it. */
  save(memory: Remembered): Promise<void>;
}

interface Kind<Remembered, Saved extends { readonly savedAt: string }> {
  readonly schema: z.ZodType<Saved>;
  readonly nothing: Remembered;
  /** What is still true of it after so long. */
  aged(saved: Saved, ageMs: number): Remembered;
  /** Without its age, which is counted from when it is saved. */
  toSave(memory: Remembered): object;
}

/** What one station's decisions need over a restart. Without it the agent works too; it only knows less at the start. */
export function memoryFile(
  directory: string,
  station: StationName,
  clock: Clock,
  log: Logger,
): MemoryFile<Memory> {
  return remembered(join(directory, `${station}.json`), STATION, clock, log);
}

/** What the DNS decision needs over a restart. No station's name begins with a dot. */
export function failoverMemoryFile(directory: string, clock: Clock, log: Logger): MemoryFile<FailoverMemory> {
  return remembered(join(directory, '.dns.json'), FAILOVER, clock, log);
}

const silenceSchema = z.object({
  savedAt: z.iso.datetime(),
  plans: z.array(
    z.object({
      id: z.string(),
      station: z.string().transform(stationName),
      day: z.string(),
      at: z.string(),
      lengthMs: z.number(),
      timeZone: z.string(),
      says: z.string(),
      author: z.string(),
    }),
  ),
});

/** What operators have planned. */
export function plannedSilenceFile(
  directory: string,
  clock: Clock,
  log: Logger,
): MemoryFile<readonly PlannedSilence[]> {
  return remembered(join(directory, '.planned-silence.json'), SILENCE, clock, log);
}

const SILENCE: Kind<readonly PlannedSilence[], z.infer<typeof silenceSchema>> = {
  schema: silenceSchema,
  nothing: [],
  aged: ({ plans }) =>
    plans.flatMap(({ day, at, ...plan }) => {
      const parsed = parsePlannedDay(day);
      const atSeconds = parseTimeOfDay(at);
      return parsed.ok && atSeconds !== null ? [{ ...plan, day: parsed.day, atSeconds }] : [];
    }),
  toSave: (plans) => ({
    plans: plans.map(({ day, atSeconds, ...plan }) => ({
      ...plan,
      day: plannedDayText(day),
      at: timeOfDayText(atSeconds),
    })),
  }),
};

const STATION: Kind<Memory, z.infer<typeof stationSchema>> = {
  schema: stationSchema,
  nothing: noMemory,
  aged: ({ desks }, ageMs) => ({
    ageMs,
    desks: Object.fromEntries(
      Object.entries(desks).map(([name, { hold, ...desk }]) => [
        name,
        { ...desk, hold: remaining(hold, ageMs) },
      ]),
    ),
  }),
  toSave: ({ desks }) => ({ desks }),
};

const FAILOVER: Kind<FailoverMemory, z.infer<typeof failoverSchema>> = {
  schema: failoverSchema,
  nothing: noFailoverMemory,
  aged: ({ hold, order, wrote, contest, leaving }, ageMs) => ({
    ageMs,
    hold: remaining(hold, ageMs),
    order,
    wrote: wrote === null ? null : { ...wrote, agoMs: wrote.agoMs + ageMs },
    contest: remaining(contest, ageMs),
    leaving: leaving.map((one) => ({ ...one, inMs: Math.max(0, one.inMs - ageMs) })),
  }),
  toSave: ({ hold, order, wrote, contest, leaving }) => ({ hold, order, wrote, contest, leaving }),
};

function remaining<Timed extends { readonly remainingMs: number }>(
  timed: Timed | null,
  ageMs: number,
): Timed | null {
  if (timed === null || timed.remainingMs <= ageMs) return null;
  return { ...timed, remainingMs: timed.remainingMs - ageMs };
}

function remembered<Remembered, Saved extends { readonly savedAt: string }>(
  path: string,
  kind: Kind<Remembered, Saved>,
  clock: Clock,
  log: Logger,
): MemoryFile<Remembered> {
  let complained = false;
  let newest: Remembered | null = null;
  let writing: Promise<void> | null = null;

  /** One write at a time, as all of them go through the same new file; of those that wait only the newest counts. */
  const writeAll = async (): Promise<void> => {
    while (newest !== null) {
      const saved = kind.toSave(newest);
      newest = null;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const text = JSON.stringify({ savedAt: clock.wallTime().toISOString(), ...saved });
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
        const saved = kind.schema.parse(JSON.parse(await readFile(path, 'utf8')));
        const ageMs = Math.max(0, clock.wallTime().getTime() - Date.parse(saved.savedAt));
        return kind.aged(saved, ageMs);
      } catch (thrown) {
        if (codeOf(thrown) !== 'ENOENT')
          log.warn(
            { path, err: messageOf(thrown) },
            'what was remembered could not be read; starting without it',
          );
        return kind.nothing;
      }
    },
    save(memory) {
      newest = memory;
      writing ??= writeAll();
      return writing;
    },
  };
}
