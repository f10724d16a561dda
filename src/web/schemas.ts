import { z } from 'zod';
import type { LegCondition, Role as ServerRole } from '../domain/conditions.ts';
import type { StationEvent } from '../domain/events.ts';
import type { FailoverView } from '../domain/failover-view.ts';
import { HOLD_MAX_MS } from '../domain/operator.ts';
import type { ProgrammeFault, ProgrammeWarning } from '../domain/readings.ts';
import type { AgentView, LoudnessView } from '../domain/view.ts';
import { relayStatus } from './relay-schemas.ts';
import {
  atMs,
  components,
  decibels,
  durationMs,
  leg,
  mount,
  server,
  source,
  station,
  word,
} from './schema-words.ts';

/*
 * What goes in and out, once: bodies are checked by these schemas, the OpenAPI document is made of them, and the compiler
 * holds them against the types that the answers are made of.
 */

const conditionIs = word(['unknown', 'audible', 'faulty']) satisfies z.ZodType<LegCondition['is']>;
const serverIs = word(['unknown', 'up', 'misconfigured', 'overloaded', 'down']);
const role = word(['own', 'deputy', 'watching']) satisfies z.ZodType<ServerRole>;
const faults = word([
  'noise-only',
  'tone',
  'channel-lost',
  'phase-inverted',
  'stuck-loop',
]) satisfies z.ZodType<ProgrammeFault>;
const warnings = word([
  'clipped',
  'too-loud',
  'too-quiet',
  'mono',
  'loop-suspected',
  'nearly-silent',
]) satisfies z.ZodType<ProgrammeWarning>;

const legCondition = z.looseObject({ is: conditionIs, sinceMs: atMs }) as unknown as z.ZodType<LegCondition>;
const serverCondition = z.looseObject({ is: serverIs, sinceMs: atMs });
const alertFields = { code: z.string(), subject: z.string(), detail: z.string() };

const event = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('leg-changed'),
      atMs,
      leg,
      from: legCondition,
      to: legCondition,
    }),
    z.strictObject({
      kind: z.literal('server-changed'),
      atMs,
      server,
      from: serverCondition,
      to: serverCondition,
    }),
    z.strictObject({
      kind: z.literal('role-changed'),
      atMs,
      server,
      from: role,
      to: role,
      because: z.string(),
    }),
    z.strictObject({
      kind: z.literal('took-over'),
      atMs,
      server,
      source,
      because: z.string(),
      held: z.literal(true).optional(),
    }),
    z.strictObject({
      kind: z.literal('switched'),
      atMs,
      server,
      from: source,
      to: source,
      trigger: word(['fault', 'return', 'operator', 'stopping']),
      because: z.string(),
    }),
    z.strictObject({ kind: z.literal('heard-on-air'), atMs, server, from: source, to: source }),
    z.strictObject({
      kind: z.literal('moved'),
      atMs,
      server,
      from: mount,
      to: mount,
      detail: z.string(),
    }),
    z.strictObject({
      kind: z.literal('hold-changed'),
      atMs,
      server,
      detail: z.string(),
      author: z.string(),
    }),
    z.strictObject({ kind: z.literal('refused'), atMs, server, detail: z.string(), author: z.string() }),
    z.strictObject({ kind: z.literal('alert-opened'), atMs, ...alertFields }),
    z.strictObject({ kind: z.literal('alert-closed'), atMs, ...alertFields }),
    z.strictObject({
      kind: z.literal('relay-switched'),
      atMs,
      from: leg.nullable(),
      to: leg.nullable(),
      trigger: word(['start', 'fault', 'return', 'operator']),
      hitless: z.boolean(),
      because: z.string(),
      filler: z.literal('emergency-file').optional(),
    }),
    z.strictObject({ kind: z.literal('relay-aligned'), atMs, leg, detail: z.string() }),
  ])
  .register(components, { id: 'Event' });

const eventView = z
  .strictObject({ time: z.iso.datetime(), event: event as unknown as z.ZodType<StationEvent> })
  .register(components, { id: 'EventView' });

const legView = z
  .strictObject({
    leg,
    source,
    mount,
    condition: conditionIs,
    reason: z.string().describe('the fault, or why nothing is known; empty when audible'),
    detail: z.string(),
    forMs: durationMs,
    listeners: z.number().nullable(),
    title: z.string().nullable(),
    rmsDbfs: z.array(decibels).describe('per channel; null for digital silence'),
    truePeakDbtp: decibels,
    momentaryLufs: decibels,
    shortTermLufs: decibels,
    faults: z.array(faults),
    warnings: z.array(warnings),
  })
  .register(components, { id: 'Leg' });

const serverView = z
  .strictObject({
    server,
    role,
    condition: serverIs,
    detail: z.string(),
    agentSeenMs: durationMs.nullable(),
    onAir: source.nullable(),
    hold: z
      .strictObject({ author: z.string(), remainingMs: durationMs, source: source.nullable() })
      .nullable(),
    legs: z.array(legView),
  })
  .register(components, { id: 'Server' });

const stationView = z
  .strictObject({
    station,
    servers: z.array(serverView),
    relay: relayStatus.nullable().describe('null in guard mode'),
    alerts: z.array(z.strictObject(alertFields)),
    events: z.array(eventView).describe('the newest last'),
  })
  .register(components, { id: 'Station' });

const dnsAlert = z.strictObject(alertFields);
const dnsRecord = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('server'), server, amiss: z.string().nullable() }),
  z.strictObject({ is: z.literal('missing') }),
  z.strictObject({ is: z.literal('foreign'), detail: z.string() }),
]);

const dnsView = z
  .strictObject({
    names: z.array(z.string()),
    record: dnsRecord.nullable().describe('what stands in the DNS; null: not read yet'),
    epoch: z.number().nullable(),
    mode: word(['alone', 'cluster']),
    writes: z.discriminatedUnion('may', [
      z.strictObject({ may: z.literal(true) }),
      z.strictObject({ may: z.literal(false), because: z.string() }),
    ]),
    cluster: z
      .strictObject({
        link: word(['connecting', 'connected', 'no-majority']),
        reason: z.string().nullable(),
      })
      .nullable()
      .describe('how this agent stands to NATS; null without a cluster'),
    lease: word(['ours', 'theirs', 'lost']).nullable(),
    moving: z.strictObject({ to: server, forMs: durationMs }).nullable(),
    hold: z
      .strictObject({ author: z.string(), server: server.nullable(), remainingMs: durationMs })
      .nullable(),
    servers: z.array(
      z.strictObject({
        server,
        health: word(['unknown', 'well', 'doubt', 'ill']).describe('as this agent hears it'),
        detail: z.string(),
        verdict: word(['unknown', 'well', 'ill']).describe('as the witnesses together see it'),
        forMs: durationMs,
      }),
    ),
    agents: z.array(z.strictObject({ agent: z.string(), seenAgoMs: durationMs })),
    alerts: z.array(dnsAlert),
    events: z.array(z.strictObject({ time: z.iso.datetime(), event: z.looseObject({ kind: z.string() }) })),
  })
  .register(components, { id: 'Dns' }) as unknown as z.ZodType<FailoverView>;

export const agentView = z
  .strictObject({
    agent: server,
    version: z.string(),
    uptimeMs: durationMs,
    servers: z.array(z.strictObject({ server, url: z.string() })),
    stations: z.array(stationView),
    dns: dnsView.nullable().describe('null where the config has no `dns`'),
  })
  .register(components, { id: 'State' }) as unknown as z.ZodType<AgentView>;

export const loudnessView = z
  .strictObject({
    station,
    from: z.iso.datetime().describe('when the first point ends'),
    stepMs: durationMs,
    series: z.array(
      z.strictObject({
        channel: z.string(),
        kind: word(['leg', 'output']),
        shortTermLufs: z.array(decibels).describe('null where nothing was heard; -120 for digital silence'),
        conditions: z.string().describe('a letter for each point: audible, faulty or unknown'),
      }),
    ),
    switches: z.array(eventView),
  })
  .register(components, { id: 'Loudness' }) satisfies z.ZodType<LoudnessView>;

const personRole = word(['viewer', 'operator']);
/** No control characters: it stands in logs. */
export const NO_CONTROL = /^\P{Cc}*$/u;
export const personName = z.string().min(1).max(64).regex(NO_CONTROL);

export const sessionView = z
  .strictObject({
    name: z.string(),
    role: personRole,
    csrf: z.string().describe('to be sent as `x-csrf-token` with every request that changes something'),
  })
  .register(components, { id: 'Session' });

export const signInBody = z
  .strictObject({
    name: personName,
    password: z.string().min(1).max(128).describe("a user's password, or a bearer token"),
  })
  .register(components, { id: 'SignIn' });

const wish = {
  server,
  author: personName.optional().describe('with a bearer token; who signed in is the author'),
};
const forMs = z.int().min(1000).max(HOLD_MAX_MS).describe('how long it lasts, in ms');

export const holdBody = z.strictObject({ ...wish, forMs }).register(components, { id: 'Hold' });
export const forceBody = z
  .strictObject({
    ...wish,
    forMs,
    source,
    override: z.boolean().optional().describe('also to a source that is not audible'),
  })
  .register(components, { id: 'Force' });
export const releaseBody = z.strictObject(wish).register(components, { id: 'Release' });

const dnsWish = { author: wish.author };
export const dnsHoldBody = z.strictObject({ ...dnsWish, forMs }).register(components, { id: 'DnsHold' });
export const dnsForceBody = z
  .strictObject({
    ...dnsWish,
    forMs,
    server,
    override: z.boolean().optional().describe('also to a server that is not audible'),
  })
  .register(components, { id: 'DnsForce' });
export const dnsReleaseBody = z.strictObject(dnsWish).register(components, { id: 'DnsRelease' });

/** Digits, as an address has no numbers. */
export const digits = (most: number) => z.string().regex(new RegExp(`^[0-9]{1,${most}}$`));
export const stateQuery = z.strictObject({
  events: digits(3).optional().describe('how many of the newest events; all 200 of them by default'),
  eventsOf: z
    .string()
    .max(32)
    .optional()
    .describe('the one station whose events are wanted; of every station by default'),
});
export const loudnessQuery = z.strictObject({
  lastMs: digits(9).optional().describe('how far back, in ms; all 6 hours by default'),
  points: digits(4).optional().describe('at most so many points; 720 by default'),
});
export const hearQuery = z.strictObject({ server, mount: mount.describe('`/primary`, say') });
export const stationParams = z.strictObject({ station: z.string().max(32) });

export const playlistParams = z.strictObject({ file: z.string().max(40) });

export const health = z.strictObject({ ok: z.boolean() }).register(components, { id: 'Health' });
export const readiness = z.strictObject({ ready: z.boolean() }).register(components, { id: 'Readiness' });
export const accepted = z
  .strictObject({ accepted: z.literal(true) })
  .register(components, { id: 'Accepted' });
export const signedOut = z
  .strictObject({ signedOut: z.literal(true) })
  .register(components, { id: 'SignedOut' });
export const failure = z.strictObject({ error: z.string() }).register(components, { id: 'Failure' });

export type StateQuery = z.infer<typeof stateQuery>;
export type LoudnessQuery = z.infer<typeof loudnessQuery>;
export type HearQuery = z.infer<typeof hearQuery>;
export type SignInBody = z.infer<typeof signInBody>;
export type HoldBody = z.infer<typeof holdBody>;
export type ForceBody = z.infer<typeof forceBody>;
export type DnsHoldBody = z.infer<typeof dnsHoldBody>;
export type DnsForceBody = z.infer<typeof dnsForceBody>;
export type ReleaseBody = z.infer<typeof releaseBody>;

/** For fastify, which wants the schema without its address. */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    metadata: z.registry(),
  });
  return rest;
}
