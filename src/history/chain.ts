import { createHash } from 'node:crypto';

/** One row of the event log, as it is hashed. */
export interface ChainedRow {
  readonly seq: number;
  readonly unixMs: number;
  readonly station: string | null;
  readonly kind: string;
  readonly author: string | null;
  readonly body: string;
}

export const FIRST_HASH = Buffer.alloc(32);

/** SHA-256 over the hash of the row before and every field of this one, so that no row can change alone. */
export function chainHash(before: Uint8Array, row: ChainedRow): Buffer {
  const { seq, unixMs, station, kind, author, body } = row;
  const text = JSON.stringify([seq, unixMs, station, kind, author, body]);
  return createHash('sha256').update(before).update(text).digest();
}

export type ChainVerdict =
  | {
      readonly ok: true;
      readonly rows: number;
      readonly fromSeq: number | null;
      readonly toSeq: number | null;
      /** Hex. Kept elsewhere, it proves later that nothing up to here was changed or cut off. */
      readonly head: string;
    }
  | { readonly ok: false; readonly seq: number; readonly says: string };

/** Walks the rows in order; `anchor` is the hash of the last row that was removed with age. */
export function verifyChain(
  rows: Iterable<ChainedRow & { readonly hash: Uint8Array }>,
  anchor: { readonly seq: number; readonly hash: Uint8Array },
): ChainVerdict {
  let before: Uint8Array = anchor.hash;
  let last = anchor.seq;
  let count = 0;
  let first: number | null = null;
  for (const row of rows) {
    if (row.seq !== last + 1)
      return { ok: false, seq: row.seq, says: `rows ${last + 1} to ${row.seq - 1} are missing` };
    const wanted = chainHash(before, row);
    if (!wanted.equals(row.hash))
      return {
        ok: false,
        seq: row.seq,
        says: `row ${row.seq} is not what was written, or the one before it`,
      };
    before = row.hash;
    last = row.seq;
    first ??= row.seq;
    count += 1;
  }
  const head = Buffer.from(before).toString('hex');
  return { ok: true, rows: count, fromSeq: first, toSeq: count === 0 ? null : last, head };
}
