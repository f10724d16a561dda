import { lostIn, type StoredEvent } from '../rows.ts';
import { unlessDamaged } from '../sqlite.ts';
import type { HistoryStore } from '../store.ts';

/** Events of a log in order; null: there are no more behind them. */
export interface EventPage {
  readonly rows: readonly StoredEvent[];
  readonly nextAfterSeq: number | null;
}

const PAGE_ROWS = 5_000;

/** The next events behind a row. What can't be read is named, and stands among them as events that were lost. */
export function pageOf(
  store: HistoryStore,
  afterSeq: number,
  toSeq: number,
  unreadable: Set<number>,
): EventPage {
  const name = (seq: number) => unreadable.add(seq);
  return unlessDamaged(
    () => {
      const rows = store.events({ afterSeq, toSeq, limit: PAGE_ROWS, unreadable: name });
      return { rows, nextAfterSeq: rows.length < PAGE_ROWS ? null : (rows.at(-1)?.seq ?? null) };
    },
    () => oneByOne(store, afterSeq, toSeq, name),
  );
}

/** A page of the file holds some dozen rows: one that is damaged takes no other with it. */
function oneByOne(
  store: HistoryStore,
  afterSeq: number,
  toSeq: number,
  name: (seq: number) => void,
): EventPage {
  const rows: StoredEvent[] = [];
  const lastSeq = Math.min(toSeq, lastSeqOf(store) ?? afterSeq + PAGE_ROWS);
  const endSeq = Math.min(lastSeq, afterSeq + PAGE_ROWS);
  for (let seq = afterSeq + 1; seq <= endSeq; seq += 1) {
    const row = unlessDamaged(
      () => store.event(seq, name),
      () => {
        name(seq);
        const before = rows.at(-1);
        return before === undefined ? null : lostIn({ seq, unixMs: before.unixMs, station: null });
      },
    );
    if (row !== null) rows.push(row);
  }
  return { rows, nextAfterSeq: endSeq < lastSeq ? endSeq : null };
}

/** The end of the table may be what is damaged, and the index with it. */
function lastSeqOf(store: HistoryStore): number | null {
  return unlessDamaged(
    () => store.lastSeq('table'),
    () =>
      unlessDamaged(
        () => store.lastSeq('index'),
        () => null,
      ),
  );
}
