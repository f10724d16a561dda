import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

const gzipped = promisify(gzip);
/** What fits into a few packets gets no faster for it. */
const LEAST_CHARACTERS = 4_096;

export const takesGzip = ({ headers }: FastifyRequest): boolean =>
  /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));

/**
 * A page asks every second, and the state shrinks to a tenth. What holds a secret is short, so that its length after this
 * tells nobody anything.
 */
export async function compressLongText(request: FastifyRequest, reply: FastifyReply, payload: unknown) {
  const isLong = typeof payload === 'string' && payload.length >= LEAST_CHARACTERS;
  if (!isLong || reply.hasHeader('content-encoding') || !takesGzip(request)) return payload;
  reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding');
  return await gzipped(payload, { level: 1 });
}
