import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { streamHeadersFor } from '../../../src/audio/stream-headers.ts';
import { type Codec, encode } from './sound.ts';

/** Where the pages of an Ogg file begin. */
function pageStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf('OggS'); at >= 0; at = bytes.indexOf('OggS', at + 4)) starts.push(at);
  return starts;
}

function replayAfter(
  demuxer: 'ogg' | 'matroska' | 'mp3',
  bytes: Uint8Array,
  cuts: readonly number[],
): Buffer {
  const headers = streamHeadersFor(demuxer);
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    headers.push(bytes.subarray(at, at + cut));
    at += cut;
  }
  return Buffer.from(headers.replay());
}

describe('the headers of a stream', () => {
  const made = new Map<Codec, Buffer>();
  const sound = (codec: Codec) => made.get(codec) ?? Buffer.alloc(0);

  beforeAll(() => {
    for (const codec of ['vorbis', 'opus', 'webm', 'mp3'] as const) made.set(codec, encode(codec, 2));
  });

  it.each(['vorbis', 'opus'] as const)(
    'of %s are its pages before the first sound, however the bytes come',
    (codec) => {
      const firstSound = pageStarts(sound(codec))[2];
      const cut = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 5_000 }));
      fc.assert(
        fc.property(fc.array(cut, { maxLength: 300 }), (cuts) => {
          expect(replayAfter('ogg', sound(codec), cuts)).toEqual(sound(codec).subarray(0, firstSound));
        }),
        { numRuns: 50 },
      );
    },
  );

  it('follow the chain: those of the newest link are kept', () => {
    const chain = Buffer.concat([sound('vorbis'), sound('opus')]);
    const link = sound('vorbis').length;
    const firstSound = pageStarts(chain).filter((start) => start >= link)[2];
    expect(replayAfter('ogg', chain, [])).toEqual(chain.subarray(link, firstSound));
  });

  it('are found again after rubbish and after a page that was cut', () => {
    const rubbish = Buffer.from(`${'Og'.repeat(50)}OggOgg`);
    const cutPage = sound('vorbis').subarray(0, sound('vorbis').length - 700);
    const bytes = Buffer.concat([rubbish, sound('opus'), rubbish]);
    const firstSound = pageStarts(sound('opus'))[2];
    expect(replayAfter('ogg', bytes, Array(500).fill(1))).toEqual(sound('opus').subarray(0, firstSound));
    // The cut page swallows what follows it up to its length, but never more than one page can hold.
    const later = Buffer.concat([cutPage, Buffer.alloc(65_536), sound('opus')]);
    expect(replayAfter('ogg', later, [])).toEqual(sound('opus').subarray(0, firstSound));
  });

  it('of WebM are everything before the first cluster', () => {
    const cluster = sound('webm').indexOf(Buffer.from([0x1f, 0x43, 0xb6, 0x75]));
    expect(replayAfter('matroska', sound('webm'), [3, 100, cluster - 101])).toEqual(
      sound('webm').subarray(0, cluster),
    );
  });

  it('are nothing for MP3, and nothing for an endless header', () => {
    expect(replayAfter('mp3', sound('mp3'), [])).toHaveLength(0);
    expect(replayAfter('matroska', Buffer.alloc(3 * 2 ** 20), [2 ** 20, 2 ** 20])).toHaveLength(0);
    const headerPage = sound('opus').subarray(0, pageStarts(sound('opus'))[1]);
    const many = Buffer.concat(Array.from({ length: 40_000 }, () => headerPage));
    expect(replayAfter('ogg', many, []).length).toBeLessThanOrEqual(2 ** 20);
  });
});
