// Feeds any number of mounts with MP3 that was encoded once, at the pace of its bitrate. It costs little enough to live
// in the process of the bench, which nobody measures.

import { MUSIC, runFfmpeg } from '../../dist/src/demo/rig/material.js';
import { openSource } from '../../dist/src/icecast/source-client.js';
import { systemClock } from '../../dist/src/platform/clock.js';

const BYTES_PER_SECOND = 128_000 / 8;
const LOOP_SECONDS = 60;
const WRITE_EVERY_MS = 100;
/** Mounts are written to in turn, as encoders of different stations don't send in step. */
const TURNS = 10;

/** One minute of music. Without a bit reservoir the loop has no frame that misses what came before it. */
export async function encodeLoop() {
  const { path, fromSeconds } = MUSIC.studio;
  const input = ['-ss', String(fromSeconds), '-t', String(LOOP_SECONDS), '-i', path, '-map', '0:a:0'];
  const codec = ['-c:a', 'libmp3lame', '-b:a', '128k', '-reservoir', '0', '-ar', '44100', '-ac', '2'];
  const plain = ['-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3', 'pipe:1'];
  const { output } = await runFfmpeg([...input, ...codec, ...plain]);
  return output;
}

/** @param {{ server: { host: string, port: number, user: string, password: string }, loop: Buffer }} options */
export function createFeeder({ server, loop }) {
  const feeds = [];
  let failure = null;
  let turn = 0;

  const write = (feed) => {
    const dueBytes = Math.floor(((performance.now() - feed.fromMs) * BYTES_PER_SECOND) / 1000);
    for (let left = dueBytes - feed.sentBytes; left > 0; ) {
      const at = (feed.offset + feed.sentBytes) % loop.length;
      const piece = loop.subarray(at, at + left);
      feed.connection.write(piece);
      feed.sentBytes += piece.length;
      left -= piece.length;
    }
  };
  const timer = setInterval(() => {
    for (let index = turn; index < feeds.length; index += TURNS) write(feeds[index]);
    turn = (turn + 1) % TURNS;
  }, WRITE_EVERY_MS / TURNS);

  const open = (mount) =>
    new Promise((resolve, reject) => {
      const feed = { fromMs: 0, sentBytes: 0, offset: (feeds.length * 7919) % loop.length, connection: null };
      feed.connection = openSource(
        systemClock,
        {
          server: { host: server.host, port: server.port, tls: false },
          mount,
          credentials: { user: server.user, password: server.password },
          contentType: 'audio/mpeg',
        },
        {
          ready() {
            feed.fromMs = performance.now();
            feeds.push(feed);
            resolve();
          },
          failed(why, detail) {
            failure = `${mount} can't be fed: ${why}, ${detail}`;
            reject(new Error(failure));
          },
        },
      );
    });

  return {
    /** Adds mounts until all of these are fed. One at a time: Icecast 2.4 may crash when many sources come at once. */
    async feed(mounts) {
      for (const mount of mounts.slice(feeds.length)) await open(mount);
    },
    /** What went wrong with any mount so far, or null. */
    failure: () => failure,
    stop() {
      clearInterval(timer);
      for (const { connection } of feeds) connection.destroy();
    },
  };
}
