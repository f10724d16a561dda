import { createOggTitleReader } from '../../src/icecast/ogg-titles.ts';

const HEAD_BYTES = 27;
const BEGINS_STREAM = 0x02;
const OPUS_RATE_HZ = 48_000;
/** Where a Vorbis stream says its rate, and an Opus stream what isn't played: Vorbis I 4.2.2, RFC 7845 5.1. */
const VORBIS_RATE_AT = 12;
const OPUS_PRE_SKIP_AT = 10;

interface Page {
  readonly bytes: Buffer;
  readonly body: Buffer;
  readonly arrivedAtMs: number;
  readonly begins: boolean;
  /** How many samples of the link are played when the page is; -1 where no packet ends. */
  readonly granule: number;
}

export interface OggTitle {
  readonly title: string;
  /** When the first sound of it was played, had all of it come as early as the piece that was least late. */
  readonly atMs: number;
}

/**
 * The titles of a recorded Ogg stream, by the time of the sound that each stands before: an encoder or a listener that a
 * busy machine keeps waiting delays the sound and its title together.
 */
export function titlesOf(chunks: readonly Buffer[], arrivedAtMs: readonly number[]): readonly OggTitle[] {
  const titles: { title: string; soundMs: number }[] = [];
  let link = { atMs: 0, rateHz: OPUS_RATE_HZ, firstGranule: Number.NaN };
  let soundMs = 0;
  let leastLateMs = Number.POSITIVE_INFINITY;
  const reader = createOggTitleReader((title) => titles.push({ title, soundMs: link.atMs }));
  for (const page of pagesOf(chunks, arrivedAtMs)) {
    if (page.begins) link = { atMs: soundMs, ...soundIn(page.body) };
    reader.push(page.bytes);
    if (page.granule <= 0) continue;
    // A listener joins in the middle of a link.
    if (leastLateMs === Number.POSITIVE_INFINITY) link.firstGranule = page.granule;
    soundMs = link.atMs + ((page.granule - link.firstGranule) * 1_000) / link.rateHz;
    leastLateMs = Math.min(leastLateMs, page.arrivedAtMs - soundMs);
  }
  return titles.map(({ title, soundMs: at }) => ({ title, atMs: at + leastLateMs }));
}

function soundIn(body: Buffer): { rateHz: number; firstGranule: number } {
  return body.toString('latin1', 0, 8) === 'OpusHead'
    ? { rateHz: OPUS_RATE_HZ, firstGranule: body.readUInt16LE(OPUS_PRE_SKIP_AT) }
    : { rateHz: body.readUInt32LE(VORBIS_RATE_AT), firstGranule: 0 };
}

/** The whole pages of what came, each with the time of its last byte. */
function* pagesOf(chunks: readonly Buffer[], arrivedAtMs: readonly number[]): Generator<Page> {
  const all = Buffer.concat(chunks);
  let [chunk, chunkEnd] = [0, chunks[0]?.length ?? 0];
  for (let start = all.indexOf('OggS'); start >= 0; ) {
    const bodyAt = start + HEAD_BYTES + (all[start + HEAD_BYTES - 1] ?? all.length);
    const end = all.subarray(start + HEAD_BYTES, bodyAt).reduce((sum, segment) => sum + segment, bodyAt);
    if (end > all.length) return;
    while (chunkEnd < end) {
      chunk += 1;
      chunkEnd += chunks[chunk]?.length ?? 0;
    }
    yield {
      bytes: all.subarray(start, end),
      body: all.subarray(bodyAt, end),
      arrivedAtMs: arrivedAtMs[chunk] ?? Number.NaN,
      begins: ((all[start + 5] ?? 0) & BEGINS_STREAM) !== 0,
      granule: Number(all.readBigInt64LE(start + 6)),
    };
    start = all.indexOf('OggS', end);
  }
}
