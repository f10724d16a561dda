import { describe, expect, it } from 'vitest';
import type { HeardLevels } from '../../../src/audio/programme-meter.ts';
import { faultsOf, listenToProgramme } from '../../../src/cli/measure/listener.ts';
import { parseLiveUrl } from '../../../src/cli/measure/live-source.ts';
import { JUDGEMENT } from '../../../src/cli/measure/measurement.ts';
import { parseOptions } from '../../../src/cli/measure/options.ts';
import { Silences } from '../../../src/cli/measure/silences.ts';

describe('the options of measure', () => {
  it('are the thresholds of the agent unless told otherwise', () => {
    expect(parseOptions({})).toEqual({ ok: true, value: { judgement: JUDGEMENT, durationSeconds: null } });
    expect(JUDGEMENT).toEqual({ thresholdDbfs: -50, tripMs: 5_000, preset: 'music', targetLufs: null });
  });

  it('are understood with their units', () => {
    const parsed = parseOptions({
      duration: '1m',
      silenceThreshold: '-42.5 dBFS',
      trip: '10s',
      preset: 'classical',
      target: '-16 LUFS',
    });
    expect(parsed).toEqual({
      ok: true,
      value: {
        judgement: { thresholdDbfs: -42.5, tripMs: 10_000, preset: 'classical', targetLufs: -16 },
        durationSeconds: 60,
      },
    });
  });

  it.each([
    [{ duration: '30' }, '--duration: "30" has no unit: write 30s'],
    [{ duration: '10ms' }, '--duration: it may be from 1s to 24h'],
    [{ silenceThreshold: '-50' }, '--silence-threshold: "-50" has no unit: write -50 dBFS'],
    [{ silenceThreshold: '3 dBFS' }, '--silence-threshold: it may be from -90 dBFS to -10 dBFS'],
    [{ trip: 'soon' }, '--trip: "soon" is not a duration'],
    [{ preset: 'opera' }, '--preset: "opera" is none of talk, music, classical'],
    [{ target: '-16 dB' }, '--target: "-16 dB" has'],
  ])('are refused in one line: %j', (options, message) => {
    const parsed = parseOptions(options);
    expect(parsed.ok ? '' : parsed.message).toContain(message);
  });
});

describe('the address of a live mount', () => {
  it('is taken apart, the password out of sight', () => {
    expect(parseLiveUrl('https://me:s%40cret@radio.example/my%20fm.mp3')).toEqual({
      server: { host: 'radio.example', port: 443, tls: true },
      path: '/my fm.mp3',
      credentials: { user: 'me', password: 's@cret' },
      shown: 'https://radio.example/my%20fm.mp3',
    });
  });

  it.each([
    ['ftp://radio.example/a.mp3', 'ftp://radio.example/a.mp3 is no http or https address'],
    ['http://radio.example/a?token=1', 'http://radio.example/a: an address with a question mark'],
    ['http://me:secret@radio.example:99999/a', 'http://radio.example:99999/a is no valid address'],
  ])('is refused in one line when it is %s', (text, message) => {
    expect(() => parseLiveUrl(text)).toThrow(message);
  });
});

/** So many seconds of blocks of 100 ms, how much of each was sound, and at what level. */
type Part = [seconds: number, audibleMs: number, levelDbfs: number];

function blocks(parts: readonly Part[]): HeardLevels[] {
  const all = parts.flatMap(([seconds, audibleMs, level]) =>
    Array.from({ length: Math.round(seconds * 10) }, () => ({ audibleMs, rmsDbfs: [level, level - 1] })),
  );
  return all.map((block, index) => ({ ...block, endSeconds: (index + 1) / 10 }));
}

function silencesIn(...parts: Part[]) {
  const silences = new Silences(JUDGEMENT);
  for (const block of blocks(parts)) silences.push(block);
  return silences.faults();
}

describe('silence', () => {
  it('has the beginning and the end of the quiet, and its level without what came after', () => {
    const [silence, ...others] = silencesIn([10, 100, -20], [8, 0, -64], [10, 100, -10]);
    expect(others).toEqual([]);
    expect(silence).toMatchObject({ kind: 'silence', startSeconds: 10, endSeconds: 18 });
    expect(silence?.evidence['levelDbfs']).toBeCloseTo(-64, 6);
    expect(silence?.evidence['thresholdDbfs']).toBe(-50);
  });

  it('has no end while it lasts', () => {
    expect(silencesIn([10, 100, -20], [8, 0, -64])).toMatchObject([{ startSeconds: 10, endSeconds: null }]);
  });

  it('is no fault before the trip delay', () => {
    expect(silencesIn([10, 100, -20], [3.8, 0, -64], [5, 100, -20])).toEqual([]);
  });

  it('is found at the very beginning', () => {
    expect(silencesIn([6, 0, Number.NEGATIVE_INFINITY])).toMatchObject([
      { startSeconds: 0, endSeconds: null, evidence: { levelDbfs: Number.NEGATIVE_INFINITY } },
    ]);
  });

  it('is found each time', () => {
    const parts: Part[] = [
      [10, 100, -20],
      [7, 0, -90],
      [10, 100, -20],
      [7, 0, -70],
      [5, 100, -20],
    ];
    expect(silencesIn(...parts).map(({ startSeconds }) => startSeconds)).toEqual([10, 27]);
  });
});

describe('faults as they are told', () => {
  const episode = (kind: 'mono' | 'loop-suspected' | 'stuck-loop' | 'tone', startSeconds: number) => ({
    kind,
    startSeconds,
    tripSeconds: startSeconds + 1,
    endSeconds: startSeconds + 20,
    evidence: {},
  });

  it('leave out mono, and a suspicion that was proven', () => {
    const told = faultsOf([
      episode('mono', 0),
      episode('loop-suspected', 30),
      episode('stuck-loop', 30),
      episode('loop-suspected', 90),
      episode('tone', 100),
    ]);
    expect(told.map(({ kind, startSeconds }) => [kind, startSeconds])).toEqual([
      ['stuck-loop', 30],
      ['loop-suspected', 90],
      ['tone', 100],
    ]);
  });
});

describe('hearing a programme', () => {
  const second = (level: number) =>
    Float32Array.from(
      { length: 96_000 },
      (_, at) => level * Math.sin((2 * Math.PI * 997 * (at >> 1)) / 48_000),
    );

  it('takes exactly as much as is wanted, wherever the pieces end', () => {
    const listener = listenToProgramme(JUDGEMENT, 2.5);
    for (let piece = 0; piece < 4; piece += 1) listener.push(second(0.1));
    expect(listener.isFull).toBe(true);
    expect(listener.heardSeconds).toBe(2.5);
    expect(listener.result().summary.durationSeconds).toBe(2.5);
  });

  it('knows no loudness of 3 s where less was heard, nor of 400 ms, and takes neither for silence', () => {
    const summaryOf = (seconds: number) => {
      const listener = listenToProgramme(JUDGEMENT, seconds);
      for (let piece = 0; piece < seconds; piece += 1) listener.push(second(0.1));
      return listener.result().summary;
    };
    expect(summaryOf(3).maxShortTermLufs).toBeCloseTo(-20, 0);
    expect(summaryOf(2.9).maxShortTermLufs).toBeNaN();
    expect(summaryOf(2.9).maxMomentaryLufs).toBeCloseTo(-20, 0);
    expect(summaryOf(0.3).maxMomentaryLufs).toBeNaN();
  });

  it('knows both sides for the same', () => {
    const listener = listenToProgramme(JUDGEMENT, null);
    for (let piece = 0; piece < 60; piece += 1) listener.push(second(piece % 2 ? 0.1 : 0.03));
    expect(listener.result()).toMatchObject({ isMono: true });
    expect(listener.isFull).toBe(false);
  });

  it('keeps more faults than the meter remembers', () => {
    const listener = listenToProgramme(JUDGEMENT, null);
    const sound = second(0.1);
    const quiet = new Float32Array(96_000);
    for (let time = 0; time < 70; time += 1) {
      for (let s = 0; s < 6; s += 1) listener.push(quiet);
      for (let s = 0; s < 2; s += 1) listener.push(sound);
    }
    const silences = listener.result().faults.filter(({ kind }) => kind === 'silence');
    expect(silences).toHaveLength(70);
  });
});
