import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

export interface OracleFigures {
  /** Every 100 ms; -999 stands for silence. */
  readonly momentary: readonly number[];
  readonly maxMomentaryLufs: number;
  readonly maxShortTermLufs: number;
  readonly integratedLufs: number;
  readonly loudnessRangeLu: number;
  readonly truePeakDbtp: number;
  readonly samplePeakDbfs: number;
}

/** What it takes least time to read of long programme. */
export type BriefFigures = Pick<OracleFigures, 'momentary' | 'integratedLufs' | 'truePeakDbtp'>;

export interface Oracle {
  measure(samples: Float32Array, rateHz: number, channels: number): OracleFigures;
  brief(samples: Float32Array, rateHz: number, channels: number): BriefFigures;
  /** Of sound that is too long to be held: what comes out of `pieces`, one after the other. */
  briefOf(pieces: Iterable<Float32Array>, rateHz: number, channels: number): Promise<BriefFigures>;
  remove(): void;
}

/** Compiles the C program against Debian's libebur128; the message says what to install when that fails. */
export function buildOracle(): Oracle {
  const folder = mkdtempSync(join(tmpdir(), 'sustain-oracle-'));
  const program = join(folder, 'oracle');
  const source = fileURLToPath(new URL('oracle.c', import.meta.url));
  const compiled = spawnSync('gcc', ['-O2', '-o', program, source, '-lebur128', '-lm'], { encoding: 'utf8' });
  if (compiled.status !== 0) {
    rmSync(folder, { recursive: true });
    throw new Error(
      `The oracle needs gcc and libebur128: apt-get install gcc libebur128-dev\n${compiled.stderr ?? ''}`,
    );
  }
  const run = (samples: Float32Array, ...words: readonly (string | number)[]) => {
    const input = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    const output = execFileSync(program, words.map(String), { input, maxBuffer: 2 ** 26 });
    return JSON.parse(output.toString()) as OracleFigures;
  };
  return {
    measure: (samples, rateHz, channels) => run(samples, rateHz, channels),
    async briefOf(pieces, rateHz, channels) {
      const child = spawn(program, [String(rateHz), String(channels), 'brief'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const said = text(child.stdout);
      await pipeline(Readable.from(bytesOf(pieces), { objectMode: false }), child.stdin);
      return JSON.parse(await said) as BriefFigures;
    },
    brief: (samples, rateHz, channels) => run(samples, rateHz, channels, 'brief'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function* bytesOf(pieces: Iterable<Float32Array>): Generator<Buffer> {
  // A copy, as whoever makes the pieces may fill the same memory again before this one was written.
  for (const { buffer, byteOffset, byteLength } of pieces)
    yield Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
}
