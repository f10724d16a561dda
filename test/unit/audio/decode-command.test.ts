import { describe, expect, it } from 'vitest';
import { DEMUXERS, decodeArguments, demuxerFor, isDemuxer } from '../../../src/audio/decode-command.ts';

describe('the words after ffmpeg', () => {
  it.each(DEMUXERS)('force the demuxer %s and let it read nothing but the pipe', (demuxer) => {
    const words = decodeArguments(demuxer);
    const input = words.slice(0, words.indexOf('-i'));
    expect(input[input.indexOf('-f') + 1]).toBe(demuxer);
    expect(input[input.indexOf('-protocol_whitelist') + 1]).toBe('pipe');
    expect(words[words.indexOf('-i') + 1]).toBe('pipe:0');
    expect(words.at(-1)).toBe('pipe:1');
    expect(words.join(' ')).toMatch(/-ar 48000 -ac 2 .*-f f32le/);
  });
});

describe('a content type', () => {
  it.each([
    ['audio/mpeg', 'mp3'],
    ['Audio/MPEG; charset=utf-8', 'mp3'],
    ['audio/aacp', 'aac'],
    ['application/ogg', 'ogg'],
    ['audio/ogg;codecs=opus', 'ogg'],
    ['audio/webm', 'matroska'],
    ['text/html', null],
    ['application/vnd.apple.mpegurl', null],
    ['audio/x-mpegurl', null],
    ['constructor', null],
    ['', null],
  ])('%s is decoded as %s', (contentType, demuxer) => {
    expect(demuxerFor(contentType)).toBe(demuxer);
  });

  it('never names a demuxer of playlists', () => {
    for (const text of ['hls', 'concat', 'lavfi', 'mp3 -i x']) expect(isDemuxer(text)).toBe(false);
  });
});
