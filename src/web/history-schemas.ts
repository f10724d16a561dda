import { z } from 'zod';
import type { EventPage, IncidentView, StoredEventView } from '../domain/history-view.ts';
import {
  PLANNED_LONGEST_MS,
  PLANNED_SHORTEST_MS,
  type PlannedSilenceView,
} from '../domain/planned-silence.ts';
import { components, durationMs } from './schema-words.ts';
import { digits, NO_CONTROL, personName } from './schemas.ts';

/* The schemas of what is remembered; see `schemas.ts`. */

const time = z.iso.datetime();

const incident = z
  .strictObject({
    id: z.string(),
    station: z.string(),
    severity: z.enum(['warning', 'critical']),
    title: z.string(),
    cause: z.string(),
    openedAt: time,
    closedAt: time.nullable().describe('null while it lasts'),
    durationMs,
    calmForMs: z
      .number()
      .nullable()
      .describe('ms in which nothing of it has been there by now; null: it is there, or is over'),
    acknowledged: z.strictObject({ author: z.string(), time }).nullable(),
    servers: z.array(z.string()),
    deadAirMs: z
      .record(z.string(), z.number())
      .describe('dead air that listeners of each server heard, as far as the log of this agent can tell'),
    unheard: z
      .array(z.string())
      .describe('servers of which the log did not know all the time what listeners heard'),
    heard: z.string().describe('what listeners heard of it, in the words of the alerts and the report'),
    steps: z.array(
      z.strictObject({
        time,
        is: z.enum(['opened', 'escalated', 'joined', 'eased', 'acknowledged', 'closed']),
        says: z.string(),
      }),
    ),
  })
  .register(components, { id: 'Incident' }) as unknown as z.ZodType<IncidentView>;

export const incidentList = z
  .strictObject({ incidents: z.array(incident).describe('the newest first') })
  .register(components, { id: 'Incidents' });

const storedEvent = z
  .strictObject({
    seq: z.number().describe('without holes; the newest has the highest'),
    time,
    station: z.string().nullable().describe('null: the whole agent'),
    says: z.string(),
    author: z.string().nullable(),
    event: z.looseObject({ kind: z.string() }),
  })
  .register(components, { id: 'StoredEvent' }) as unknown as z.ZodType<StoredEventView>;

export const eventPage = z
  .strictObject({
    events: z.array(storedEvent).describe('the newest first'),
    before: z.number().nullable().describe('for the next question; null when there is no more'),
  })
  .register(components, { id: 'EventPage' }) satisfies z.ZodType<EventPage>;

export const moment = z.iso.datetime({ offset: true });
const limit = digits(4).optional().describe('at most so many; 100 by default, 1000 at the most');
const span = {
  from: moment.optional().describe('such as 2026-11-08T11:00:00Z'),
  to: moment.optional(),
  station: z.string().max(32).optional(),
};

export const incidentsQuery = z.strictObject({
  ...span,
  open: z.enum(['true']).optional().describe('only those that last'),
  limit,
});
export const eventsQuery = z.strictObject({
  ...span,
  by: z.enum(['operators']).optional().describe('only what people did'),
  before: digits(15).optional().describe('older than this `seq`'),
  limit,
});

export const incidentParams = z.strictObject({ id: z.string().max(200) });
export const acknowledgeBody = z
  .strictObject({
    author: personName.optional().describe('with a bearer token; who signed in is the author'),
  })
  .register(components, { id: 'Acknowledge' });

export type IncidentsQuery = z.infer<typeof incidentsQuery>;
export type EventsQuery = z.infer<typeof eventsQuery>;

const planned = z
  .strictObject({
    id: z.string(),
    day: z
      .string()
      .describe('a date, or every day, every Sunday, every 8 November, every second Sunday of November'),
    at: z.string().describe('by the clocks of its time zone'),
    forMs: durationMs,
    timeZone: z.string(),
    says: z.string(),
    author: z.string().nullable(),
    from: z
      .enum(['config', 'operator', 'colleague'])
      .describe('what stands in the config is changed there; what a colleague planned, on its own page'),
    inForce: z.boolean(),
    next: z
      .strictObject({ from: time, until: time })
      .nullable()
      .describe('the one in force, or the next; null: it is over for good'),
  })
  .register(components, { id: 'PlannedSilence' }) as unknown as z.ZodType<PlannedSilenceView>;

export const plannedList = z
  .strictObject({
    planned: z.array(planned),
    timeZone: z.string().describe("the station's own, which goes for what is planned without one"),
  })
  .register(components, { id: 'PlannedSilences' });
export const plannedAnswer = z.strictObject({ planned }).register(components, { id: 'Planned' });
export const planBody = z
  .strictObject({
    day: z
      .string()
      .max(64)
      .describe('2026-11-08, every day, every sunday, every 8 november, every second sunday of november'),
    at: z.string().max(8).describe('11:00 or 11:00:30'),
    forMs: z.int().min(PLANNED_SHORTEST_MS).max(PLANNED_LONGEST_MS).describe('how long it lasts, in ms'),
    timeZone: z.string().max(64).optional().describe("such as Europe/London; the station's own by default"),
    says: z.string().max(200).regex(NO_CONTROL).optional().describe('what it is for'),
    author: personName.optional().describe('with a bearer token; who signed in is the author'),
  })
  .register(components, { id: 'PlanSilence' });
export const planParams = z.strictObject({ station: z.string().max(32), id: z.string().max(32) });
export const cancelQuery = z.strictObject({
  author: personName.optional().describe('with a bearer token; who signed in is the author'),
});

export type PlanBody = z.infer<typeof planBody>;
export type CancelQuery = z.infer<typeof cancelQuery>;
