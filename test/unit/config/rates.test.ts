import { describe, expect, it } from 'vitest';
import { loadRatesText } from '../../../src/config/index.ts';

const CAUSES = ['encoder-gone', 'site-cut'];
const messages = (text: string) => {
  const loaded = loadRatesText(text, CAUSES);
  return loaded.ok ? [] : loaded.faults.map(({ line, path, message }) => `${line} ${path}: ${message}`);
};

describe('rates.yaml', () => {
  it('is read with its units', () => {
    const loaded = loadRatesText(
      'faults:\n  site-cut: { perYear: 2.5, median: 5m, long: 2h }\nplayers: { sticky: 0.1, buffer: 8s }\ncheck: { interval: 10s, fall: 3 }\nencoders: { reconnect: 5s }\n',
      CAUSES,
    );
    expect(loaded).toEqual({
      ok: true,
      rates: {
        faults: { 'site-cut': { perYear: 2.5, median: 300_000, long: 7_200_000 } },
        players: { sticky: 0.1, buffer: 8_000 },
        check: { interval: 10_000, fall: 3 },
        encoders: { reconnect: 5_000 },
      },
    });
  });

  it.each([
    [
      'faults: { site-cutt: { perYear: 1 } }',
      '1 faults.site-cutt: is no kind of fault: did you mean site-cut?',
    ],
    ['faults: { site-cut: { perYear: often } }', '1 faults.site-cut.perYear: '],
    ['faults: { site-cut: { perYear: -1 } }', '1 faults.site-cut.perYear: '],
    ['faults: { site-cut: { median: 5 } }', '1 faults.site-cut.median: "5" has no unit'],
    ['faults: { site-cut: { median: 5m, long: 1m } }', '1 faults.site-cut: has a long that is shorter'],
    ['players: { stickiness: 0.1 }', '1 players.stickiness: is not a key of this section'],
    ['players: { sticky: 1.5 }', '1 players.sticky: '],
    ['rates: {}', '1 rates: is not a key of this section'],
  ])('%s is told', (text, said) => {
    expect(messages(text).join('\n')).toContain(said);
  });

  it('that is empty is told too', () => {
    expect(messages('')).toHaveLength(1);
  });
});
