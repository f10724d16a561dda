import { describe, expect, test } from 'vitest';
import { type Config, Secret } from '../../../src/config/index.ts';
import { monitorId } from '../../../src/domain/ids.ts';
import { parseUserAgent, userAgentOf } from '../../../src/icecast/user-agent.ts';
import { Colleagues } from '../../../src/wiring/colleagues.ts';
import { SharedSilences } from '../../../src/wiring/shared-silences.ts';
import { DUBLIN, goodLook, LONDON, MYFM } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';

const NOW = Date.UTC(2026, 10, 8, 10, 59);
const WINDOW = { fromUnixMs: NOW + 60_000, untilUnixMs: NOW + 180_000, says: 'two minutes' };

function configOf(password: string): Config {
  const admin = { user: 'admin', password: new Secret(password, 'the test') };
  return {
    servers: [LONDON, DUBLIN].map((name) => ({ name, admin })),
    stations: [{ name: MYFM }],
  } as unknown as Config;
}

function agent(password = 'shared') {
  const clock = manualClock(NOW);
  const colleagues = new Colleagues(clock);
  return { clock, colleagues, silences: new SharedSilences(configOf(password), colleagues, clock) };
}

/** What one agent says on a server, as another reads it out of the list of listeners. */
function overheard(marks: readonly string[]): readonly string[] {
  const said = userAgentOf({ role: 'presence', agent: LONDON, id: monitorId('ab'), marks });
  return parseUserAgent(said)?.marks ?? [];
}

describe('a silence planned on one agent', () => {
  const said = (password?: string) =>
    agent(password).silences.marksFor(DUBLIN, [{ station: MYFM, window: WINDOW }]);

  test('is known to the other by the sign of life, and stays known when that one dies', () => {
    const { colleagues, silences, clock } = agent();
    const marks = overheard(said());
    colleagues.saw(goodLook(NOW, [], [{ agent: LONDON, connectedSeconds: 1, marks }]));
    const expected = [{ station: MYFM, agent: LONDON, window: { ...WINDOW, says: 'planned on london' } }];
    expect(silences.heard()).toMatchObject(expected);
    clock.advance(60_000);
    expect(silences.heard()).toMatchObject(expected);
  });

  test('is known whatever its length, twenty minutes too', () => {
    const lengths = Array.from({ length: 180 }, (_, index) => (index + 1) * 20_000);
    const heard = lengths.filter((lengthMs) => {
      const { colleagues, silences } = agent();
      const window = { ...WINDOW, untilUnixMs: WINDOW.fromUnixMs + lengthMs };
      const marks = overheard(agent().silences.marksFor(DUBLIN, [{ station: MYFM, window }]));
      colleagues.saw(goodLook(NOW, [], [{ agent: LONDON, connectedSeconds: 1, marks }]));
      return silences.heard().length === 1;
    });
    expect(heard).toEqual(lengths);
  });

  test('is forgotten when its agent lives and says it no more', () => {
    const { colleagues, silences, clock } = agent();
    colleagues.saw(goodLook(NOW, [], [{ agent: LONDON, connectedSeconds: 1, marks: overheard(said()) }]));
    expect(silences.heard()).toHaveLength(1);
    for (let seconds = 1; seconds <= 31; seconds += 1) {
      clock.advance(1_000);
      colleagues.saw(goodLook(clock.nowMs(), [], [{ agent: LONDON, connectedSeconds: 1 }]));
      silences.heard();
    }
    expect(silences.heard()).toEqual([]);
  });

  test('is said when it is near, however many were planned before it', () => {
    const { colleagues, silences } = agent();
    const planned = [8, 7, 6, 5, 4, 3, 2, 1].map((minutes) => ({
      station: MYFM,
      window: { fromUnixMs: NOW + minutes * 60_000, untilUnixMs: NOW + minutes * 60_000 + 20_000, says: '' },
    }));
    const marks = overheard(agent().silences.marksFor(DUBLIN, planned));
    colleagues.saw(goodLook(NOW, [], [{ agent: LONDON, connectedSeconds: 1, marks }]));
    expect(silences.heard().map(({ window }) => (window.fromUnixMs - NOW) / 60_000)).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  test('is not believed from who does not know the password of the server', () => {
    const { colleagues, silences } = agent();
    const marks = overheard(said('guessed'));
    colleagues.saw(goodLook(NOW, [], [{ agent: LONDON, connectedSeconds: 1, marks }]));
    expect(silences.heard()).toEqual([]);
  });
});
