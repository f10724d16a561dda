const KBPS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const RATES_HZ = [44_100, 48_000, 32_000];
/** So many frames in a row are no accident of bytes that look like a header. */
const SURE_FRAMES = 4;

/** The length of the frame of MPEG-1 layer III that begins at `at`; null where none does. */
function frameBytes(bytes: Buffer, at: number): number | null {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xfe) !== 0xfa) return null;
  const third = bytes[at + 2] ?? 0;
  const kbps = KBPS[third >> 4] ?? 0;
  const rateHz = RATES_HZ[(third >> 2) & 3];
  if (kbps === 0 || rateHz === undefined) return null;
  return Math.floor((144_000 * kbps) / rateHz) + ((third >> 1) & 1);
}

function isSureAt(bytes: Buffer, start: number): boolean {
  let at = start;
  for (let frame = 0; frame < SURE_FRAMES; frame += 1) {
    const length = frameBytes(bytes, at);
    if (length === null) return false;
    at += length;
  }
  return true;
}

/**
 * A recording of a stream from its first whole frame to its last. `lostAt`: where there is no frame although the one
 * before is over; null when all of it is frame after frame.
 */
export function wholeFrames(bytes: Buffer): { readonly frames: Buffer; readonly lostAt: number | null } {
  let start = 0;
  while (start < bytes.length && !isSureAt(bytes, start)) start += 1;
  let end = start;
  for (;;) {
    const length = frameBytes(bytes, end);
    if (length === null) break;
    if (end + length > bytes.length) return { frames: bytes.subarray(start, end), lostAt: null };
    end += length;
  }
  return { frames: bytes.subarray(start, end), lostAt: bytes.length - end < 4 ? null : end };
}
