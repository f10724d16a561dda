import { describe, expect, it } from 'vitest';
import { runFfmpeg } from '../../../src/demo/rig/material.ts';
import { createOggTitleReader } from '../../../src/icecast/ogg-titles.ts';

async function link(codec: 'libopus' | 'libvorbis' | 'flac', serial: number, tags: readonly string[]) {
  const input = ['-f', 'lavfi', '-i', 'sine=440:r=48000:duration=0.5', '-c:a', codec];
  const metadata = tags.flatMap((tag) => ['-metadata', tag]);
  const { output } = await runFfmpeg([
    ...input,
    ...metadata,
    ...['-serial_offset', String(serial), '-f', 'ogg', 'pipe:1'],
  ]);
  return output;
}

function titlesIn(bytes: Buffer, pieceBytes: number): string[] {
  const titles: string[] = [];
  const reader = createOggTitleReader((title) => titles.push(title));
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return titles;
}

describe('the titles in an Ogg stream', () => {
  it.each([1, 7, 100, 1_000_000])('are found link by link, in pieces of %i bytes', async (pieceBytes) => {
    const stream = Buffer.concat([
      await link('libopus', 1, ['title=Ö = eins', 'artist=Die Band']),
      await link('libopus', 2, []),
      await link('libvorbis', 3, ['title=two']),
    ]);
    expect(titlesIn(stream, pieceBytes)).toEqual(['Die Band - Ö = eins', 'two']);
  });

  it('are found from the middle of a page on', async () => {
    const first = await link('libopus', 1, ['title=one']);
    const second = await link('libvorbis', 2, ['title=two']);
    expect(titlesIn(Buffer.concat([first.subarray(2_000), second]), 333)).toEqual(['two']);
  });

  it('are found behind a cover picture of several pages, and not looked for behind a larger one', async () => {
    const cover = (kib: number) => `METADATA_BLOCK_PICTURE=${'A'.repeat(kib * 1024)}`;
    expect(titlesIn(await link('libopus', 1, [cover(100), 'title=one']), 1_000)).toEqual(['one']);
    expect(titlesIn(await link('libopus', 1, [cover(120), cover(119), 'title=one']), 4_096)).toEqual(['one']);
  });

  it('are none in what is no Ogg, or lies about its lengths', async () => {
    expect(titlesIn(Buffer.alloc(100_000, 'OggS OggS'), 999)).toEqual([]);
    const lying = await link('libopus', 1, ['title=one']);
    const at = lying.indexOf('OpusTags') + 8;
    lying.writeUInt32LE(0xfffffff0, at);
    expect(titlesIn(lying, 500)).toEqual([]);
  });

  it('are cleaned of what no title has', async () => {
    expect(titlesIn(await link('libopus', 1, ['title=a\u202eb\nc']), 500)).toEqual(['abc']);
  });
});
