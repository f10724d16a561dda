import { z } from 'zod';
import { components, decibels, durationMs, leg, mount, server, word } from './schema-words.ts';

/* The schemas of relay mode; see `schemas.ts`. */

const processing = z
  .strictObject({
    preset: z.string(),
    fingerprint: z.string().describe('the same on every server whose chain does the same'),
    values: z.record(z.string(), z.number()),
    latencyMs: durationMs,
    inMomentaryLufs: decibels,
    inShortTermLufs: decibels,
    outMomentaryLufs: decibels,
    outShortTermLufs: decibels,
    levellerGainDb: decibels,
    makeupGainDb: decibels,
    bandReductionDb: z.array(decibels),
    limiterReductionDb: decibels,
  })
  .register(components, { id: 'Processing' });

export const relayStatus = z
  .strictObject({
    onAir: leg.nullable(),
    playing: word(['nothing', 'leg', 'emergency-file', 'noise-floor']),
    latencyMs: durationMs.nullable(),
    wantedLatencyMs: durationMs,
    legs: z.array(z.strictObject({ leg, relation: z.string(), behindMs: durationMs.nullable() })),
    outputs: z.array(
      z.strictObject({
        mount,
        state: word(['connecting', 'feeding', 'no-sound', 'failed']),
        reason: z.string().describe('why the server does not take it; empty unless it `failed`'),
        detail: z.string(),
        connections: z.number(),
        rebuilds: z.number().describe('how often the encoder had to be replaced'),
        encoder: z.enum(['lame', 'ffmpeg']).describe('`lame` works in the agent itself and has no pid'),
        encoderPid: z.number().nullable(),
      }),
    ),
    streams: z
      .array(
        z.strictObject({
          server,
          relation: word(['same', 'different', 'unknown']),
          skewMs: durationMs.nullable().describe('how much later it carries the same moment'),
          driftMsPerS: z
            .number()
            .nullable()
            .describe('how much later it gets each second; not 0 while one of the two makes up for a delay'),
          louderDb: decibels,
          why: word(['not-heard-here', 'not-heard-there', 'silent-here', 'silent-there', 'repeats'])
            .nullable()
            .describe('why the relation is unknown'),
          agoMs: durationMs,
        }),
      )
      .describe('the public streams of the other servers beside our own'),
    heldBytes: z.number(),
    dryMs: durationMs,
    processing: processing.nullable(),
    sound: z
      .strictObject({ truePeakDbtp: decibels, momentaryLufs: decibels, shortTermLufs: decibels })
      .nullable(),
  })
  .register(components, { id: 'Relay' });
