import { describe, expect, it } from 'vitest';
import { mapFrames } from '../../../src/demo/rig/frames.ts';
import { createIcySplitter } from '../../../src/demo/rig/icy.ts';
import { type Arrival, playBack } from '../../../src/demo/rig/player.ts';

const BUFFER = { startMs: 1000, resumeMs: 500 };

/** Sound that arrives in real time, 100 ms at a time, after a burst. */
function steady(options: { fromMs: number; toMs: number; burstMs: number; mediaMs?: number }): Arrival[] {
  const arrivals: Arrival[] = [];
  const mediaMs = options.mediaMs ?? 0;
  for (let atMs = options.fromMs; atMs < options.toMs; atMs += 100) {
    arrivals.push({ atMs, mediaEndMs: mediaMs + options.burstMs + atMs - options.fromMs });
  }
  return arrivals;
}

describe('a player', () => {
  it('starts when enough is in hand and plays without a gap', () => {
    expect(playBack(steady({ fromMs: 0, toMs: 5000, burstMs: 0 }), 4500, BUFFER)).toEqual([
      { is: 'playing', atMs: 1000, durationMs: 3500, mediaFromMs: 0 },
    ]);
  });

  it('starts at once on a burst, and bridges a pause shorter than its buffer', () => {
    const arrivals = [
      ...steady({ fromMs: 0, toMs: 2000, burstMs: 4000 }),
      ...steady({ fromMs: 5000, toMs: 8000, burstMs: 0, mediaMs: 5900 }),
    ];
    expect(playBack(arrivals, 7000, BUFFER)).toEqual([
      { is: 'playing', atMs: 0, durationMs: 7000, mediaFromMs: 0 },
    ]);
  });

  it('falls silent when it runs dry, buffers again, and skips nothing', () => {
    const arrivals = [
      ...steady({ fromMs: 0, toMs: 2000, burstMs: 1000 }),
      ...steady({ fromMs: 5000, toMs: 9000, burstMs: 0, mediaMs: 2900 }),
    ];
    expect(playBack(arrivals, 8000, BUFFER)).toEqual([
      { is: 'playing', atMs: 0, durationMs: 2900, mediaFromMs: 0 },
      { is: 'underrun', atMs: 2900, durationMs: 2600 },
      { is: 'playing', atMs: 5500, durationMs: 2500, mediaFromMs: 2900 },
    ]);
  });

  it('stays silent to the end when nothing comes any more', () => {
    expect(playBack(steady({ fromMs: 0, toMs: 1000, burstMs: 1000 }), 6000, BUFFER)).toEqual([
      { is: 'playing', atMs: 0, durationMs: 1900, mediaFromMs: 0 },
      { is: 'underrun', atMs: 1900, durationMs: 4100 },
    ]);
  });
});

describe('the frame map', () => {
  // MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes, 1152 samples.
  const frame = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x00]), Buffer.alloc(413)]);

  it('tells how much sound is complete at which byte, across stray bytes', () => {
    const map = mapFrames(Buffer.concat([frame, frame, Buffer.alloc(100), frame, frame]), 'mp3');
    expect(map.strayBytes).toBeGreaterThanOrEqual(100);
    expect(map.marks.at(-1)?.byteEnd).toBe(4 * 417 + 100);
    expect(map.marks.at(0)?.mediaEndMs).toBeCloseTo((1152 / 44_100) * 1000, 6);
  });

  it('leaves out a frame that is not complete', () => {
    expect(mapFrames(Buffer.concat([frame, frame.subarray(0, 200)]), 'mp3').marks).toHaveLength(1);
  });

  it('ends on any rubbish', () => {
    const rubbish = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256);
    for (const container of ['mp3', 'adts', 'ogg'] as const) {
      expect(mapFrames(rubbish, container).marks.length).toBeLessThan(100);
    }
  });
});

describe('the ICY splitter', () => {
  it('takes titles out, whatever the chunks', () => {
    const text = Buffer.alloc(32);
    text.write("StreamTitle='It''s on';");
    const stream = Buffer.concat([
      Buffer.from('aaaa'),
      Buffer.from([2]),
      text,
      Buffer.from('bbbb'),
      Buffer.from([0]),
      Buffer.from('cc'),
    ]);
    for (const size of [1, 3, 1000]) {
      const titles: string[] = [];
      const split = createIcySplitter(4, (title) => titles.push(title));
      const sound: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) sound.push(split(stream.subarray(at, at + size)));
      expect(Buffer.concat(sound).toString()).toBe('aaaabbbbcc');
      expect(titles).toEqual(["It''s on"]);
    }
  });
});
