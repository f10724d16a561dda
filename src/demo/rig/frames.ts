/** Up to byte `byteEnd` of a stream, `mediaEndMs` of sound is complete. */
export interface FrameMark {
  readonly byteEnd: number;
  readonly mediaEndMs: number;
}

export interface FrameMap {
  readonly marks: readonly FrameMark[];
  /** Bytes that belong to no frame, as after a move between mounts. */
  readonly strayBytes: number;
}

export type Container = 'mp3' | 'adts' | 'ogg';

export function containerOf(contentType: string): Container {
  const type = contentType.toLowerCase();
  if (type.includes('ogg')) return 'ogg';
  return type.includes('aac') ? 'adts' : 'mp3';
}

/** Which sound is in which bytes: how a player's buffer is known in ms and not in bytes. */
export function mapFrames(bytes: Uint8Array, container: Container): FrameMap {
  switch (container) {
    case 'mp3':
      return scanFrames(bytes, mp3Frame);
    case 'adts':
      return scanFrames(bytes, adtsFrame);
    case 'ogg':
      return scanOgg(bytes);
  }
}

interface Frame {
  readonly lengthBytes: number;
  readonly durationMs: number;
}

function scanFrames(bytes: Uint8Array, frameAt: (bytes: Uint8Array, at: number) => Frame | null): FrameMap {
  const marks: FrameMark[] = [];
  let at = 0;
  let mediaMs = 0;
  let strayBytes = 0;
  while (at < bytes.length) {
    const frame = frameAt(bytes, at);
    const end = at + (frame?.lengthBytes ?? 0);
    // A sync word can occur inside other data; the next frame right behind it tells them apart.
    const real = frame !== null && (end + 7 > bytes.length || frameAt(bytes, end) !== null);
    if (!real) {
      at += 1;
      strayBytes += 1;
      continue;
    }
    if (end > bytes.length) break;
    mediaMs += frame.durationMs;
    marks.push({ byteEnd: end, mediaEndMs: mediaMs });
    at = end;
  }
  return { marks, strayBytes };
}

const MP3_RATES_HZ = [44_100, 48_000, 32_000];
const MPEG1_KBPS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MPEG2_KBPS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

function mp3Frame(bytes: Uint8Array, at: number): Frame | null {
  const [first = 0, second = 0, third = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]];
  if (first !== 0xff || (second & 0xe6) !== 0xe2) return null;
  const version = (second >> 3) & 3;
  if (version === 1) return null;
  const isMpeg1 = version === 3;
  const baseRateHz = MP3_RATES_HZ[(third >> 2) & 3];
  const bitrateKbps = (isMpeg1 ? MPEG1_KBPS : MPEG2_KBPS)[third >> 4];
  if (baseRateHz === undefined || !bitrateKbps) return null;
  const rateHz = baseRateHz / (isMpeg1 ? 1 : version === 2 ? 2 : 4);
  const samples = isMpeg1 ? 1152 : 576;
  const padding = (third >> 1) & 1;
  const lengthBytes = Math.floor(((samples / 8) * bitrateKbps * 1000) / rateHz) + padding;
  return { lengthBytes, durationMs: (samples / rateHz) * 1000 };
}

const ADTS_RATES_HZ = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
];

function adtsFrame(bytes: Uint8Array, at: number): Frame | null {
  if (bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xf6) !== 0xf0) return null;
  const rateHz = ADTS_RATES_HZ[((bytes[at + 2] ?? 0) >> 2) & 15];
  const [third = 0, fourth = 0, fifth = 0] = [bytes[at + 3], bytes[at + 4], bytes[at + 5]];
  const lengthBytes = ((third & 3) << 11) | (fourth << 3) | (fifth >> 5);
  if (rateHz === undefined || lengthBytes < 7) return null;
  return { lengthBytes, durationMs: (1024 / rateHz) * 1000 };
}

function scanOgg(bytes: Uint8Array): FrameMap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marks: FrameMark[] = [];
  let strayBytes = 0;
  let rateHz = 44_100;
  let serial = -1;
  let firstGranule: number | null = null;
  let doneMs = 0;
  let mediaMs = 0;
  let at = 0;
  while (at + 27 <= bytes.length) {
    if (view.getUint32(at) !== 0x4f676753) {
      at += 1;
      strayBytes += 1;
      continue;
    }
    const segments = bytes[at + 26] ?? 0;
    const bodyAt = at + 27 + segments;
    const bodyLength = bytes.subarray(at + 27, bodyAt).reduce((sum, length) => sum + length, 0);
    if (bodyAt + bodyLength > bytes.length) break;
    const pageSerial = view.getUint32(at + 14, true);
    if (pageSerial !== serial) {
      // A new logical stream starts to count anew: a chained stream, or another mount after a move.
      serial = pageSerial;
      firstGranule = null;
      doneMs = mediaMs;
    }
    if (bodyLength >= 30 && bytes[bodyAt] === 1) rateHz = view.getUint32(bodyAt + 12, true) || rateHz;
    const granule = Number(view.getBigInt64(at + 6, true));
    if (granule > 0) {
      firstGranule ??= granule;
      mediaMs = doneMs + ((granule - firstGranule) / rateHz) * 1000;
    }
    at = bodyAt + bodyLength;
    marks.push({ byteEnd: at, mediaEndMs: mediaMs });
  }
  return { marks, strayBytes };
}
