import type { Agent } from '../agent.ts';
import { type EventPage, incidentView } from '../domain/history-view.ts';
import { authorOf } from '../domain/record.ts';
import { recordedSentence } from '../domain/sentences.ts';
import type { Clock } from '../platform/clock.ts';
import type { Remembered } from '../web/routes/history.ts';

const iso = (unixMs: number): string => new Date(unixMs).toISOString();

/** What an agent has written down, for the HTTP side. */
export function rememberedBy(agent: Agent, clock: Clock): Remembered {
  const { chronicle } = agent;
  return {
    async incidents(filter) {
      const { port, openIncidents } = chronicle;
      const stored = await port.call('incidents', filter).catch((thrown: unknown) => {
        // Those that last are what a person looks for in a trouble, and memory has them.
        if (openIncidents.length === 0) throw thrown;
        return [];
      });
      // What lasts is newest in memory, and all there is of it while a disk takes nothing.
      const lasting = openIncidents.filter(
        (one) =>
          (filter.station === undefined || one.station === filter.station) &&
          (filter.toUnixMs === undefined || one.openedUnixMs < filter.toUnixMs),
      );
      const known = new Set(lasting.map(({ id }) => id));
      return [...lasting, ...stored.filter(({ id }) => !known.has(id))]
        .sort((a, b) => b.openedUnixMs - a.openedUnixMs)
        .slice(0, filter.limit)
        .map((one) => incidentView(one, clock.wallTime().getTime(), iso));
    },
    async events(filter): Promise<EventPage> {
      const newestFirst = { beforeSeq: Number.MAX_SAFE_INTEGER, ...filter };
      const found = await chronicle.port.call('events', newestFirst);
      const events = found.map(({ seq, unixMs, station, event }) => ({
        seq,
        time: iso(unixMs),
        station,
        says: recordedSentence(event),
        author: authorOf(event),
        event,
      }));
      const last = events.at(-1);
      return { events, before: last === undefined || found.length < filter.limit ? null : last.seq };
    },
    acknowledge: (incident, author) => chronicle.acknowledge(incident, author),
  };
}
