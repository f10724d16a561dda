/**
 * Controls (C0, DEL, C1), line separators and invisible format characters (bidi marks and overrides, byte order mark),
 * but not the joiners, which Persian, Indic scripts and emoji need.
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]|(?!\u200c|\u200d)\p{Cf}/gu;

/** Text of strangers made fit to be shown: no control or bidi characters, and not longer than `maxLength`. */
export function printable(text: string, maxLength: number): string {
  const clean = text.replace(UNPRINTABLE, '').trim();
  if (clean.length <= maxLength) return clean;
  const cut = clean.slice(0, maxLength);
  // A cut must not leave half of a surrogate pair behind.
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes as UTF-8 when they are that without fault, else as Latin-1, which every byte string is. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}
