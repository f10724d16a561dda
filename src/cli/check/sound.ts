import type { AudioInfo } from '../../domain/icecast.ts';
import type { Mount } from '../../domain/ids.ts';
import type { ServerAddress } from '../../icecast/address.ts';
import { formatOf } from '../../icecast/format.ts';
import { openStream } from '../../icecast/stream-client.ts';
import { PLAIN_USER_AGENT } from '../../icecast/user-agent.ts';
import { type ChildExit, startChild } from '../../platform/child.ts';
import type { Clock } from '../../platform/clock.ts';

/** What the sound of a mount is made of; null where nobody could say. */
export interface Sound extends AudioInfo {
  readonly codec: string | null;
  /** `measured`: from the bytes that listeners get. `said`: the encoder's own word. */
  readonly from: 'measured' | 'said';
}

export type Probe =
  | { readonly ok: true; readonly sound: Sound }
  /**
   * `no-sound`: the mount gave nothing. `no-reading`: bytes came, but ffmpeg found no sound in them. `no-answer`: nor did ffmpeg
   * say that there is none, so that nothing is known.
   */
  | {
      readonly ok: false;
      readonly why: 'no-sound' | 'no-reading' | 'no-answer';
      readonly detail: string;
    };

const ENOUGH_BYTES = 64 * 1024;
const LISTEN_MS = 3_000;
/** Icecast sends what it has in store at once, of a stalled encoder too: only what comes later is news. */
const BURST_MS = 700;
const FFMPEG_MS = 8_000;

/** Listens to a mount for as long as its burst takes and has ffmpeg say what it is. */
export async function probeSound(
  clock: Clock,
  server: ServerAddress,
  mount: Mount,
  ffmpeg: string,
): Promise<Probe> {
  const heard = await listen(clock, server, mount);
  if (!heard.ok) return { ok: false, why: 'no-sound', detail: heard.detail };
  const format = formatOf(heard.contentType);
  if (format === null) {
    return { ok: false, why: 'no-reading', detail: `the type ${heard.contentType} is not known as sound` };
  }
  const { said, exit } = await askFfmpeg(clock, ffmpeg, format.demuxer, heard.bytes);
  const sound = soundIn(said);
  if (sound !== null) return { ok: true, sound };
  if (exit.is === 'not-started')
    return { ok: false, why: 'no-answer', detail: `ffmpeg was not started: ${exit.detail}` };
  if (exit.is === 'killed')
    return { ok: false, why: 'no-answer', detail: `ffmpeg had no answer within ${FFMPEG_MS / 1000} s` };
  return { ok: false, why: 'no-reading', detail: 'ffmpeg finds no sound in its first 64 KiB' };
}

type Heard =
  | { readonly ok: true; readonly contentType: string; readonly bytes: Buffer }
  | { readonly ok: false; readonly detail: string };

function listen(clock: Clock, server: ServerAddress, mount: Mount): Promise<Heard> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let openedAtMs: number | null = null;
    let contentType = '';
    let isLive = false;
    const finish = (failure: string): void => {
      cancel();
      connection.destroy();
      if (isLive) resolve({ ok: true, contentType, bytes: Buffer.concat(chunks) });
      else resolve({ ok: false, detail: failure });
    };
    const cancel = clock.after(LISTEN_MS, () =>
      finish(size === 0 ? 'no byte came' : 'nothing came after what Icecast had in store'),
    );
    const connection = openStream(
      clock,
      {
        server,
        mount,
        userAgent: `${PLAIN_USER_AGENT} (check)`,
        icyMetadata: false,
        limits: { headWithinMs: LISTEN_MS },
      },
      {
        opened: (head) => {
          contentType = head.contentType;
          openedAtMs = clock.nowMs();
        },
        bytes: (chunk) => {
          if (size < ENOUGH_BYTES) chunks.push(chunk);
          size += chunk.length;
          if (openedAtMs !== null && clock.nowMs() - openedAtMs >= BURST_MS) isLive = true;
          if (isLive && size >= ENOUGH_BYTES) finish('');
        },
        failed: (_, detail) => finish(detail),
      },
    );
  });
}

async function askFfmpeg(
  clock: Clock,
  ffmpeg: string,
  demuxer: string,
  bytes: Buffer,
): Promise<{ readonly said: string; readonly exit: ChildExit }> {
  const child = startChild({
    command: ffmpeg,
    args: [
      ...['-hide_banner', '-nostdin', '-protocol_whitelist', 'pipe'],
      ...['-f', demuxer, '-i', 'pipe:0', '-vn', '-t', '0.1', '-f', 'null', '-'],
    ],
    clock,
  });
  const cancel = clock.after(FFMPEG_MS, () => child.kill('SIGKILL'));
  child.write(bytes);
  child.endInput();
  const exit = await child.exited;
  cancel();
  return { said: child.stderrTail(), exit };
}

const CHANNELS_OF_LAYOUT: ReadonlyMap<string, number> = new Map([
  ['mono', 1],
  ['stereo', 2],
  ['2.1', 3],
  ['3.0', 3],
  ['quad', 4],
  ['4.0', 4],
  ['5.0', 5],
  ['5.1', 6],
  ['7.1', 8],
]);

/** Reads `Stream #0:0: Audio: mp3, 44100 Hz, stereo, fltp, 128 kb/s` out of what ffmpeg says of its input. */
export function soundIn(said: string): Sound | null {
  const input = said.split(/^(?:Output #0|Stream mapping)/m)[0] ?? '';
  const match = /Stream #0:\d+[^\n]*?: Audio: (\w+)[^\n]*?, (\d+) Hz, ([^,\n]+)([^\n]*)/.exec(input);
  if (match === null) return null;
  const [, codec = '', rate, layout = '', rest = ''] = match;
  const numbered = /^(\d+) channels/.exec(layout)?.[1];
  const named = CHANNELS_OF_LAYOUT.get(layout.replace(/\(.*$/, '').trim());
  const bitrate = /, (\d+) kb\/s/.exec(rest)?.[1];
  return {
    codec: codec.replace(/float$/, ''),
    sampleRateHz: Number(rate),
    channels: numbered === undefined ? (named ?? null) : Number(numbered),
    bitrateKbps: bitrate === undefined ? null : Number(bitrate),
    from: 'measured',
  };
}
