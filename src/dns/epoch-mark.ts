import type { EpochMark } from './provider.ts';

/** Where the mark of a name stands. */
export function markName(name: string): string {
  return `_sustain.${name}`;
}

/** The TXT record's text: one string, far below the 255 bytes that one may have. */
export function formatMark(mark: EpochMark): string {
  return `v=sustain1 epoch=${mark.epoch} writer=${mark.writer}`;
}

/** Nobody resolves it, authorities are asked themselves; a minute is the least that every provider takes. */
export const MARK_TTL_SECONDS = 60;

const MARK = /^v=sustain1 epoch=(\d{1,15}) writer=([a-z0-9-]{1,32})$/;

export type MarkRead =
  | { readonly ok: true; readonly mark: EpochMark | null }
  | { readonly ok: false; readonly text: string };

/**
 * The mark out of the TXT records that stand at its name. A text that isn't ours is no licence to write: somebody put it
 * there. Of several marks the highest counts, as a provider without atomic writes may have taken two at once.
 */
export function readMark(name: string, texts: readonly string[]): MarkRead {
  let highest: EpochMark | null = null;
  for (const text of texts) {
    const match = MARK.exec(text);
    if (match === null) {
      return {
        ok: false,
        text: `the TXT record at ${markName(name)} holds something that Sustain did not write: remove it`,
      };
    }
    const mark = { epoch: Number(match[1]), writer: match[2] ?? '' };
    if (highest === null || isAbove(mark, highest)) highest = mark;
  }
  return { ok: true, mark: highest };
}

function isAbove(mark: EpochMark, other: EpochMark): boolean {
  return mark.epoch > other.epoch || (mark.epoch === other.epoch && mark.writer > other.writer);
}

/**
 * Whether what stands there forbids a write under `ours`: a higher epoch, the same one in another writer's hands, or one
 * that somebody wrote after what the write was decided on (`expectedEpoch`; undefined: it hangs on nothing that was read).
 */
export function isFenced(
  standing: EpochMark | null,
  ours: EpochMark,
  expectedEpoch: number | null | undefined,
): standing is EpochMark {
  if (standing === null || sameMark(standing, ours)) return false;
  if (standing.epoch >= ours.epoch) return true;
  return expectedEpoch !== undefined && standing.epoch !== expectedEpoch;
}

export function sameMark(a: EpochMark | null, b: EpochMark | null): boolean {
  return a?.epoch === b?.epoch && a?.writer === b?.writer;
}
