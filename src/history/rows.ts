import type { LegCondition } from '../domain/conditions.ts';
import type { LegId, StationName } from '../domain/ids.ts';
import type { Recorded, RecordedEvent } from '../domain/record.ts';
import { SustainError } from '../platform/errors.ts';
import type { LevelRow } from './levels.ts';

/** One event as it was written down. `seq` has no holes. */
export interface StoredEvent extends Recorded {
  readonly seq: number;
}

/** A row that is no event any more stands for one that was lost. */
export const lostIn = ({ seq, unixMs, station }: Omit<StoredEvent, 'event'>): StoredEvent => ({
  seq,
  unixMs,
  station,
  event: { kind: 'events-lost', atMs: 0, count: 0 },
});

export interface EventRow {
  seq: number;
  unix_ms: number;
  station: string | null;
  kind: string;
  author: string | null;
  body: string;
  hash: Uint8Array;
}

export interface LevelDbRow {
  leg: number;
  name: string;
  unix_ms: number;
  span_s: number;
  steps: Uint8Array;
  audible_ms: number;
  true_peak_dbtp: number | null;
  momentary_lufs: number | null;
  condition: string;
}

export function levelRow(row: LevelDbRow): LevelRow {
  return {
    leg: row.name as LegId,
    unixMs: row.unix_ms,
    spanS: row.span_s,
    steps: Int8Array.from(row.steps),
    audibleMs: row.audible_ms,
    truePeakDbtp: row.true_peak_dbtp,
    momentaryLufs: row.momentary_lufs,
    condition: row.condition as LegCondition['is'],
  };
}

/** `unreadable`: told of a row that is no JSON; without it that is an error. */
export function storedEvent(row: EventRow, unreadable?: (seq: number) => void): StoredEvent {
  const { seq, unix_ms, body } = row;
  const of = { seq, unixMs: unix_ms, station: row.station as StationName | null };
  try {
    return { ...of, event: JSON.parse(body) as RecordedEvent };
  } catch (thrown) {
    if (unreadable === undefined)
      throw new SustainError('history-row', `row ${seq} of the event log cannot be read`, thrown);
    unreadable(seq);
    return lostIn(of);
  }
}
