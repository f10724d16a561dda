// The usual way: one ffmpeg per mount measures, and Node reads what it writes to stderr.
// node ffmpeg-reader.mjs URL...   Every second it says how many of them spoke in the last 1.5 s.
import { spawn } from 'node:child_process';

const FRESH_MS = 1500;
const START_EVERY_MS = 40;
const LEVEL = /t:\s*([\d.]+).*M:\s*(-?[\d.]+|nan|-inf).*FTPK:\s*(\S+)/;
const SILENCE = /silence_(start|end): (-?[\d.]+)/;

const urls = process.argv.slice(2);
const legs = [];

function readLine(leg, line) {
  const silence = SILENCE.exec(line);
  if (silence !== null) leg.silent = silence[1] === 'start';
  const level = LEVEL.exec(line);
  if (level === null) return;
  leg.momentaryLufs = Number(level[2]);
  leg.truePeakDbfs = Number(level[3]);
  leg.heardAtMs = performance.now();
}

function listen(url) {
  const leg = { silent: false, momentaryLufs: -Infinity, truePeakDbfs: -Infinity, heardAtMs: -Infinity };
  const measures = 'silencedetect=n=-50dB:d=2,ebur128=peak=true';
  const args = ['-nostdin', '-hide_banner', '-nostats', '-i', url, '-af', measures, '-f', 'null', '-'];
  // An ffmpeg dies with its reader, whatever ends that.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'ffmpeg', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let rest = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) readLine(leg, line);
  });
  legs.push(leg);
}

for (const url of urls) {
  listen(url);
  await new Promise((resolve) => setTimeout(resolve, START_EVERY_MS));
}
setInterval(() => {
  const nowMs = performance.now();
  const heard = legs.filter((leg) => !leg.silent && nowMs - leg.heardAtMs < FRESH_MS).length;
  process.stdout.write(`heard ${heard}\n`);
}, 1000);
process.once('SIGTERM', () => process.exit(0));
