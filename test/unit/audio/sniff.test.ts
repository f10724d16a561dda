import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { id3Bytes, sniffContainer } from '../../../src/audio/sniff.ts';

/** Half a second of sound as ffmpeg writes it. */
function encoded(...format: string[]): Buffer {
  const input = ['-f', 'lavfi', '-i', 'sine=440:sample_rate=44100:duration=0.5'];
  return execFileSync('ffmpeg', ['-v', 'error', ...input, ...format, 'pipe:1'], { maxBuffer: 2 ** 26 });
}

const MP3 = ['-c:a', 'libmp3lame', '-f', 'mp3', '-id3v2_version', '0', '-write_xing', '0'];

describe('what a file is', () => {
  it.each([
    ['wav', ['-f', 'wav']],
    ['wav', ['-f', 'wav', '-rf64', 'always']],
    ['flac', ['-f', 'flac']],
    ['ogg', ['-c:a', 'libvorbis', '-f', 'ogg']],
    ['ogg', ['-c:a', 'libopus', '-f', 'ogg']],
    ['aac', ['-c:a', 'aac', '-f', 'adts']],
    ['matroska', ['-c:a', 'libopus', '-f', 'webm']],
    ['mov', ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4']],
    ['mp3', MP3],
    ['mp3', [...MP3, '-ar', '22050', '-b:a', '32k']],
    ['mp3', [...MP3, '-ar', '11025', '-b:a', '16k']],
    ['mp3', ['-c:a', 'mp2', '-f', 'mp2']],
  ] as const)('is known as %s by its content: %s', (container, format) => {
    expect(sniffContainer(encoded(...format))).toBe(container);
  });

  it('is found behind the rest of a frame that was cut', () => {
    const whole = encoded(...MP3);
    expect(sniffContainer(whole.subarray(100))).toBe('mp3');
  });

  it('is known of a single frame too', () => {
    const whole = encoded(...MP3, '-b:a', '128k');
    expect(sniffContainer(whole.subarray(0, 417))).toBe('mp3');
  });

  it.each([
    ['text', Buffer.from('Just a few words about a song, and nothing to hear.')],
    ['a web page', Buffer.from('<!DOCTYPE html><html><body>no</body></html>')],
    ['a playlist', Buffer.from('#EXTM3U\nhttp://127.0.0.1/stream\n')],
    ['zeros', Buffer.alloc(65_536)],
    ['only 0xff', Buffer.alloc(65_536, 0xff)],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 0x4a, 0x46, 0x49, 0x46, 0, 1])],
    ['a RIFF that is no WAVE', Buffer.from('RIFF\0\0\0\0AVI LIST')],
    ['nothing', Buffer.alloc(0)],
  ])('is not guessed from %s', (_what, bytes) => {
    expect(sniffContainer(bytes)).toBeNull();
  });

  it('is not guessed from noise', () => {
    let state = 1;
    const noise = Buffer.from(
      Array.from({ length: 65_536 }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state >>> 24;
      }),
    );
    expect(sniffContainer(noise)).toBeNull();
  });

  it('stands behind an ID3 tag, whose length counts in sevens of bits', () => {
    expect(id3Bytes(Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0x02, 0x01]))).toBe(10 + 257);
    expect(id3Bytes(Buffer.from([0x49, 0x44, 0x33, 4, 0, 0x10, 0, 0, 0, 5]))).toBe(25);
    expect(id3Bytes(Buffer.from('fLaC and more'))).toBe(0);
    expect(id3Bytes(Buffer.from('ID3'))).toBe(0);
  });
});
