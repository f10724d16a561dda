import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Mount, ServerName, StationName } from '../../domain/ids.ts';
import type { Cancel, Clock } from '../../platform/clock.ts';
import type { Gate, Person } from '../access/gate.ts';
import type { DescribedRoutes } from '../described.ts';
import { failure, type HearQuery, hearQuery, stationParams } from '../schemas.ts';

/** What one mount sends, as a listener gets it. */
export interface SoundHandlers {
  opened(contentType: string): void;
  bytes(chunk: Buffer): void;
  /** Once and last; nothing comes after it, nor after the cancellation. */
  failed(detail: string): void;
}

export interface HearSource {
  /** Null when the station has no such mount there. */
  hear(station: StationName, server: ServerName, mount: Mount, handlers: SoundHandlers): Cancel | null;
}

const MOST_AT_ONCE = 20;
/** What somebody hasn't fetched yet; more, and the connection is too slow to listen with. */
const MOST_WAITING_BYTES = 1024 * 1024;
const MAY_STAY_EVERY_MS = 20_000;

/**
 * The sound of a mount through the agent: a page of ours may ask nobody else, an Icecast on plain HTTP would be mixed
 * content, and the mounts may be out of the reader's reach altogether.
 */
export function addHearRoute(routes: DescribedRoutes, source: HearSource, gate: Gate, clock: Clock): void {
  const open = new Set<object>();
  routes.add(
    {
      method: 'GET',
      url: '/api/v1/stations/:station/hear',
      summary: 'Listen to a mount of the station, as Icecast sends it, without an end',
      right: 'view',
      params: stationParams,
      query: hearQuery,
      answers: { 200: 'audio/*', 400: failure, 404: failure, 502: failure, 503: failure },
    },
    (request, reply) => {
      if (open.size >= MOST_AT_ONCE) return reply.code(503).send({ error: 'too many are listening' });
      const ears = {};
      open.add(ears);
      reply.raw.once('close', () => open.delete(ears));
      return listenTo(source, gate, clock, request, reply);
    },
  );
}

function listenTo(
  source: HearSource,
  gate: Gate,
  clock: Clock,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> | FastifyReply {
  const { station } = request.params as { station: StationName };
  const { server, mount } = request.query as HearQuery;
  const sound = new PassThrough({ highWaterMark: MOST_WAITING_BYTES });
  return new Promise((resolve) => {
    let isOpen = false;
    const hangUp = source.hear(station, server, mount, {
      opened(contentType) {
        isOpen = true;
        // A browser must not have to think about what it is, and keeps no copy.
        resolve(reply.type(contentType).header('x-accel-buffering', 'no').send(sound));
      },
      bytes(chunk) {
        if (!sound.write(chunk)) sound.destroy();
      },
      failed(detail) {
        if (isOpen) sound.destroy();
        else resolve(reply.code(502).send({ error: `${server}${mount}: ${detail}` }));
      },
    });
    if (hangUp === null) {
      resolve(reply.code(404).send({ error: `${station} has no ${mount} on ${server}` }));
      return;
    }
    const stopWatching = clock.every(MAY_STAY_EVERY_MS, () => {
      if (!mayStay(gate, request.person)) sound.destroy();
    });
    reply.raw.once('close', () => {
      stopWatching();
      hangUp();
      sound.destroy();
    });
  });
}

const mayStay = (gate: Gate, person: Person | null): boolean => person !== null && gate.mayStay(person);
