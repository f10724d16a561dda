import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEMUXERS } from '../../../src/audio/decode-command.ts';
import { fastClock } from '../platform/clocks.ts';
import { decoderBench, realDecoders, wait } from './decoders.ts';
import { pieces } from './sound.ts';

/** Four seconds pass in each real one, so that waits of seconds take as little as a loaded machine allows. */
const clock = fastClock(4);
const bench = decoderBench();
const { open } = bench;

afterEach(() => bench.clear());

describe('a hostile stream', () => {
  let visits = 0;
  const canary = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  let url = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    const address = canary.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/x.ts`;
    return () => canary.close();
  });

  const playlists = () => [
    `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:5,\n${url}\n#EXTINF:5,\n${url}\n#EXT-X-ENDLIST\n`,
    `ffconcat version 1.0\nfile '${url}'\nfile 'file:///etc/passwd'\n`,
    `<?xml version="1.0"?><MPD><Period><AdaptationSet><BaseURL>${url}</BaseURL></AdaptationSet></Period></MPD>`,
    `[playlist]\nFile1=${url}\nNumberOfEntries=1\n`,
  ];

  it('would be followed by an ffmpeg without our arguments', async () => {
    const args = [
      '-v',
      'quiet',
      '-protocol_whitelist',
      'pipe,http,tcp,crypto',
      '-i',
      'pipe:0',
      '-f',
      'null',
      '-',
    ];
    const child = spawn('ffmpeg', args, {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(playlists()[0]);
    await new Promise((resolve) => child.on('exit', resolve));
    expect(visits).toBeGreaterThan(0);
  });

  it('that is a playlist makes us go nowhere', async () => {
    visits = 0;
    const legs = DEMUXERS.flatMap((demuxer) =>
      playlists().map((text) => {
        const watched = open(realDecoders(clock), demuxer);
        for (const piece of pieces(Buffer.from(text.repeat(300)), 5_000)) watched.decoder.write(piece);
        return watched;
      }),
    );
    // Two seconds are ten times what the ffmpeg of the test above needed.
    await wait(2_000);
    expect(visits).toBe(0);
    expect(legs.every((leg) => leg.samples === 0)).toBe(true);
  });
});
