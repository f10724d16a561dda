import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Leg, makeLeg, mount } from '../../../src/domain/ids.ts';
import type { Incident } from '../../../src/domain/incidents.ts';
import type { Recorded, RecordedEvent } from '../../../src/domain/record.ts';
import type { LevelRow } from '../../../src/history/levels.ts';
import { LONDON, MYFM, PRIMARY } from '../decide/builders.ts';

const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sustain-history-'));
  made.push(directory);
  return directory;
}

export const LEG: Leg = makeLeg(MYFM, PRIMARY, LONDON, mount('/primary'));

export function recorded(unixMs: number, event: Partial<RecordedEvent> = {}): Recorded {
  const whole = {
    kind: 'hold-changed',
    atMs: unixMs,
    server: LONDON,
    detail: 'held',
    author: 'kim',
    ...event,
  };
  return { unixMs, station: MYFM, event: whole as RecordedEvent };
}

export const batch = (...events: readonly Recorded[]) => ({ events, incidents: [], outbox: [] });

/** A second of sound at one level, in dBFS. */
export function second(unixMs: number, dbfs: number, changes: Partial<LevelRow> = {}): LevelRow {
  const steps = new Int8Array(10).fill(dbfs);
  const audibleMs = dbfs > -50 ? 1000 : 0;
  const levels = { truePeakDbtp: dbfs + 6, momentaryLufs: dbfs - 1 };
  return { leg: LEG.id, unixMs, spanS: 1, steps, audibleMs, ...levels, condition: 'audible', ...changes };
}

export function incident(changes: Partial<Incident> = {}): Incident {
  return {
    id: 'myfm-london-1-sound',
    station: MYFM,
    thread: 'sound',
    severity: 'warning',
    title: 'london: primary to autodj',
    cause: 'primary is silent',
    openedUnixMs: 1000,
    closedUnixMs: null,
    acknowledged: null,
    servers: [LONDON],
    reasons: ['away london'],
    hadReasons: ['away london'],
    calmSinceUnixMs: null,
    left: [PRIMARY],
    deadAirMs: {},
    steps: [{ unixMs: 1000, is: 'opened', says: 'london: primary to autodj' }],
    ...changes,
  };
}
