// An hour of audio through the plain C++ meter under the sanitizers, and through valgrind where it is installed:
// node test/native/soak/run.mjs [seconds] [seed] [--sanitizers-only]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const [seconds = '3600', seed = '1'] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const sanitizersOnly = process.argv.includes('--sanitizers-only');
const dsp = fileURLToPath(new URL('../../../native-bindings/src/dsp', import.meta.url));
const source = fileURLToPath(new URL('soak.cpp', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sustain-soak-'));

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) throw error;
  return status === 0;
}

function build(name, flags) {
  const program = join(folder, name);
  const sources = readdirSync(dsp).filter((file) => file.endsWith('.cpp'));
  const paths = [source, ...sources.map((file) => join(dsp, file))];
  if (!run('g++', ['-std=c++17', '-g1', ...flags, '-I', dsp, ...paths, '-o', program])) exit(1);
  return program;
}

let ok = true;
try {
  // At -O1 g++ needs half the time for the sanitizers' checks, and leaves none of them out that -O2 would keep.
  const sanitizers = [
    '-O1',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
    '-fno-omit-frame-pointer',
  ];
  console.log(`sanitizers, ${seconds} s:`);
  ok = run(build('sanitized', sanitizers), [seconds, seed]) && ok;
  if (sanitizersOnly) {
    console.log('without valgrind');
  } else if (spawnSync('valgrind', ['--version']).status === 0) {
    const checks = [
      '--error-exitcode=9',
      '--leak-check=full',
      '--show-leak-kinds=all',
      '--errors-for-leak-kinds=all',
      '-q',
    ];
    console.log(`valgrind, ${seconds} s:`);
    ok = run('valgrind', [...checks, build('plain', ['-O2']), seconds, seed]) && ok;
  } else {
    console.log('valgrind is not installed: apt-get install valgrind');
  }
} finally {
  rmSync(folder, { recursive: true });
}
exit(ok ? 0 : 1);
