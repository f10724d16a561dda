import { accessSync, chmodSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { startChild } from '../platform/child.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf, SustainError } from '../platform/errors.ts';

export type FfmpegOrigin = 'FFMPEG_PATH' | 'PATH' | 'embedded';

export interface Ffmpeg {
  readonly path: string;
  readonly origin: FfmpegOrigin;
  /** As ffmpeg says it: `5.1.9-0+deb12u1`, or `N-47683-g0e8eb07980` for a snapshot build. */
  readonly version: string;
}

export type FfmpegSearch =
  | { readonly ok: true; readonly ffmpeg: Ffmpeg }
  | { readonly ok: false; readonly error: SustainError<'ffmpeg-not-usable'> };

export interface FfmpegSearchOptions {
  readonly clock: Clock;
  readonly env?: NodeJS.ProcessEnv;
  /** Where the embedded build is; replaced in tests. */
  embeddedPath?(): Promise<string>;
}

const ANSWER_WITHIN_MS = 10_000;
const WHAT_TO_DO =
  'Install ffmpeg 4.1 or newer (Debian and Ubuntu: apt install ffmpeg), or set FFMPEG_PATH to the full path of one.';

/**
 * Finds an ffmpeg that runs: the one named by `FFMPEG_PATH`, else the first on the PATH, else the embedded build.
 * A `FFMPEG_PATH` that doesn't work is an error and not a reason to take another: somebody chose it.
 */
export async function findFfmpeg(options: FfmpegSearchOptions): Promise<FfmpegSearch> {
  const { FFMPEG_PATH: named, PATH: path = '' } = options.env ?? process.env;
  const tried: string[] = [];
  if (named !== undefined && named !== '') {
    const found = await tryFfmpeg(named, 'FFMPEG_PATH', options.clock);
    return found.ok ? found : notUsable([`FFMPEG_PATH=${named}: ${found.detail}`]);
  }
  for (const file of onPath(path)) {
    const found = await tryFfmpeg(file, 'PATH', options.clock);
    if (found.ok) return found;
    tried.push(`${file}: ${found.detail}`);
  }
  if (tried.length === 0) tried.push('no ffmpeg on the PATH');
  try {
    const file = await (options.embeddedPath ?? embeddedFfmpegPath)();
    const found = await tryFfmpeg(file, 'embedded', options.clock);
    if (found.ok) return found;
    tried.push(`${file}: ${found.detail}`);
  } catch (thrown) {
    tried.push(`@ffmpeg-installer/ffmpeg: ${messageOf(thrown)}`);
  }
  return notUsable(tried);
}

function notUsable(tried: readonly string[]): FfmpegSearch {
  const message = `No usable ffmpeg. ${WHAT_TO_DO} Tried: ${tried.join('; ')}.`;
  return { ok: false, error: new SustainError('ffmpeg-not-usable', message) };
}

function onPath(path: string): string[] {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'ffmpeg'))
    .filter((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** npm 11 doesn't run install scripts unasked, and this package's script is what sets the exec bit. */
export async function embeddedFfmpegPath(installer?: { readonly path: string }): Promise<string> {
  const { path } = installer ?? (await import('@ffmpeg-installer/ffmpeg')).default;
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
  return path;
}

type Attempt =
  | { readonly ok: true; readonly ffmpeg: Ffmpeg }
  | { readonly ok: false; readonly detail: string };

async function tryFfmpeg(path: string, origin: FfmpegOrigin, clock: Clock): Promise<Attempt> {
  let said = '';
  const child = startChild({
    command: path,
    args: ['-hide_banner', '-version'],
    clock,
    onStdout: (chunk) => {
      if (said.length < 64_000) said += chunk.toString('utf8');
    },
  });
  const cancel = clock.after(ANSWER_WITHIN_MS, () => child.kill('SIGKILL'));
  const exit = await child.exited;
  cancel();
  if (exit.is === 'not-started') return { ok: false, detail: exit.detail };
  if (exit.is === 'killed')
    return {
      ok: false,
      detail: `no version within ${ANSWER_WITHIN_MS / 1000} s`,
    };
  const version = /^ffmpeg version (\S+)/.exec(said)?.[1];
  if (exit.code === 0 && version !== undefined) return { ok: true, ffmpeg: { path, origin, version } };
  const lastWords = child.stderrTail().trim().split('\n').at(-1) ?? '';
  return {
    ok: false,
    detail: lastWords === '' ? `answers -version with code ${exit.code}` : lastWords,
  };
}
