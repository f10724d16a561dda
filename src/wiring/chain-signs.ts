import { type ChainSign, processingFingerprint } from '../domain/chain-sign.ts';
import type { Station } from '../station.ts';

/** What is shown of our chains: all values of one as long as another agent shows another fingerprint for it. */
export function chainSigns(stations: Iterable<Station>): readonly ChainSign[] {
  return [...stations].flatMap(({ policy, state }) => {
    const { processing, station } = policy;
    if (processing === null) return [];
    const fingerprint = processingFingerprint(processing);
    const differs = [...state.servers.values()].some(
      ({ agentChain }) => agentChain !== null && agentChain.fingerprint !== fingerprint,
    );
    return [{ station, fingerprint, values: differs ? processing : null }];
  });
}
