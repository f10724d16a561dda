import type { FailoverEvent, FailoverPolicy, FailoverRequest } from '../../domain/failover.ts';
import { isFit } from './choice.ts';
import type { FailoverState } from './state.ts';
import type { FailoverStep } from './step.ts';

/** What an operator's request makes of the state. A refused one changes nothing and says why. */
export function obeyFailover(
  state: FailoverState,
  request: FailoverRequest,
  nowMs: number,
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
  if (request.do === 'release') {
    if (state.hold === null) return refuse('there is no hold to release');
    return answer({ ...state, hold: null }, changed('released'));
  }
  const untilMs = nowMs + request.forMs;
  const minutes = `for ${Math.round(request.forMs / 60_000)} min`;
  if (request.do === 'hold')
    return answer(
      { ...state, hold: { author, untilMs, server: null, override: false } },
      changed(`held ${minutes}`),
    );
  const { server, override } = request;
  if (!policy.servers.includes(server)) return refuse(`the name never points to ${server}`);
  if (!override && !isFit(state, server, nowMs, policy))
    return refuse(`${server} is not audible now; override to send listeners there all the same`);
  // What was contested is decided by a person now.
  return answer(
    { ...state, hold: { author, untilMs, server, override }, contest: null },
    changed(`sent to ${server} ${minutes}`),
  );
}
