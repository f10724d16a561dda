import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  briefOfFile(path: string, rateHz: number, channels: number): BriefFigures;
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
    briefOfFile(path, rateHz, channels) {
      const file = openSync(path, 'r');
      try {
        const words = [String(rateHz), String(channels), 'brief'];
        const output = execFileSync(program, words, { stdio: [file, 'pipe', 'inherit'], maxBuffer: 2 ** 26 });
        return JSON.parse(output.toString()) as BriefFigures;
      } finally {
        closeSync(file);
      }
    },
    brief: (samples, rateHz, channels) => run(samples, rateHz, channels, 'brief'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
