import { isStationEvent, STATION_EVENTS, SWITCHES } from '../domain/events.ts';
import { FAILOVER_EVENTS, isFailoverEvent } from '../domain/failover.ts';
import type { LegId } from '../domain/ids.ts';
import type { RecordedEvent } from '../domain/record.ts';
import type { LoudnessSteps } from '../history/levels.ts';
import type { StorePort } from '../history/port.ts';
import type { StoredEvent } from '../history/rows.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { KEPT } from './event-log.ts';
import type { Failover } from './failover.ts';
import type { Running } from './running.ts';

/** What is older is looked up in the history, and not on the page. */
const LOG_MS = 7 * 24 * 3_600_000;

export interface RecallOptions {
  readonly port: StorePort;
  readonly stations: readonly Pick<Running, 'station' | 'log' | 'records'>[];
  readonly failover: Pick<Failover, 'recall'> | null;
  /** When the agent started, in ms since 1970; what came later is known. */
  readonly startedUnixMs: number;
  readonly log: Logger;
  /** True once the agent stops, and with it the history. */
  readonly isOver: () => boolean;
}

/**
 * Gives people back what they saw before the agent was started anew: the newest events, and the last hours. One question to
 * the history at a time, so that no write waits behind many; whatever it does not say stays empty.
 */
export async function recall(options: RecallOptions): Promise<void> {
  const { port, stations, failover, startedUnixMs, log, isOver } = options;
  const newest = async (query: {
    readonly station?: Running['station']['policy']['station'];
    readonly kinds: readonly RecordedEvent['kind'][];
    readonly lastMs: number;
  }) => {
    const { lastMs, ...rest } = query;
    const span = {
      fromUnixMs: startedUnixMs - lastMs,
      toUnixMs: startedUnixMs,
      beforeSeq: Number.MAX_SAFE_INTEGER,
    };
    return (await port.call('events', { ...rest, ...span, limit: KEPT })).reverse().map(viewed);
  };
  try {
    const ofName = failover === null ? [] : await newest({ kinds: FAILOVER_EVENTS, lastMs: LOG_MS });
    failover?.recall(ofName.flatMap(({ time, event }) => (isFailoverEvent(event) ? [{ time, event }] : [])));
    for (const { station, log: events, records } of stations) {
      const { station: name } = station.policy;
      const ofStation = ({ time, event }: ReturnType<typeof viewed>) =>
        isStationEvent(event) ? [{ time, event }] : [];
      const told = await newest({ station: name, kinds: STATION_EVENTS, lastMs: LOG_MS });
      events.recall(told.flatMap(ofStation));
      const { legs, ...span } = records.wanted;
      const switches = await newest({ station: name, kinds: SWITCHES, lastMs: span.steps * span.stepMs });
      const loudness = new Map<LegId, LoudnessSteps>();
      for (const leg of legs) loudness.set(leg, await port.call('loudness', { leg, ...span }));
      records.recall(loudness, switches.flatMap(ofStation));
    }
  } catch (thrown) {
    if (isOver()) return;
    log.warn({ err: messageOf(thrown) }, 'the last hours of before the start could not be read');
  }
}

function viewed({ unixMs, event }: StoredEvent): { readonly time: string; readonly event: RecordedEvent } {
  return { time: new Date(unixMs).toISOString(), event };
}
