import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MeasureOptions, type MeasureSurroundings, measure } from '../../src/cli/measure.ts';
import {
  createEncoder,
  createProgramme,
  type Encoder,
  type IcecastServer,
  startIcecast,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';

const CLI = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const MUSIC = [
  '/usr/share/games/singularity/music/Through Space.ogg',
  '/usr/share/games/asc/music/frontiers.mp3',
];

const folder = temporaryDirectory('measure', null);
const inFolder = (name: string): string => join(folder.path, name);
const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) server.close();
  folder.remove();
});

function ffmpeg(...words: string[]): Buffer {
  return execFileSync('ffmpeg', ['-nostdin', '-y', '-v', 'error', ...words], { maxBuffer: 2 ** 28 });
}

/** -23 dBFS peak on both sides is -23 LUFS (EBU Tech 3341, case 1). */
const SINE = 'aevalsrc=0.0707946*sin(2*PI*997*t)|0.0707946*sin(2*PI*997*t):s=48000:d=20';

async function run(what: string, options: MeasureOptions = {}, more: MeasureSurroundings = {}) {
  const out: string[] = [];
  const said: string[] = [];
  const terminal = { write: (text: string) => said.push(text) };
  const code = await measure(what, options, { print: (text) => out.push(text), terminal, ...more });
  return { code, out: out.join('\n'), said: said.join('').trimEnd() };
}

async function figures(what: string, options: MeasureOptions = {}) {
  const { code, out, said } = await run(what, { ...options, json: true });
  expect({ code, said }).toEqual({ code: 0, said: '' });
  return JSON.parse(out);
}

describe('a file', () => {
  it('that is - is what comes on the standard input', () => {
    const words = [CLI, 'measure', '-', '--json'];
    const input = ffmpeg('-f', 'lavfi', '-i', SINE, '-f', 'wav', '-');
    const { integratedLufs } = JSON.parse(execFileSync(process.execPath, words, { input, encoding: 'utf8' }));
    expect(integratedLufs).toBeCloseTo(-23, 0);
  });

  it.each([
    ['sine.wav', ['-c:a', 'pcm_s24le']],
    ['sine.flac', []],
    ['sine.mp3', ['-c:a', 'libmp3lame', '-b:a', '320k']],
    ['sine.aac', ['-c:a', 'aac', '-b:a', '128k']],
    ['vorbis.ogg', ['-c:a', 'libvorbis', '-q:a', '6']],
    ['sine.opus', ['-c:a', 'libopus', '-b:a', '128k']],
    ['sine.m4a', ['-c:a', 'aac', '-movflags', '+faststart']],
    ['sine.webm', ['-c:a', 'libopus']],
    ['44100.wav', ['-ar', '44100']],
    ['96000.flac', ['-ar', '96000']],
    // The name says nothing, the content does.
    ['sine.txt', ['-f', 'flac']],
  ])('%s of a sine at -23 dBFS measures -23 LUFS', async (name, format) => {
    ffmpeg('-f', 'lavfi', '-i', SINE, ...format, inFolder(name));
    const measured = await figures(inFolder(name));
    expect(Math.abs(measured.integratedLufs + 23)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(measured.maxShortTermLufs + 23)).toBeLessThanOrEqual(0.2);
    expect(Math.abs(measured.rmsDbfs[0] + 26)).toBeLessThanOrEqual(0.1);
    expect(measured.durationSeconds).toBeGreaterThan(19.9);
    expect(measured.durationSeconds).toBeLessThan(20.1);
    expect(measured.faults).toMatchObject([{ kind: 'tone', endSeconds: null }]);
  });

  const SINE_20 = '0.1*sin(2*PI*997*t)';
  it.each([
    ['one channel', 'mono', [SINE_20], -20],
    ['two channels that are the same', 'stereo', [SINE_20, SINE_20], -20],
    ['six channels with sound in front', '5.1', [SINE_20, SINE_20, '0', '0', '0', '0'], -20],
    // ITU-R BS.775-3, annex 4, table 2: 0.7071 of the centre goes to each side.
    ['six channels with sound in the middle', '5.1', ['0', '0', SINE_20, '0', '0', '0'], -23.01],
    ['six channels with sound behind', '5.1', ['0', '0', '0', '0', SINE_20, SINE_20], -23.01],
  ])('of %s is as loud as from two loudspeakers', async (_what, layout, channels, peakDbfs) => {
    const sound = `aevalsrc=${channels.join('|')}:c=${layout}:s=48000:d=6`;
    ffmpeg('-f', 'lavfi', '-i', sound, '-c:a', 'pcm_s24le', inFolder('channels.wav'));
    const measured = await figures(inFolder('channels.wav'));
    expect(Math.abs(measured.truePeakDbtp - peakDbfs)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(measured.samplePeakDbfs - peakDbfs)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(measured.integratedLufs - peakDbfs)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(measured.rmsDbfs[1] - (peakDbfs - 3.01))).toBeLessThanOrEqual(0.1);
  });

  it('with silence in it tells when it began and ended', async () => {
    const quiet = "volume='if(between(t,30.35,48.6),0,1)':eval=frame,asetnsamples=480";
    for (const name of ['silent.flac', 'silent.mp3', 'silent.opus']) {
      ffmpeg(
        '-ss',
        '40',
        '-t',
        '80',
        '-i',
        MUSIC[0] ?? '',
        '-af',
        `asetnsamples=480,${quiet}`,
        inFolder(name),
      );
      const { faults } = await figures(inFolder(name));
      const silences = faults.filter(({ kind }: { kind: string }) => kind === 'silence');
      expect(silences, name).toHaveLength(1);
      expect(Math.abs(silences[0].startSeconds - 30.35), name).toBeLessThanOrEqual(0.2);
      expect(Math.abs(silences[0].endSeconds - 48.6), name).toBeLessThanOrEqual(0.4);
    }
  });

  it.each(MUSIC)('%s measures what ffmpeg measures of it, within 0.1 LU', async (path) => {
    const measured = await figures(path);
    const reference = ebur128(path);
    expect(Math.abs(measured.integratedLufs - reference.integrated)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(measured.truePeakDbtp - reference.truePeak)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(measured.loudnessRangeLu - reference.range)).toBeLessThanOrEqual(0.2);
    expect(measured.faults.filter(({ kind }: { kind: string }) => kind === 'silence')).toEqual([]);
  });

  it('is measured only as far as was asked', async () => {
    expect(await figures(MUSIC[0] ?? '', { duration: '12s' })).toMatchObject({ durationSeconds: 12 });
  });

  it('is measured by the thresholds that were asked for', async () => {
    ffmpeg('-f', 'lavfi', '-i', 'anoisesrc=c=white:a=0.02:d=20:seed=3', '-ac', '2', inFolder('noise.wav'));
    const path = inFolder('noise.wav');
    const kinds = async (options: MeasureOptions) =>
      (await figures(path, options)).faults.map(({ kind }: { kind: string }) => kind);
    expect(await kinds({})).not.toContain('silence');
    expect(await kinds({ silenceThreshold: '-30 dBFS' })).toContain('silence');
    expect(await kinds({ silenceThreshold: '-30 dBFS', trip: '30s' })).not.toContain('silence');
    expect(await figures(MUSIC[0] ?? '', { target: '-30 LUFS' })).toMatchObject({
      faults: [{ kind: 'too-loud' }],
    });
  });

  it('is told in a table a person can read', async () => {
    const { code, out } = await run(MUSIC[0] ?? '', { duration: '20s' });
    expect(code).toBe(0);
    expect(out).toContain('Through Space.ogg (Ogg), 20.0 s measured');
    expect(out).toMatch(/integrated loudness +-\d+\.\d LUFS/);
    expect(out).toContain('no faults');
  });

  it('shows on a terminal how far it is', async () => {
    const said: string[] = [];
    const terminal = { isTTY: true, columns: 80, write: (text: string) => said.push(text) };
    ffmpeg('-stream_loop', '2', '-i', MUSIC[1] ?? '', '-c', 'copy', inFolder('long.mp3'));
    const { code } = await run(inFolder('long.mp3'), {}, { terminal });
    expect(code).toBe(0);
    expect(said.join('')).toMatch(/\[#+-+\] +\d+ % +[\d:.]+ heard, .* left/);
    expect(said.at(-1)).toBe('\r\u001b[K');
  });
});

function ebur128(path: string) {
  // At 48 kHz, as the agent hears it.
  const filters = 'aresample=48000,ebur128=peak=true:framelog=verbose';
  const words = ['-nostdin', '-hide_banner', '-nostats', '-i', path, '-af', filters, '-f', 'null', '-'];
  // Its figures come on stderr, which only a shell hands over when all goes well.
  const said = execFileSync('sh', ['-c', 'exec ffmpeg "$@" 2>&1', 'sh', ...words], { encoding: 'utf8' });
  const figure = (pattern: RegExp) => Number(pattern.exec(said.split('Summary:').at(-1) ?? '')?.[1]);
  return {
    integrated: figure(/I: +(-?[\d.]+) LUFS/),
    range: figure(/LRA: +(-?[\d.]+) LU/),
    truePeak: figure(/True peak:\s+Peak: +(-?[\d.]+) dBFS/),
  };
}

describe('what cannot be measured', () => {
  const write = (name: string, content: string | Buffer): string => {
    writeFileSync(inFolder(name), content);
    return inFolder(name);
  };
  const refused = async (what: string) => {
    const { code, out, said } = await run(what, { json: true });
    expect({ code, out, lines: said.split('\n').length }).toEqual({ code: 2, out: '', lines: 1 });
    return said;
  };

  it('is refused in one line: a file that is missing, empty, a folder, or no sound', async () => {
    expect(await refused(inFolder('nowhere.mp3'))).toContain('nowhere.mp3 does not exist');
    expect(await refused(write('empty.mp3', ''))).toContain('empty.mp3 is empty');
    expect(await refused(folder.path)).toContain('is a folder');
    expect(await refused(write('page.mp3', '<!DOCTYPE html><html>'))).toContain('is no sound that is known');
  });

  it('is refused in one line: a file that only begins like sound', async () => {
    const garbage = Buffer.alloc(100_000, 0x5a);
    const made = (head: string) => Buffer.concat([Buffer.from(head), garbage]);
    expect(await refused(write('bad.flac', made('fLaC')))).toContain('cannot be decoded as FLAC');
    expect(await refused(write('bad.ogg', made('OggS')))).toContain('cannot be decoded as Ogg');
    expect(await refused(write('bad.wav', made('RIFF\0\0\0\0WAVE')))).toContain('cannot be decoded as WAV');
    const tag = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 0]);
    expect(await refused(write('tag.mp3', tag))).toContain('holds an ID3 tag and no sound');
  });

  it('is refused in one line: an M4A that cannot be read in order', async () => {
    ffmpeg('-f', 'lavfi', '-i', SINE, '-c:a', 'aac', inFolder('late.m4a'));
    expect(await refused(inFolder('late.m4a'))).toContain('faststart');
  });

  it('never lets a playlist or a link in a file reach anything else', async () => {
    const list = `#EXTM3U\n${inFolder('sine.wav')}\n`;
    expect(await refused(write('list.mp3', list))).toContain('is no sound that is known');
    const concat = `ffconcat version 1.0\nfile '${inFolder('sine.wav')}'\n`;
    expect(await refused(write('concat.flac', concat))).toContain('is no sound that is known');
  });

  it('is refused in one line: an option that cannot be meant, an address that is none', async () => {
    const { code, said } = await run(inFolder('sine.wav'), { duration: '30' });
    expect({ code, said }).toEqual({
      code: 2,
      said: '--duration: "30" has no unit: write 30s (or 30ms, 30m, 30h)',
    });
    expect(await refused('ftp://127.0.0.1/a.mp3')).toContain('is no http or https address');
  });

  it('is refused in one line: a server that refuses, sends a page, or knows no such mount', async () => {
    expect(await refused('http://127.0.0.1:9/stream')).toContain('http://127.0.0.1:9/stream: ');
    const page = await serve((_path, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hello</html>');
    });
    expect(await refused(`${page}/stream`)).toContain('text/html, which is no sound');
    const none = await serve((_path, response) => response.writeHead(404).end());
    expect(await refused(`${none}/stream`)).toContain('404');
    const liar = await serve((_path, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('<!DOCTYPE html><html>hello</html>');
    });
    expect(await refused(`${liar}/stream`)).toContain('web page');
  });

  it('is told, and what is whole is measured, when a file is damaged in the middle', async () => {
    const whole = ffmpeg('-f', 'lavfi', '-i', SINE, '-b:a', '128k', '-f', 'mp3', 'pipe:1');
    const damaged = Buffer.concat([
      whole.subarray(0, 100_000),
      Buffer.alloc(20_000, 0x5a),
      whole.subarray(150_000),
    ]);
    const { code, out, said } = await run(write('damaged.mp3', damaged), { json: true });
    expect(code).toBe(0);
    expect(said).toContain('ffmpeg found damage in it');
    expect(JSON.parse(out).durationSeconds).toBeGreaterThan(10);
  });
});

describe('a stream that is not what it says', () => {
  it('is asked again without titles when they are not where the server says', async () => {
    const sound = ffmpeg('-f', 'lavfi', '-i', SINE, '-b:a', '320k', '-f', 'mp3', 'pipe:1');
    const asked: (string | undefined)[] = [];
    const url = await serve((_path, response) => {
      const wanted = response.req.headers['icy-metadata'];
      asked.push(typeof wanted === 'string' ? wanted : undefined);
      response.writeHead(200, { 'content-type': 'audio/mpeg', 'icy-metaint': '8000' });
      response.write(sound);
    });
    const { integratedLufs } = await figures(`${url}/stream`, { duration: '15s' });
    expect(asked).toEqual(['1', undefined]);
    expect(Math.abs(integratedLufs + 23)).toBeLessThanOrEqual(0.1);
  });

  it('is given up in one line when no sound is in it', async () => {
    const url = await serve((_path, response) => {
      response.writeHead(200, { 'content-type': 'audio/aac' });
      const timer = setInterval(() => response.write(Buffer.alloc(4_000, 0x5a)), 100);
      response.on('close', () => clearInterval(timer));
    });
    const { code, out, said } = await run(`${url}/stream`, { json: true });
    expect({ code, out, lines: said.split('\n').length }).toEqual({ code: 2, out: '', lines: 1 });
    expect(said).toContain(`${url}/stream cannot be decoded as AAC`);
  });
});

type Answer = (path: string, response: import('node:http').ServerResponse) => void;

async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => answer(request.url ?? '', response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a file on a web server', () => {
  it('is measured to its end, wherever the server sends us first', async () => {
    const bytes = ffmpeg('-f', 'lavfi', '-i', SINE, '-f', 'flac', 'pipe:1');
    const url = await serve((path, response) => {
      if (path === '/old') response.writeHead(302, { location: '/sine.bin' }).end();
      else
        response.writeHead(200, { 'content-length': bytes.length, 'content-type': 'audio/wave' }).end(bytes);
    });
    const { integratedLufs, durationSeconds } = await figures(`${url}/old`);
    expect(Math.abs(integratedLufs + 23)).toBeLessThanOrEqual(0.1);
    expect(durationSeconds).toBe(20);
  });
});

// At once, as each waits for real time.
describe.concurrent('a live mount', () => {
  const encoders: Encoder[] = [];
  let icecast: IcecastServer;

  async function encode(mount: string, codec: 'mp3' | 'aac' | 'vorbis', titles = false): Promise<Encoder> {
    const material = { samples: new Int16Array(2 * 44_100), pilotHz: 6_100 };
    const programme = createProgramme({ name: mount, material });
    programme.play({ is: 'tone', frequencyHz: 997, levelDbfs: -26.02 });
    const encoder = createEncoder({
      name: mount,
      programme,
      targets: [{ server: icecast.source, mount }],
      format: { codec },
      ...(titles ? { titlesEveryMs: 700 } : {}),
    });
    encoders.push(encoder);
    await encoder.start();
    return encoder;
  }

  beforeAll(async () => {
    icecast = await startIcecast({ host: '127.0.0.47' });
    await Promise.all([
      encode('/stream.mp3', 'mp3', true),
      encode('/stream.aac', 'aac'),
      encode('/stream.vorbis', 'vorbis'),
    ]);
  });

  afterAll(async () => {
    await Promise.all(encoders.map((encoder) => encoder.kill()));
    await icecast?.stop();
  });

  it.each(['mp3', 'aac', 'vorbis'])(
    'in %s is measured for as long as was asked, titles taken out',
    async (codec) => {
      const measured = await figures(`${icecast.url}/stream.${codec}`, { duration: '10s' });
      expect(measured.durationSeconds).toBe(10);
      // LAME takes 0.45 dB off at 128 kbit/s.
      expect(Math.abs(measured.integratedLufs + 23.2)).toBeLessThanOrEqual(0.4);
      expect(measured.faults).toEqual([]);
    },
  );

  it('is measured as far as it was heard when the encoder goes, and that is told', async () => {
    const encoder = await encode('/short.mp3', 'mp3');
    const measuring = run(`${icecast.url}/short.mp3`, { duration: '1m', json: true });
    setTimeout(() => encoder.stop(), 4_000);
    const { code, out, said } = await measuring;
    expect(code).toBe(1);
    expect(said).toMatch(/^broken off after [\d.]+ s: http:.*\/short\.mp3: the server/);
    expect(JSON.parse(out).durationSeconds).toBeGreaterThan(2);
  });

  it('is not there: one line and exit code 2', async () => {
    const { code, said } = await run(`${icecast.url}/none.mp3`);
    expect({ code, said }).toEqual({
      code: 2,
      said: `${icecast.url}/none.mp3: the server answered 404 File Not Found`,
    });
  });

  it('ends at Ctrl-C with what was measured so far, and leaves no process behind', async () => {
    await encode('/long.mp3', 'mp3');
    const child = spawn(process.execPath, [
      CLI,
      'measure',
      `${icecast.url}/long.mp3`,
      '--json',
      '--duration',
      '1h',
    ]);
    let out = '';
    child.stdout.on('data', (text: Buffer) => {
      out += text.toString();
    });
    const isListening = async () => ((await icecast.listenersOf('/long.mp3')) ?? []).length > 0;
    await waitUntil('it listens', 60_000, isListening);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    child.kill('SIGINT');
    // At `exit` the last of what it wrote may still be in the pipe.
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(0);
    expect(JSON.parse(out).durationSeconds).toBeGreaterThan(3);
  });
});
