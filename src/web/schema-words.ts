import { z } from 'zod';
import type { LegId, Mount, ServerName, SourceName, StationName } from '../domain/ids.ts';

/* What the schemas are written in; see `schemas.ts`. */

/** Named parts of the OpenAPI document. */
export const components = z.registry<{ id: string }>();

export const server = z.string().max(32) as z.ZodType<string> as z.ZodType<ServerName>;
export const station = z.string() as z.ZodType<string> as z.ZodType<StationName>;
export const source = z.string().max(32) as z.ZodType<string> as z.ZodType<SourceName>;
export const mount = z.string() as z.ZodType<string> as z.ZodType<Mount>;
export const leg = z.string().describe('`station/source@server`') as z.ZodType<string> as z.ZodType<LegId>;
export const word = <const Words extends readonly string[]>(words: Words) => z.enum(words);
export const decibels = z.number().nullable();
export const durationMs = z.number().describe('ms');
export const atMs = z.number().describe("ms on the agent's monotonic clock");
