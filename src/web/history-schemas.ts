import { z } from 'zod';
import type { EventPage, IncidentView, StoredEventView } from '../domain/history-view.ts';
import { components, digits, personName } from './schemas.ts';

/* The schemas of what is remembered; see `schemas.ts`. */

const time = z.iso.datetime();
const durationMs = z.number().describe('ms');

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
    acknowledged: z.strictObject({ author: z.string(), time }).nullable(),
    servers: z.array(z.string()),
    deadAirMs: z
      .record(z.string(), z.number())
      .describe('what listeners of each server heard of it, as far as the log of this agent can tell'),
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

const moment = z.iso.datetime({ offset: true });
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
