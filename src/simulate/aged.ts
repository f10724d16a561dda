/** Names under which the decisions keep moments; everything else that ends in `Ms` is a duration. */
const MOMENT = /^(at|dueAt|heardTo|.*(At|Since|since|Until|until|From|from|Seen|ToAt))Ms$/;

/**
 * A state as it would be had `byMs` more passed in which nothing happened. `before` is the same state some time
 * earlier, longer ago than anything that recurs takes: a moment that has moved since then is one that is renewed again
 * and again, and stays as near to now as it is; one that has not moved lies that much longer in the past.
 */
export function aged<State>(now: State, before: State, byMs: number): State {
  return older(now, before, byMs, '') as State;
}

function older(now: unknown, before: unknown, byMs: number, name: string): unknown {
  if (typeof now === 'number') return MOMENT.test(name) && now === before ? now - byMs : now;
  if (now === null || typeof now !== 'object') return now;
  if (now instanceof Map) {
    const was = before instanceof Map ? before : new Map<unknown, unknown>();
    return new Map([...now].map(([key, value]) => [key, older(value, was.get(key), byMs, name)]));
  }
  if (now instanceof Set) return now;
  if (Array.isArray(now)) {
    const was = Array.isArray(before) ? before : [];
    return now.map((value, index) => older(value, was[index], byMs, name));
  }
  const was: object = before !== null && typeof before === 'object' ? before : {};
  const beforeOf = new Map<string, unknown>(Object.entries(was));
  return Object.fromEntries(
    Object.entries(now).map(([key, value]) => [key, older(value, beforeOf.get(key), byMs, key)]),
  );
}
