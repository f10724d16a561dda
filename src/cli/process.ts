import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ByteSource, containerName, UnreadableSound } from '../audio/byte-source.ts';
import { isLossless, openEncodeFile } from '../audio/encode-file.ts';
import { findFfmpeg } from '../audio/ffmpeg-path.ts';
import { openSound } from '../audio/sound-file.ts';
import { describeExit } from '../platform/child.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { EXIT } from './exit-codes.ts';
import { damageOf, type Heard, hearSource } from './measure/hear.ts';
import { heardText } from './measure/print.ts';
import { measureDecoded } from './process/decoded.ts';
import { type ProcessOptions, parseProcessOptions, type WantedProcess } from './process/options.ts';
import { processJson, processText } from './process/print.ts';
import { type ProcessReport, startProcessWork } from './process/work.ts';
import { createProgress, type Terminal } from './progress.ts';

export type { ProcessOptions };

/** What the command has around it; replaced in tests. */
export interface ProcessSurroundings {
  readonly clock?: Clock;
  readonly env?: NodeJS.ProcessEnv;
  readonly terminal?: Terminal;
  readonly interrupted?: AbortSignal;
  readonly print?: (text: string) => void;
}

interface Files {
  readonly input: string;
  readonly output: string;
}

/** `sustain process`: the chain of relay mode on a file. The output is written whole or not at all. */
export async function processFile(
  files: Files,
  options: ProcessOptions,
  surroundings: ProcessSurroundings = {},
): Promise<number> {
  const terminal = surroundings.terminal ?? process.stderr;
  const parsed = parseProcessOptions(files.output, options);
  if (!parsed.ok) {
    terminal.write(`${parsed.message}\n`);
    return EXIT.unusable;
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const interrupted = AbortSignal.any([
    stop.signal,
    ...(surroundings.interrupted ? [surroundings.interrupted] : []),
  ]);
  try {
    const report = await processed(files, parsed.value, { ...surroundings, terminal, interrupted });
    if (report === null) {
      terminal.write(`${files.input}: stopped before its end, so ${files.output} was not written\n`);
      return EXIT.failed;
    }
    const print = surroundings.print ?? ((text) => process.stdout.write(`${text}\n`));
    if (report.damage !== null) terminal.write(`${files.input}: ${report.damage}\n`);
    const overDb = isLossless(parsed.value.format) ? report.behind.samplePeakDbfs : 0;
    if (overDb > 0)
      terminal.write(
        `${files.output} is clipped: the sound goes ${overDb.toFixed(1)} dB over full scale, and preset ${parsed.value.preset} has no limiter\n`,
      );
    print(
      options.json === true
        ? JSON.stringify(processJson(parsed.value, report), null, 2)
        : processText(files.input, files.output, parsed.value, report),
    );
    return EXIT.ok;
  } catch (thrown) {
    terminal.write(`${messageOf(thrown)}\n`);
    return thrown instanceof UnreadableSound && !interrupted.aborted ? EXIT.unusable : EXIT.failed;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

type Around = ProcessSurroundings & { readonly terminal: Terminal; readonly interrupted: AbortSignal };

/** Null: somebody stopped it. */
async function processed(files: Files, wanted: WantedProcess, around: Around): Promise<ProcessReport | null> {
  const { env } = around;
  const clock = around.clock ?? systemClock;
  const search = await findFfmpeg({ clock, ...(env === undefined ? {} : { env }) });
  if (!search.ok) throw new UnreadableSound(search.error.message);
  await mustBeWritable(files);
  await clearLeftBehind(files.output);
  const source = await openSound(files.input, around.interrupted);
  // Beside the output, so that it takes its place in one step, and only when it is whole.
  const unfinished = `${files.output}.${process.pid}.part`;
  const encoder = openEncodeFile({
    ffmpegPath: search.ffmpeg.path,
    path: unfinished,
    format: wanted.format,
    bitrateKbps: wanted.bitrateKbps,
    clock,
  });
  try {
    const work = startProcessWork(wanted.values, encoder);
    const progress = createProgress(clock, around.terminal);
    const heard = await hearSource({
      source,
      listener: work,
      ffmpegPath: search.ffmpeg.path,
      clock,
      interrupted: around.interrupted,
      onProgress: (bytes) =>
        progress.show(
          source.totalBytes === null ? null : bytes / source.totalBytes,
          heardText(work.heardSeconds),
        ),
    }).finally(() => progress.clear());
    if (heard.is === 'interrupted') return null;
    mustBeWhole(files.input, source, heard, work.heardSeconds);
    const damage = damageOf(heard);
    const report = await work.finish();
    const { exit, complaints } = await encoder.end();
    if (exit.is !== 'exited' || exit.code !== 0)
      throw new UnreadableSound(
        `${files.output} cannot be written: ${complaints.at(-1) ?? describeExit(exit)}`,
      );
    const decoded = isLossless(wanted.format)
      ? null
      : await measureDecoded({
          path: unfinished,
          ffmpegPath: search.ffmpeg.path,
          clock,
          interrupted: around.interrupted,
          onProgress: (share, seconds) => progress.show(share, heardText(seconds)),
        }).finally(() => progress.clear());
    if (decoded === null && !isLossless(wanted.format)) return null;
    await rename(unfinished, files.output);
    return { ...report, decoded, damage };
  } finally {
    await encoder.stop();
    await rm(unfinished, { force: true });
  }
}

async function mustBeWritable({ input, output }: Files): Promise<void> {
  const look = (path: string) =>
    stat(path).catch((thrown: unknown) => {
      if (codeOf(thrown) === 'ENOENT') return null;
      throw new UnreadableSound(`${path} cannot be read: ${messageOf(thrown)}`);
    });
  const folder = await look(dirname(output));
  if (folder === null)
    throw new UnreadableSound(`${dirname(output)} does not exist, so ${output} cannot be written`);
  const [from, to] = await Promise.all([look(input), look(output)]);
  if (to === null) return;
  if (!to.isFile()) throw new UnreadableSound(`${output} is there already and is no file`);
  if (from !== null && from.dev === to.dev && from.ino === to.ino)
    throw new UnreadableSound(`${output} is the input itself: write to another file`);
}

/** Nobody has written to it for this long, in ms. */
const LEFT_BEHIND_MS = 60_000;

/** What earlier runs to the same file did not get to take away, as they were killed. */
async function clearLeftBehind(output: string): Promise<void> {
  const folder = dirname(output);
  const begin = `${basename(output)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = /^(\d+)\.part$/.exec(name.startsWith(begin) ? name.slice(begin.length) : '')?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    // The process may be another machine's, where the folder is shared.
    if (found !== null && Date.now() - found.mtimeMs >= LEFT_BEHIND_MS)
      await rm(path, { force: true }).catch(() => {});
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) !== 'ESRCH';
  }
}

function mustBeWhole(path: string, source: ByteSource, heard: Heard, heardSeconds: number): void {
  if (heard.is === 'interrupted') return;
  const said = heard.complaints.at(-1);
  if (heardSeconds === 0) {
    const kind = containerName(source.container);
    throw new UnreadableSound(
      said === undefined ? `${path} holds no sound` : `${path} cannot be decoded as ${kind}: ${said}`,
    );
  }
  if (heard.is === 'broken-off') {
    const after = `after ${heardSeconds.toFixed(1)} s`;
    throw new UnreadableSound(`${path} broke off ${after}: ${heard.because}`);
  }
}
