import { decoderHostPath } from '../../native-bindings/decoder-host.ts';
import { describeExit, startChild } from '../platform/child.ts';
import type { Clock } from '../platform/clock.ts';

/** The environment variable that says who decodes MP3: `shared`, `ffmpeg`, or another program in place of ours. */
export const MP3_DECODER = 'SUSTAIN_MP3_DECODER';

export type DecoderHostSearch =
  | { readonly is: 'found'; readonly path: string }
  | { readonly is: 'not-wanted' }
  | { readonly is: 'not-usable'; readonly why: string };

export interface DecoderHostSearchOptions {
  readonly clock: Clock;
  readonly env?: NodeJS.ProcessEnv;
}

const BY_DEFAULT = 'shared';
const ANSWER_WITHIN_MS = 5_000;

/** Finds the decoder process and asks it whether it has what it needs. What can't be used is no error: ffmpeg is there. */
export async function findDecoderHost(options: DecoderHostSearchOptions): Promise<DecoderHostSearch> {
  const { clock, env = process.env } = options;
  const named = env[MP3_DECODER] || BY_DEFAULT;
  if (named === 'ffmpeg') return { is: 'not-wanted' };
  const path = named === 'shared' ? decoderHostPath() : named;
  if (path === null) return { is: 'not-usable', why: 'sustain-decoder was not built' };
  const child = startChild({ command: path, args: ['--check'], clock });
  const cancel = clock.after(ANSWER_WITHIN_MS, () => child.kill('SIGKILL'));
  const exit = await child.exited;
  cancel();
  if (exit.is === 'exited' && exit.code === 0) return { is: 'found', path };
  const said = child.stderrTail().trim().split('\n').at(-1) ?? '';
  return { is: 'not-usable', why: `${path}: ${said === '' ? describeExit(exit) : said}` };
}
