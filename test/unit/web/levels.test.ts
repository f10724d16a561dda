import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { stationName } from '../../../src/domain/ids.ts';
import type { ChannelLevels } from '../../../src/domain/levels.ts';
import type { ProcessingReading } from '../../../src/domain/readings.ts';
import { decodeFrame, encodeFrame } from '../../../src/web/levels/frame.ts';
import { type LevelReader, LevelsHub } from '../../../src/web/levels/hub.ts';
import { decodeProcessing, encodeProcessing } from '../../../src/web/levels/processing-frame.ts';
import { manualClock } from '../platform/clocks.ts';
import { LEVELS, startTestWeb, stationLevels } from './support.ts';

const arrayBufferOf = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
const frameOf = (bytes: Uint8Array) => decodeFrame(arrayBufferOf(bytes));

describe('a frame', () => {
  test('has 8 bytes and 16 for each channel, and says what was measured to a hundredth of a decibel', () => {
    const bytes = encodeFrame({ station: 1, sequence: 7, channels: [LEVELS, LEVELS] });
    expect(bytes.length).toBe(40);
    expect(frameOf(bytes)).toEqual({ station: 1, sequence: 7, channels: [LEVELS, LEVELS] });
  });

  test('keeps apart what is silent from what is not known', () => {
    const channel: ChannelLevels = {
      ...LEVELS,
      rmsDbfs: [Number.NEGATIVE_INFINITY, Number.NaN],
      gainReductionDb: Number.NaN,
    };
    expect(frameOf(encodeFrame({ station: 0, sequence: 0, channels: [channel] }))?.channels).toEqual([
      channel,
    ]);
  });

  test('is never misread: any bytes are a frame or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const frame = frameOf(bytes);
        return frame === null || bytes.length === 8 + 16 * frame.channels.length;
      }),
    );
  });

  test('brings any level back within half a hundredth, or at the end of its range', () => {
    fc.assert(
      fc.property(fc.double({ min: -320, max: 320, noNaN: true }), (db) => {
        const bytes = encodeFrame({ station: 0, sequence: 0, channels: [{ ...LEVELS, momentaryLufs: db }] });
        return Math.abs((frameOf(bytes)?.channels[0]?.momentaryLufs ?? 0) - db) <= 0.0051;
      }),
    );
  });
});

const PROCESSED: ProcessingReading = {
  endSeconds: 12.3,
  inMomentaryLufs: -28.25,
  inShortTermLufs: Number.NaN,
  outMomentaryLufs: Number.NEGATIVE_INFINITY,
  outShortTermLufs: -16.01,
  levellerGainDb: -11.5,
  makeupGainDb: 0.75,
  bandReductionDb: [0, 1.25, 2.5, 3.75, 15.5],
  limiterReductionDb: 6.01,
  invalidTotal: 0,
};

describe('a frame of processing', () => {
  test('has 32 bytes for five bands, and says each figure to a hundredth of a decibel', () => {
    const bytes = encodeProcessing(3, PROCESSED);
    const { endSeconds: _end, invalidTotal: _invalid, ...figures } = PROCESSED;
    expect(bytes.length).toBe(32);
    expect(decodeProcessing(arrayBufferOf(bytes))).toEqual({ station: 3, sequence: 123, figures });
  });

  test('and a frame of levels are never taken for each other', () => {
    const levels = encodeFrame({ station: 0, sequence: 0, channels: [LEVELS] });
    expect(decodeProcessing(arrayBufferOf(levels))).toBeNull();
    expect(frameOf(encodeProcessing(0, PROCESSED))).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const frame = decodeProcessing(arrayBufferOf(bytes));
        return frame === null || bytes.length === 22 + 2 * frame.figures.bandReductionDb.length;
      }),
    );
  });
});

describe('the hub of the meters', () => {
  function reader(bufferedBytes = () => 0) {
    const got: (string | Uint8Array)[] = [];
    const made: LevelReader = {
      get bufferedBytes() {
        return bufferedBytes();
      },
      send: (message) => got.push(message),
    };
    return { made, got };
  }

  test('says hello, and then sends 20 frames a second', () => {
    const clock = manualClock();
    const hub = new LevelsHub({ stations: [stationLevels()], clock });
    const { made, got } = reader();
    hub.add(made);
    expect(JSON.parse(String(got[0]))).toMatchObject({
      version: 1,
      framesPerSecond: 20,
      stations: [{ station: 'myfm', channels: [{ kind: 'leg', source: 'primary', thresholdDbfs: -50 }] }],
    });
    clock.advance(1000);
    expect(got).toHaveLength(21);
  });

  test('says hello once more when a reload has changed what it said', () => {
    const clock = manualClock();
    let { channels } = stationLevels();
    const levels = {
      ...stationLevels(),
      get channels() {
        return channels;
      },
    };
    const hub = new LevelsHub({ stations: [levels], clock });
    const { made, got } = reader();
    hub.add(made);
    clock.advance(100);
    channels = channels.map((channel) => ({ ...channel, thresholdDbfs: -40 }));
    clock.advance(100);
    const hellos = got.filter((message) => typeof message === 'string');
    expect(hellos.map((hello) => JSON.parse(hello).stations[0].channels[0].thresholdDbfs)).toEqual([
      -50, -40,
    ]);
    expect(got).toHaveLength(6);
  });

  test('sends each reading of the processing, ten in a second', () => {
    const clock = manualClock();
    const unread: ProcessingReading[] = [];
    const levels = { ...stationLevels(), processed: () => unread.splice(0) };
    const hub = new LevelsHub({ stations: [levels], clock });
    const { made, got } = reader();
    hub.add(made);
    for (let tenth = 1; tenth <= 10; tenth += 1) {
      unread.push({ ...PROCESSED, endSeconds: tenth / 10 });
      clock.advance(100);
    }
    const sequences = got.flatMap((message) => {
      const frame = typeof message === 'string' ? null : decodeProcessing(arrayBufferOf(message));
      return frame === null ? [] : [frame.sequence];
    });
    expect(sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('makes each frame once, for however many', () => {
    const clock = manualClock();
    const hub = new LevelsHub({ stations: [stationLevels()], clock });
    const all = [reader(), reader(), reader()];
    for (const { made } of all) hub.add(made);
    clock.advance(50);
    expect(new Set(all.map(({ got }) => got[1])).size).toBe(1);
  });

  test('asks for no levels while nobody watches', () => {
    const clock = manualClock();
    let reads = 0;
    const levels = stationLevels();
    const counted = {
      ...levels,
      read: () => {
        reads += 1;
        return levels.read();
      },
    };
    const hub = new LevelsHub({ stations: [counted], clock });
    clock.advance(1000);
    const leave = hub.add(reader().made);
    clock.advance(100);
    leave();
    clock.advance(1000);
    expect(reads).toBe(2);
  });

  test('gives who asks for one station only the frames of that one, and makes none that nobody wants', () => {
    const clock = manualClock();
    const names = ['first', 'second', 'third'];
    const read: string[] = [];
    const stations = names.map((name) => ({
      ...stationLevels(),
      station: stationName(name),
      read: () => {
        read.push(name);
        return [LEVELS];
      },
    }));
    const hub = new LevelsHub({ stations, clock });
    const one = reader();
    expect(hub.placeOf('fourth')).toBeNull();
    const leave = hub.add(one.made, hub.placeOf('second'));
    expect(JSON.parse(String(one.got[0])).stations).toHaveLength(3);
    clock.advance(100);
    expect(read).toEqual(['second', 'second']);
    const all = reader();
    hub.add(all.made);
    clock.advance(50);
    const placesOf = ({ got }: typeof all) =>
      got.slice(1).map((bytes) => frameOf(bytes as Uint8Array)?.station);
    expect(placesOf(one)).toEqual([1, 1, 1]);
    expect(placesOf(all)).toEqual([0, 1, 2]);
    leave();
    clock.advance(50);
    expect(one.got).toHaveLength(4);
  });

  test('gives a slow reader no more until it has fetched what it has, and counts what it lost', () => {
    const clock = manualClock();
    const hub = new LevelsHub({ stations: [stationLevels()], clock });
    let buffered = 100_000;
    const slow = reader(() => buffered);
    const quick = reader();
    hub.add(slow.made);
    hub.add(quick.made);
    clock.advance(500);
    expect([slow.got.length, quick.got.length]).toEqual([1, 11]);
    expect(hub.frames).toEqual({ sent: 10, dropped: 10 });
    buffered = 0;
    clock.advance(50);
    const frame = frameOf(slow.got[1] as Uint8Array);
    expect(frame?.sequence).toBe(10);
  });
});

describe('the WebSocket', () => {
  const urlOf = (url: string, path = '/api/v1/levels') => `${url.replace('http', 'ws')}${path}`;
  const open = (url: string, headers: Record<string, string>, path?: string) =>
    new WebSocket(urlOf(url, path), { headers });
  const see = { authorization: 'Bearer see' };

  /** How the server answered an upgrade that it didn't make. */
  const refusalOf = (socket: WebSocket) =>
    new Promise<number | undefined>((resolve, reject) => {
      socket.on('error', () => {});
      socket.once('open', () => reject(new Error('it was let in')));
      socket.once('unexpected-response', (_request, answer) => resolve(answer.statusCode));
    });

  test('brings a hello as text and frames as bytes to whoever has a token', async () => {
    const { web } = await startTestWeb();
    const socket = open(web.url, see, '/api/v1/levels?station=myfm');
    const messages: [Buffer, boolean][] = [];
    socket.on('message', (data: Buffer, isBinary) => messages.push([data, isBinary]));
    while (messages.length < 3) await once(socket, 'message');
    expect(messages.map(([, isBinary]) => isBinary).slice(0, 3)).toEqual([false, true, true]);
    const [frame] = messages[1] ?? [Buffer.alloc(0)];
    expect(frameOf(frame)?.channels).toEqual([LEVELS]);
    socket.terminate();
  });

  test.each([
    ['nothing to show', {}, undefined, 401],
    ['a wrong token', { authorization: 'Bearer sea' }, undefined, 403],
    ['a token, from a page elsewhere', { ...see, origin: 'http://evil.example' }, undefined, 403],
    ['a token, on another path', see, '/api/v1/elsewhere', 404],
    ['a token, for a station that there is not', see, '/api/v1/levels?station=yours', 404],
    ['nothing to show, for a station that there is not', {}, '/api/v1/levels?station=yours', 401],
  ])('with %s is not opened', async (_what, headers: Record<string, string>, path, status) => {
    const { web } = await startTestWeb();
    expect(await refusalOf(open(web.url, headers, path))).toBe(status);
  });

  test('that is refused is let go of, also when the client keeps its half open for ever', async () => {
    const { web } = await startTestWeb();
    const socket = connect({ port: Number(new URL(web.url).port), host: '127.0.0.1', allowHalfOpen: true });
    const lost = new Promise((resolve) => socket.once('error', resolve));
    const head = ['GET /api/v1/levels HTTP/1.1', 'host: x', 'connection: upgrade', 'upgrade: websocket'];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    await once(socket, 'end');
    expect(answer).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n.*\{"error":/s);
    // Only a connection that is gone there doesn't take what is sent.
    const talking = setInterval(() => socket.write('x'), 20);
    try {
      expect(await lost).toMatchObject({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) as string });
    } finally {
      clearInterval(talking);
      socket.destroy();
    }
  });

  test('that says something is closed', async () => {
    const { web } = await startTestWeb();
    const socket = open(web.url, see);
    await once(socket, 'open');
    socket.send('hello');
    expect((await once(socket, 'close'))[0]).toBe(1008);
  });

  test('that says more than a KiB is closed before it is read', async () => {
    const { web } = await startTestWeb();
    const socket = open(web.url, see);
    await once(socket, 'open');
    socket.send(Buffer.alloc(2000));
    expect((await once(socket, 'close'))[0]).toBe(1009);
  });

  test('that answers no ping is closed', async () => {
    const clock = manualClock();
    const { web } = await startTestWeb({ clock });
    const { port } = new URL(web.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      [
        'GET /api/v1/levels HTTP/1.1',
        'host: x',
        'connection: upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
        'authorization: Bearer see',
        '\r\n',
      ].join('\r\n'),
    );
    await once(socket, 'data');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    clock.advance(20_000);
    clock.advance(20_000);
    await closed;
  });

  test('asked for without an upgrade is answered 426', async () => {
    const { get } = await startTestWeb();
    expect((await get('/api/v1/levels', 'Bearer see')).status).toBe(426);
  });
});
