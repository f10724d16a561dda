import { PCM_RATE_HZ } from '../../audio/decode-command.ts';
import { createProcessor } from '../../audio/processor.ts';
import type { Config, ProcessingConfig } from '../../config/index.ts';
import { relayDelayMs } from '../../wiring/relay-delay.ts';
import { type Finding, FindingList } from './findings.ts';

/** What relay mode costs: listeners hear everything that much later. */
export function judgeLatency(config: Config): readonly Finding[] {
  const found = new FindingList(null);
  for (const { name, serve, silence } of config.stations) {
    if (serve.mode !== 'relay') continue;
    const delayMs = relayDelayMs(serve, silence.tripMs);
    const chainMs = serve.processing === null ? 0 : processingMs(serve.processing);
    const chain = chainMs === 0 ? '' : `, ${chainMs} ms of it in the processing chain`;
    found.add(
      'note',
      `latency of ${name}`,
      `relay mode runs ${((delayMs + chainMs) / 1_000).toFixed(1)} s behind the sources${chain}, beside what encoders and players hold; more where the copies of the other server come later`,
      'nothing; a shorter serve.delay needs a shorter silence.trip',
    );
  }
  return found.all;
}

function processingMs({ values }: ProcessingConfig): number {
  const { latencyFrames } = createProcessor({ values, onReading: () => {} });
  return Math.round((latencyFrames * 1_000) / PCM_RATE_HZ);
}
