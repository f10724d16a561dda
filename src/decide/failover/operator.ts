import type {
  FailoverEvent,
  FailoverHold,
  FailoverInput,
  FailoverPolicy,
  OperatorOrder,
} from '../../domain/failover.ts';
import { askedText } from '../../domain/lengths.ts';
import { isFit } from './choice.ts';
import type { FailoverState, OrderId } from './state.ts';
import type { FailoverStep } from './step.ts';

/** What an operator's request makes of the state. A refused one changes nothing and says why. */
export function obeyFailover(
  state: FailoverState,
  { request, atMs: nowMs, unixMs }: FailoverInput & { kind: 'operator' },
  policy: FailoverPolicy,
): FailoverStep {
  const { author } = request;
  const answer = (next: FailoverState, event: FailoverEvent): FailoverStep => ({
    state: next,
    commands: [],
    events: [event],
  });
  const refuse = (detail: string) => answer(state, { kind: 'dns-refused', atMs: nowMs, detail, author });
  const changed = (detail: string): FailoverEvent => ({
    kind: 'dns-hold-changed',
    atMs: nowMs,
    detail,
    author,
  });
  const version = Math.max(Math.floor(unixMs / 1000), state.order.version + 1);
  const order: OrderId = { version, by: policy.self };
  if (request.do === 'release') {
    if (state.hold === null) return refuse('there is no hold to release');
    return answer({ ...state, hold: null, order }, changed('released'));
  }
  const untilMs = nowMs + request.forMs;
  const length = `for ${askedText(request.forMs)}`;
  if (request.do === 'hold')
    return answer(
      { ...state, order, hold: { author, untilMs, server: null, override: false } },
      changed(`held ${length}`),
    );
  const { server, override } = request;
  if (!policy.servers.includes(server)) return refuse(`the name never points to ${server}`);
  if (!override && !isFit(state, server, nowMs, policy))
    return refuse(`${server} is not audible now; override to send listeners there all the same`);
  // What was contested is decided by a person now.
  return answer(
    { ...state, order, hold: { author, untilMs, server, override }, contest: null },
    changed(`sent to ${server} ${length}`),
  );
}

/** The order that this agent follows, for the others; null when there has never been one. */
export function orderOf({ order, hold }: FailoverState): OperatorOrder | null {
  return order.version === 0 ? null : { ...order, hold };
}

/** What an operator ordered from another agent goes for this one too, when it is newer than what this one knows. */
export function followOrder(
  state: FailoverState,
  heard: OperatorOrder | null,
  nowMs: number,
  policy: FailoverPolicy,
): FailoverStep {
  const unchanged: FailoverStep = { state, commands: [], events: [] };
  if (heard === null || !isNewer(heard, state.order)) return unchanged;
  const { version, by, hold } = heard;
  // A hold for a server that this agent's config does not know is kept as one that moves nothing.
  const known =
    hold?.server == null || policy.servers.includes(hold.server) ? hold : { ...hold, server: null };
  const next = known !== null && known.untilMs > nowMs ? known : null;
  // What was contested is decided by a person now.
  const contest = next?.server == null ? state.contest : null;
  const followed = { ...state, order: { version, by }, hold: next, contest };
  if (next === null && state.hold === null) return { ...unchanged, state: followed };
  const author = next?.author ?? state.hold?.author ?? '';
  const detail = `${described(next)} at ${by}`;
  return {
    state: followed,
    commands: [],
    events: [{ kind: 'dns-hold-changed', atMs: nowMs, detail, author }],
  };
}

function described(hold: FailoverHold | null): string {
  if (hold === null) return 'released';
  return hold.server === null ? 'held' : `sent to ${hold.server}`;
}

function isNewer(one: OrderId, other: OrderId): boolean {
  return one.version > other.version || (one.version === other.version && one.by > other.by);
}
