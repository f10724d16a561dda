import { describe, expect, test } from 'vitest';
import { type Config, Secret } from '../../../src/config/index.ts';
import { type FailoverState, newFailover, noFailoverMemory } from '../../../src/decide/failover/state.ts';
import { failoverStep } from '../../../src/decide/failover/step.ts';
import type { FailoverInput, FailoverRequest } from '../../../src/domain/failover.ts';
import { monitorId } from '../../../src/domain/ids.ts';
import { parseUserAgent, userAgentOf } from '../../../src/icecast/user-agent.ts';
import { FAILOVER_DEFAULTS } from '../../../src/simulate/station.ts';
import { SharedNameOrder } from '../../../src/wiring/shared-name-order.ts';
import { DUBLIN, goodLook, LONDON } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';

const NOW = Date.UTC(2026, 10, 8, 10, 59);
const HOUR_MS = 3_600_000;
const HOLD = { do: 'hold', author: 'Ann Ó Súilleabháin', forMs: HOUR_MS } as const;

interface Other {
  readonly password?: string;
  readonly name?: string;
  readonly servers?: readonly string[];
  readonly cluster?: object | null;
}

function agentOf(
  self: string,
  { password = 'shared', name = 'stream.myfm.example', servers, cluster = null }: Other = {},
) {
  const clock = manualClock(NOW);
  const admin = { user: 'admin', password: new Secret(password, 'the test') };
  const config = {
    ...{ servers: (servers ?? [LONDON, DUBLIN]).map((one) => ({ name: one, admin })), cluster },
    dns: { names: [name] },
  } as unknown as Config;
  const policy = { ...FAILOVER_DEFAULTS, self, mode: 'alone' as const };
  let state: FailoverState = newFailover(policy, noFailoverMemory, clock.nowMs());
  const take = (input: FailoverInput) => {
    state = failoverStep(state, input, policy).state;
  };
  const failover = {
    get state() {
      return state;
    },
    heardOrder: (order: (FailoverInput & { kind: 'heard-order' })['order']) =>
      take({ kind: 'heard-order', atMs: clock.nowMs(), order }),
  };
  const orders = new SharedNameOrder({ config, clock, failover: () => failover });
  const ask = (request: FailoverRequest) =>
    take({ kind: 'operator', atMs: clock.nowMs(), unixMs: clock.wallTime().getTime(), request });
  return { clock, orders, ask, holdOf: () => state.hold };
}

/** What one agent's sign of life says, as another reads it out of the list of listeners. */
function say(from: ReturnType<typeof agentOf>, to: ReturnType<typeof agentOf>): readonly string[] {
  const marks = from.orders.marksFor(DUBLIN);
  const said = userAgentOf({ role: 'presence', agent: LONDON, id: monitorId('ab'), marks });
  const heard = parseUserAgent(said)?.marks ?? [];
  to.orders.saw(goodLook(to.clock.nowMs(), [], [{ agent: LONDON, connectedSeconds: 1, marks: heard }]));
  return heard;
}

describe('what an operator ordered for the name from one agent', () => {
  test('is known to the other as it was given, and ends when it is released', () => {
    const [london, dublin] = [agentOf('london'), agentOf('dublin')];
    expect(say(london, dublin)).toEqual([]);
    london.ask({ ...HOLD, do: 'force', server: DUBLIN, override: true });
    london.clock.advance(60_000);
    dublin.clock.advance(60_000);
    say(london, dublin);
    const { author } = HOLD;
    expect(dublin.holdOf()).toEqual({ author, untilMs: NOW + HOUR_MS, server: DUBLIN, override: true });
    const news = london.orders.news;
    london.ask({ do: 'release', author: 'bob' });
    expect(london.orders.news).not.toBe(news);
    say(london, dublin);
    expect(dublin.holdOf()).toBeNull();
  });

  test('of a witness is known too, and of the longest names as much as there is room for', () => {
    const [witness, dublin] = [agentOf('w'.repeat(32)), agentOf('dublin')];
    witness.ask({ ...HOLD, author: 'ß'.repeat(64) });
    const [mark] = say(witness, dublin);
    expect(mark?.length).toBe(227);
    expect(dublin.holdOf()?.author).toBe('ß'.repeat(32));
  });

  test.each<[string, Other]>([
    ['from who does not know the password of the server', { password: 'guessed' }],
    ['for another name', { name: 'stream.jazz.example' }],
    ['from an agent that has the servers in another order', { servers: [DUBLIN, LONDON] }],
  ])('is not believed %s', (_who, other) => {
    const [london, dublin] = [agentOf('london', other), agentOf('dublin')];
    london.ask(HOLD);
    expect(say(london, dublin)).toHaveLength(1);
    expect(dublin.holdOf()).toBeNull();
  });

  test('is said over the cluster where there is one, and not here', () => {
    const [london, dublin] = [agentOf('london', { cluster: {} }), agentOf('dublin', { cluster: {} })];
    london.ask(HOLD);
    expect(say(london, dublin)).toEqual([]);
    const alone = agentOf('london');
    alone.ask(HOLD);
    expect(say(alone, dublin)).toHaveLength(1);
    expect(dublin.holdOf()).toBeNull();
  });
});
