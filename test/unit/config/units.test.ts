import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationText, parseBitrate, parseDuration, parseLevel } from '../../../src/config/units.ts';

const messageOf = (parsed: ReturnType<typeof parseDuration>) => (parsed.ok ? parsed.value : parsed.message);

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['1.5m', 90_000],
    ['3 m', 180_000],
    ['1h', 3_600_000],
    ['0s', 0],
    [' 5s ', 5_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toEqual({ ok: true, value: ms }));

  it.each([
    ['5', '"5" has no unit: write 5s (or 5ms, 5m, 5h)'],
    ['5 seconds', '"5 seconds" is not a duration: write 5s'],
    ['5S', '"5S" is not a duration: write 5s'],
    ['2,5s', '"2,5s" is not a duration: write 2.5s'],
    ['-5s', '"-5s" is negative: a duration is zero or more'],
    ['5d', '"5d" has an unknown unit: the units of a duration are ms, s, m and h'],
    ['1m30s', '"1m30s" is not a duration: write a number and its unit, such as 500ms, 5s, 3m or 1h'],
    ['soon', '"soon" is not a duration: write a number and its unit, such as 500ms, 5s, 3m or 1h'],
    ['1e3s', '"1e3s" is not a duration: write a number and its unit, such as 500ms, 5s, 3m or 1h'],
    ['Infinitys', '"Infinitys" is not a duration: write a number and its unit, such as 500ms, 5s, 3m or 1h'],
  ])('%s is refused, with what to write instead', (text, message) =>
    expect(messageOf(parseDuration(text))).toBe(message),
  );

  it('comes back the same when it is written out and read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), (ms) => {
        expect(parseDuration(durationText(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });
});

describe('a level', () => {
  it.each([
    ['-50 dBFS', 'dBFS', -50],
    ['-50dBFS', 'dBFS', -50],
    ['-16.5 LUFS', 'LUFS', -16.5],
    ['0 dBTP', 'dBTP', 0],
  ] as const)('%s is understood', (text, unit, value) =>
    expect(parseLevel(text, unit)).toEqual({ ok: true, value }),
  );

  it.each([
    ['-50', 'dBFS', '"-50" has no unit: write -50 dBFS'],
    ['-50 dB', 'dBFS', '"-50 dB" has no exact unit: write -50 dBFS'],
    ['-50 dbfs', 'dBFS', '"-50 dbfs" has no exact unit: write -50 dBFS'],
    ['-16 dBFS', 'LUFS', '"-16 dBFS" has the wrong unit: this level is in LUFS, such as -16 LUFS'],
    ['\u221250 dBFS', 'dBFS', '"\u221250 dBFS" is not a level: write -50 dBFS'],
    ['-50,5 dBFS', 'dBFS', '"-50,5 dBFS" is not a level: write -50.5 dBFS'],
    ['quiet', 'dBFS', '"quiet" is not a level: write a number and its unit, such as -50 dBFS'],
  ] as const)('%s is refused, with what to write instead', (text, unit, message) =>
    expect(messageOf(parseLevel(text, unit))).toBe(message),
  );
});

describe('a bitrate', () => {
  it('is kilobits a second', () => expect(parseBitrate('128k')).toEqual({ ok: true, value: 128 }));

  it.each([
    ['128', '"128" has no unit: write 128k (kilobits a second)'],
    ['128000', '"128000" has no unit: write 128k (kilobits a second)'],
    ['128 kbps', '"128 kbps" is not a bitrate: write whole kilobits a second, such as 128k'],
    ['1M', '"1M" is not a bitrate: write whole kilobits a second, such as 128k'],
    ['fast', '"fast" is not a bitrate: write kilobits a second, such as 128k'],
  ])('%s is refused, with what to write instead', (text, message) =>
    expect(messageOf(parseBitrate(text))).toBe(message),
  );
});

it('no text makes a reader of units throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const parsed of [parseDuration(text), parseLevel(text, 'dBFS'), parseBitrate(text)]) {
        if (parsed.ok) expect(Number.isFinite(parsed.value)).toBe(true);
        else expect(parsed.message).not.toMatch(/\p{Cc}/u);
      }
    }),
  );
});
