import { beforeAll, describe, expect, test } from 'vitest';
import { type FaultEpisode, type FaultKind, Meter, type MeterSettings } from '../../native-bindings/index.ts';
import {
  amplified,
  type Codec,
  hum,
  joined,
  loopOf,
  mixed,
  pinkNoise,
  rateHz,
  remixed,
  seconds,
  through,
  tone,
  whiteNoise,
  withFloor,
} from './support/faulty.ts';
import { readingAt } from './support/feed.ts';
import { danceMusic, decode, music, sequencedMusic, speech } from './support/material.ts';

const programmes = new Map<string, Float32Array>();
const programme = (name: string): Float32Array => {
  const audio = programmes.get(name);
  if (audio === undefined) throw new Error(`no programme ${name}`);
  return audio;
};

beforeAll(() => {
  for (const material of music) {
    programmes.set(material.name, decode(material, { fromSeconds: 30, seconds: 60, rateHz, channels: 2 }));
  }
  programmes.set('speech', speech('espeak-ng', rateHz, 2));
});

const names = [...music.map(({ name }) => name), 'speech'];

function faultsOf(audio: Float32Array, settings: Partial<MeterSettings> = {}): FaultEpisode[] {
  const meter = new Meter({ sampleRateHz: rateHz, channels: 2, ...settings });
  meter.push(audio);
  return meter.faultEpisodes();
}

const notes: readonly FaultKind[] = ['mono', 'clipped'];
const kindsOf = (audio: Float32Array, settings?: Partial<MeterSettings>) =>
  faultsOf(audio, settings)
    .map(({ kind }) => kind)
    .filter((kind) => !notes.includes(kind));

/** Programme, then the fault, then programme again: the fault must be found in time, named alone, and end. */
function expectFound(
  kind: FaultKind,
  fault: Float32Array,
  withinSeconds: number,
  settings?: Partial<MeterSettings>,
): FaultEpisode {
  const lead = seconds(programme('synthesizer band'), 0, 20);
  const audio = joined(lead, fault, programme('synthesizer band'));
  const found = faultsOf(audio, settings).filter((episode) => !notes.includes(episode.kind));
  const kinds = new Set(found.map((episode) => episode.kind));
  kinds.delete('loop-suspected');
  expect([...kinds]).toEqual([kind]);
  const episode = found.find((each) => each.kind === kind);
  if (episode === undefined) throw new Error('not found');
  expect(episode.startSeconds).toBeGreaterThan(19.2);
  expect(episode.startSeconds).toBeLessThan(20.6);
  expect(episode.tripSeconds).toBeLessThanOrEqual(20 + withinSeconds);
  const endSeconds = 20 + fault.length / 2 / rateHz;
  expect(episode.endSeconds).toBeGreaterThan(endSeconds - 5);
  expect(episode.endSeconds).toBeLessThan(endSeconds + 20);
  return episode;
}

describe('who looks for faults', () => {
  test('finds the tone of its own leg, however many legs look beside it', () => {
    const hertz = [400, 1000, 5000] as const;
    const meters = hertz.map(() => new Meter({ sampleRateHz: rateHz, channels: 2 }));
    const tones = hertz.map((one) => tone(20, -18, one));
    for (let from = 0; from < 20; from += 1)
      meters.forEach((meter, leg) => {
        meter.push(seconds(tones[leg] ?? new Float32Array(0), from, from + 1));
      });
    const found = meters.map((meter) =>
      meter
        .faultEpisodes()
        .flatMap(({ kind, evidence }) => (kind === 'tone' ? [evidence['frequencyHz']] : [])),
    );
    hertz.forEach((one, leg) => {
      expect(Math.abs((found[leg]?.[0] ?? 0) - one)).toBeLessThan(5);
    });
  });

  test('gives the same figures when none are looked for, and no fault', () => {
    const audio = joined(seconds(programme('speech'), 0, 10), tone(20, -18, 1000));
    const [all, figures] = [{}, { findsFaults: false }].map((settings) => {
      const meter = new Meter({ sampleRateHz: rateHz, channels: 2, ...settings });
      meter.push(audio);
      const { row: _, ...reading } = readingAt(meter, 0);
      return { meter, reading };
    });
    expect(all?.meter.faultEpisodes().map(({ kind }) => kind)).toContain('tone');
    expect(figures?.meter.faultEpisodes()).toEqual([]);
    expect(figures?.reading).toEqual({ ...all?.reading, faults: 0, warnings: 0 });
    expect(figures?.meter.summary()).toEqual(all?.meter.summary());
  });
});

describe('noise-only is found within 25 s', () => {
  test.each([
    ['white hiss at -35 dBFS', () => whiteNoise(40, -35)],
    ['white hiss at -60 dBFS', () => whiteNoise(40, -60)],
    ['pink hiss at -45 dBFS', () => pinkNoise(40, -45)],
    ['hum of 50 Hz with harmonics at -35 dBFS', () => hum(40, -35, 50, 7)],
    ['hum of 60 Hz with harmonics at -50 dBFS', () => hum(40, -50, 60, 7)],
    ['hum that is a little off at 49.9 Hz', () => hum(40, -45, 49.9, 4)],
    ['a rectifier’s buzz of 50 Hz', () => hum(40, -40, 50, 80)],
    ['hum and hiss together', () => mixed(hum(40, -42, 50, 5), whiteNoise(40, -46))],
    ['hiss on one side', () => remixed(whiteNoise(40, -40), (left) => [left, 0])],
    [
      'hiss with a click every 4 s',
      () => remixed(whiteNoise(40, -45), (l, r, at) => (at % 4 < 0.01 ? [0.3, 0.3] : [l, r])),
    ],
  ])('%s', (_, fault) => {
    const noise = fault();
    for (const preset of ['talk', 'music', 'classical'] as const) {
      const { evidence } = expectFound('noise-only', noise, 25, { preset });
      expect(evidence['levelDbfs']).toBeLessThan(-34);
    }
  });

  const throughCodecs: readonly Codec[] = ['MP3 64k', 'AAC 64k', 'Opus 32k'];
  test.each(throughCodecs)('pink hiss through %s', (codec) => {
    expectFound('noise-only', seconds(through(codec, pinkNoise(45, -42)), 1, 41), 25);
  });
});

describe('tone is found within 15 s at any level', () => {
  test.each([
    ['1 kHz at -1 dBFS peak', 1000, -4],
    ['1 kHz at -18 dBFS', 1000, -18],
    ['400 Hz at -60 dBFS', 400, -60],
    ['12 kHz at -30 dBFS', 12_000, -30],
    ['100 Hz at -18 dBFS', 100, -18],
  ])('%s', (_, hertz, dbfs) => {
    const { evidence } = expectFound('tone', tone(40, dbfs, hertz), 15);
    expect(Math.abs((evidence['frequencyHz'] ?? 0) - hertz)).toBeLessThan(5);
    expect(Math.abs((evidence['levelDbfs'] ?? 0) - dbfs)).toBeLessThan(0.1);
  });

  test('line-up tone interrupted on the left, as EBU Tech 3304 has it', () => {
    const ident = remixed(tone(40, -21, 1000), (l, r, at) => [at % 3 < 0.25 ? 0 : l, r]);
    expectFound('tone', ident, 15);
  });

  test.each(['MP3 64k', 'AAC 64k', 'Opus 32k'] as const)('1 kHz through %s', (codec) => {
    expectFound('tone', seconds(through(codec, tone(45, -18, 1000)), 1, 41), 15);
  });

  test('1 kHz with dither through AAC 32k, which lets its level wander', () => {
    const voice = withFloor(seconds(programme('speech'), 0, 20), -72);
    const audio = through('AAC 32k', joined(voice, withFloor(tone(40, -18, 1000), -93)));
    const [episode] = faultsOf(audio).filter(({ kind }) => kind === 'tone');
    expect(episode?.tripSeconds).toBeLessThanOrEqual(35);
    expect(Math.abs((episode?.startSeconds ?? 0) - 20)).toBeLessThan(1);
  });
});

describe('a lost channel', () => {
  const speechAndMusic = () => joined(programme('loud electronics'), programme('speech'));

  test.each([
    ['digital silence', 0],
    ['noise of -62 dBFS', -62],
    ['noise of -56 dBFS', -56],
  ])('with %s instead is found by the trip delay of its preset', (_, noiseDbfs) => {
    const noise = noiseDbfs === 0 ? new Float32Array(0) : whiteNoise(110, noiseDbfs);
    const lost = remixed(speechAndMusic(), (left) => [left, 0]);
    const audio = lost.map((x, i) => (i % 2 === 1 ? (noise[i] ?? 0) : x));
    for (const [preset, delaySeconds] of [
      ['talk', 10],
      ['music', 15],
      ['classical', 20],
    ] as const) {
      const [episode] = faultsOf(audio, { preset }).filter(({ kind }) => kind === 'channel-lost');
      expect(episode?.tripSeconds).toBeLessThanOrEqual(delaySeconds + 6);
      expect(episode?.tripSeconds).toBeGreaterThanOrEqual(delaySeconds);
      expect(episode?.endSeconds).toBeNull();
      expect(episode?.evidence['differenceDb']).toBeGreaterThan(20);
    }
  });

  test('began when the side went, not when it was sure', () => {
    const lost = remixed(programme('loud electronics'), (l, r, at) => [l, at < 21.4 ? r : 0]);
    const [episode] = faultsOf(lost).filter(({ kind }) => kind === 'channel-lost');
    expect(Math.abs((episode?.startSeconds ?? 0) - 21.4)).toBeLessThan(0.3);
  });

  test('is none in music that is panned hard to changing sides', () => {
    const audio = remixed(programme('orchestral march'), (l, r, at) =>
      at % 16 < 8 ? [l + r, 0] : [0, l + r],
    );
    expect(kindsOf(audio)).toEqual([]);
  });

  test('is none when the quiet side moves with the music 35 dB under the other', () => {
    const audio = remixed(programme('synthesizer band'), (l, r) => [l, l * 0.0178 + r * 0.001]);
    expect(kindsOf(audio)).toEqual([]);
  });
});

describe('an inverted side', () => {
  test.each(['loud electronics', 'orchestral march', 'speech'])('of %s is found', (name) => {
    const inverted = remixed(programme(name), (l, r) => [l, -r]);
    const [episode] = faultsOf(joined(inverted, inverted)).filter(({ kind }) => kind === 'phase-inverted');
    expect(episode?.evidence['correlation']).toBeLessThan(-0.3);
    expect(episode?.tripSeconds).toBeLessThanOrEqual(40);
  });

  test('began when it was inverted, not when it was sure', () => {
    const inverted = remixed(programme('orchestral march'), (l, r, at) => [l, at < 21.4 ? r : -r]);
    const [episode] = faultsOf(inverted).filter(({ kind }) => kind === 'phase-inverted');
    expect(Math.abs((episode?.startSeconds ?? 0) - 21.4)).toBeLessThan(1);
  });

  test('that is put right again is over', () => {
    const audio = programme('loud electronics');
    const [episode] = faultsOf(
      joined(
        remixed(audio, (l, r) => [l, -r]),
        audio,
      ),
    ).filter(({ kind }) => kind === 'phase-inverted');
    expect(episode?.endSeconds).toBeGreaterThan(60);
    expect(episode?.endSeconds).toBeLessThan(90);
  });
});

describe('a stuck loop', () => {
  test.each([0.2, 0.37, 1.013, 2.5, 7.31])(
    'of %f s is suspected after three repeats and a fault after five',
    (period) => {
      const part = seconds(programme('orchestral march'), 4, 4 + period);
      const audio = joined(
        seconds(programme('orchestral march'), 40, 50),
        loopOf(part, Math.ceil(7.5 + 32 / period)),
      );
      const found = faultsOf(audio);
      const suspected = found.find(({ kind }) => kind === 'loop-suspected');
      const stuck = found.find(({ kind }) => kind === 'stuck-loop');
      const heard = (repeats: number, leastSeconds: number) =>
        10 + Math.max(period * (repeats + 1), leastSeconds + 4.5);
      expect(suspected?.tripSeconds).toBeGreaterThanOrEqual(10 + 3 * period);
      expect(suspected?.tripSeconds).toBeLessThanOrEqual(heard(3, 15) + 3);
      expect(stuck?.tripSeconds).toBeGreaterThanOrEqual(10 + 5 * period);
      expect(stuck?.tripSeconds).toBeLessThanOrEqual(heard(5, 20) + 3);
      expect(Math.abs((stuck?.evidence['periodSeconds'] ?? 0) - period)).toBeLessThan(0.001);
    },
  );

  test('of 45 s is suspected after three repeats', () => {
    const part = seconds(programme('loud electronics'), 5, 50);
    const suspected = faultsOf(loopOf(part, 5)).find(({ kind }) => kind === 'loop-suspected');
    expect(suspected?.tripSeconds).toBeGreaterThan(4 * 45 - 5);
    expect(suspected?.tripSeconds).toBeLessThan(4 * 45 + 5);
  });

  test.each(['MP3 64k', 'AAC 128k', 'Opus 32k'] as const)('of 3.21 s is found through %s', (codec) => {
    const audio = through(codec, loopOf(seconds(programme('synthesizer band'), 10, 13.21), 14));
    expect(kindsOf(audio)).toEqual(['loop-suspected', 'stuck-loop']);
  });

  test('of a voice is found through AAC 32k, where its repetitions are alike only to a degree', () => {
    const voice = withFloor(programme('speech'), -72);
    const audio = through('AAC 32k', joined(seconds(voice, 20, 30), loopOf(seconds(voice, 2, 4.6), 18)));
    for (const preset of ['talk', 'music'] as const) {
      expect(kindsOf(audio, { preset })).toEqual(['loop-suspected', 'stuck-loop']);
    }
  });

  test('of sequenced music is found, though the level fits at every beat', () => {
    const bars = decode(sequencedMusic, { fromSeconds: 25, seconds: 12, rateHz, channels: 2 });
    expect(kindsOf(loopOf(bars, 7))).toEqual(['loop-suspected', 'stuck-loop']);
  });

  test('began with its first repetition', () => {
    const audio = joined(
      seconds(programme('orchestral march'), 30, 50),
      loopOf(seconds(programme('orchestral march'), 4, 7.31), 12),
    );
    const stuck = faultsOf(audio).find(({ kind }) => kind === 'stuck-loop');
    expect(Math.abs((stuck?.startSeconds ?? 0) - 23.31)).toBeLessThan(0.5);
  });

  test('is over when the programme goes on', () => {
    const audio = joined(loopOf(seconds(programme('speech'), 3, 6), 12), programme('speech'));
    const stuck = faultsOf(audio).find(({ kind }) => kind === 'stuck-loop');
    expect(stuck?.endSeconds).toBeGreaterThan(34);
    expect(stuck?.endSeconds).toBeLessThan(44);
  });

  test('is none in dance music with an arrangement', () => {
    // A bar of kick and bass that never changes, under a melody that does.
    const melody = programme('ambient electronics');
    const beat = loopOf(
      tone(0.5, -16, 55).map((x, i) => x * Math.exp(-i / 9600)),
      120,
    );
    expect(kindsOf(mixed(melody, beat))).toEqual([]);
  });

  test('is none in dance music that builds up on two bars for a minute, whatever the preset', () => {
    const audio = decode(danceMusic, { seconds: 70, rateHz, channels: 2 });
    for (const preset of ['talk', 'music', 'classical'] as const) {
      expect(kindsOf(audio, { preset })).toEqual([]);
    }
  });
});

describe('warnings', () => {
  const target = { targetLufs: -16 };
  const loudnessOf = (audio: Float32Array) => {
    const meter = new Meter({ sampleRateHz: rateHz, channels: 2 });
    meter.push(audio);
    return meter.summary().integratedLufs;
  };
  const at = (lufs: number) =>
    amplified(programme('synthesizer band'), lufs - loudnessOf(programme('synthesizer band')));

  test('too-loud and too-quiet are judged against the target, and not without one', () => {
    expect(kindsOf(at(-16), target)).toEqual([]);
    expect(kindsOf(at(-8), target)).toEqual(['too-loud']);
    expect(kindsOf(at(-28), target)).toEqual(['too-quiet']);
    expect(kindsOf(at(-28))).toEqual([]);
  });

  test('clipped programme is noticed', () => {
    const audio = amplified(programme('loud electronics'), 14).map((x) => Math.max(-1, Math.min(1, x)));
    expect(faultsOf(audio).map(({ kind }) => kind)).toContain('clipped');
    expect(faultsOf(programme('loud electronics')).map(({ kind }) => kind)).not.toContain('clipped');
  });

  test('mono is a note, in a bit of its own', () => {
    const meter = new Meter({ sampleRateHz: rateHz, channels: 2 });
    meter.push(joined(remixed(programme('orchestral march'), (l) => [l, l])));
    expect(readingAt(meter)).toMatchObject({ faults: 0, warnings: 1 << 8 });
  });
});

describe('clean programme has no fault', () => {
  test.each(names)('%s, loud and quiet', (name) => {
    for (const db of [0, -22, -35]) {
      for (const preset of ['talk', 'music', 'classical'] as const) {
        expect(kindsOf(amplified(programme(name), db), { preset })).toEqual([]);
      }
    }
  });

  test('neither has the noise of an empty room, which is silence', () => {
    expect(kindsOf(pinkNoise(60, -68))).toEqual([]);
  });

  test('neither has silence, with or without clicks', () => {
    expect(kindsOf(new Float32Array(rateHz * 2 * 60))).toEqual([]);
    const clicks = remixed(new Float32Array(rateHz * 2 * 60), (_l, _r, at) =>
      at % 5 < 0.01 ? [0.3, 0.3] : [0, 0],
    );
    expect(kindsOf(clicks)).toEqual([]);
  });
});

describe('faults in readings', () => {
  test('are bits while they last', () => {
    const meter = new Meter({ sampleRateHz: rateHz, channels: 2 });
    meter.push(tone(20, -18, 1000));
    expect(readingAt(meter).faults).toBe(1 << 1);
    meter.push(seconds(programme('speech'), 0, 30));
    expect(readingAt(meter).faults).toBe(0);
    expect(meter.faultEpisodes()).toContainEqual(
      expect.objectContaining({ kind: 'tone', endSeconds: expect.any(Number) }),
    );
    meter.reset();
    expect(meter.faultEpisodes()).toEqual([]);
  });

  test('of mono programme are found too', () => {
    const mono = (audio: Float32Array) => audio.filter((_, i) => i % 2 === 0);
    expect(kindsOf(mono(tone(20, -18, 1000)), { channels: 1 })).toEqual(['tone']);
    expect(kindsOf(mono(pinkNoise(30, -45)), { channels: 1 })).toEqual(['noise-only']);
    expect(kindsOf(mono(programme('speech')), { channels: 1 })).toEqual([]);
  });
});
