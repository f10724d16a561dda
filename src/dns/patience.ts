import type { Clock } from '../platform/clock.ts';
import { rateLimited } from './failure.ts';
import type { DnsProvider, DnsRefusal } from './provider.ts';

/** More than an hour is not believed: a mistaken answer must not keep the name where it is for a day. */
const LONGEST_MS = 3_600_000;

/** The same provider, left alone for as long as it asked to be: until then it is answered for, and not called. */
export function patient(provider: DnsProvider, clock: Clock): DnsProvider {
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  const called = async <Result extends { readonly ok: true } | DnsRefusal>(
    call: () => Promise<Result>,
  ): Promise<Result | DnsRefusal> => {
    const leftMs = notBeforeMs - clock.nowMs();
    if (leftMs > 0)
      return rateLimited(
        `${provider.name} asked to be left alone for ${Math.ceil(leftMs / 1_000)} s more`,
        leftMs,
      );
    const answer = await call();
    const asked = answer.ok || answer.failure.is !== 'rate-limited' ? null : answer.failure.retryAfterMs;
    if (asked !== null) notBeforeMs = clock.nowMs() + Math.min(LONGEST_MS, asked);
    return answer;
  };
  return {
    name: provider.name,
    fencing: provider.fencing,
    read: (signal) => called(() => provider.read(signal)),
    write: (write, signal) => called(() => provider.write(write, signal)),
    mayWrite: (signal) => provider.mayWrite(signal),
  };
}
