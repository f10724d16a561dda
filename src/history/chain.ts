import { createHash } from 'node:crypto';
import { messageOf } from '../platform/errors.ts';

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
      /** Of the heads that were asked for, those of a row in this log. */
      readonly kept: readonly { readonly head: string; readonly seq: number }[];
    }
  | { readonly ok: false; readonly seq: number; readonly says: string };

type HashedRow = ChainedRow & { readonly hash: Uint8Array };

/**
 * Walks the rows in order; `anchor` is the hash of the last row that was removed with age. `heads`: what earlier walks gave,
 * in hex, to be found again.
 */
export function verifyChain(
  rows: Iterable<HashedRow>,
  anchor: { readonly seq: number; readonly hash: Uint8Array },
  heads: readonly string[] = [],
): ChainVerdict {
  let before: Uint8Array = anchor.hash;
  let last = anchor.seq;
  let first: number | null = null;
  const kept: { head: string; seq: number }[] = [];
  const look = () => {
    const head = Buffer.from(before).toString('hex');
    if (heads.includes(head)) kept.push({ head, seq: last });
  };
  if (heads.length > 0) look();
  try {
    for (const row of rows) {
      const says = faultOf(row, last, before);
      if (says !== null) return { ok: false, seq: row.seq, says };
      before = row.hash;
      last = row.seq;
      first ??= row.seq;
      if (heads.length > 0) look();
    }
  } catch (thrown) {
    // Not even a row any more: the file itself is damaged there.
    return { ok: false, seq: last + 1, says: `row ${last + 1} cannot be read: ${messageOf(thrown)}` };
  }
  const rowCount = first === null ? 0 : last - first + 1;
  const head = Buffer.from(before).toString('hex');
  return { ok: true, rows: rowCount, fromSeq: first, toSeq: first === null ? null : last, head, kept };
}

function faultOf(row: HashedRow, last: number, before: Uint8Array): string | null {
  if (row.seq !== last + 1) return `rows ${last + 1} to ${row.seq - 1} are missing`;
  if (chainHash(before, row).equals(row.hash)) return null;
  return `row ${row.seq} is not what was written, or the one before it`;
}
