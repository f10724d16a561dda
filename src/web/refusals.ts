import type { FastifySchemaValidationError } from 'fastify';
import { z } from 'zod';
import { moment } from './history-schemas.ts';
import { NO_CONTROL } from './schemas.ts';

const { pattern: MOMENT } = z.toJSONSchema(moment);
const DIGITS = /^\^\[0-9\]\{1,(\d+)\}\$$/;

/** What was wrong with a request, where the words of the schema's checker don't say what to write. */
export function refusalOf(errors: FastifySchemaValidationError[], part: string): Error {
  const [first] = errors;
  if (first === undefined) return new Error(`${part} is not as it should be`);
  return new Error(`${part}${first.instancePath} ${wordsFor(first)}`);
}

function wordsFor({
  keyword,
  params,
  message = 'is not as it should be',
}: FastifySchemaValidationError): string {
  if (keyword === 'additionalProperties') return `${message}, such as '${params['additionalProperty']}'`;
  if (keyword === 'enum') return `${message}: ${String(params['allowedValues']).replaceAll(',', ', ')}`;
  if (keyword !== 'pattern') return message;
  const pattern = String(params['pattern']);
  const most = DIGITS.exec(pattern)?.[1];
  if (most !== undefined) return `must be a whole number of at most ${most} digits`;
  if (pattern === MOMENT) return 'must be a moment such as 2026-11-08T11:00:00Z';
  return pattern === NO_CONTROL.source ? 'must have no control characters' : message;
}
