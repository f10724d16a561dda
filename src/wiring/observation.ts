import { z } from 'zod';
import { reachesDns } from '../decide/failover/lease-rule.ts';
import { orderOf } from '../decide/failover/operator.ts';
import type { FailoverState } from '../decide/failover/state.ts';
import type { Observation } from '../domain/failover.ts';
import { serverName } from '../domain/ids.ts';

const ago = z.number().min(0).max(86_400_000);
const word = z.object({
  is: z.enum(['unknown', 'well', 'doubt', 'ill']),
  verifiedAgoMs: ago.nullable(),
});
const name = z.string().min(1).max(32);
const hold = z.object({
  author: z.string().min(1).max(64),
  server: name.nullable(),
  override: z.boolean(),
  remainingMs: z
    .number()
    .min(0)
    .max(7 * 86_400_000),
});
const wireObservation = z.object({
  servers: z.record(name, word),
  order: z.object({ version: z.int().min(1), by: name, hold: hold.nullable() }).nullable(),
  reachesDns: z.boolean(),
});

/** What agents tell each other, as it goes over the wire: durations, as no two clocks agree. */
export type WireObservation = z.infer<typeof wireObservation>;

/** Reads what another agent sent; null when it is no observation. */
export function parseObservation(wire: unknown): WireObservation | null {
  const parsed = wireObservation.safeParse(wire);
  return parsed.success ? parsed.data : null;
}

/** What this agent has to say. */
export function observationFrom(state: FailoverState, nowMs: number): WireObservation {
  const words = [...state.sights].map(([server, { health }]) => {
    const verifiedAgoMs = health.is === 'well' ? Math.max(0, nowMs - health.verifiedAtMs) : null;
    return [server, { is: health.is, verifiedAgoMs }] as const;
  });
  const order = orderOf(state);
  const said = { servers: Object.fromEntries(words), reachesDns: reachesDns(state, nowMs) };
  if (order?.hold == null) return { ...said, order: order && { ...order, hold: null } };
  const { untilMs, ...kept } = order.hold;
  const remainingMs = Math.max(0, untilMs - nowMs);
  return { ...said, order: { ...order, hold: { ...kept, remainingMs } } };
}

/** What another agent said, on our clock. */
export function heardFrom(agent: string, wire: WireObservation, heardAtMs: number): Observation {
  const servers = new Map(Object.entries(wire.servers).map(([server, one]) => [serverName(server), one]));
  const { order } = wire;
  const heard = { agent, heardAtMs, servers, reachesDns: wire.reachesDns };
  if (order?.hold == null) return { ...heard, order: order && { ...order, hold: null } };
  const { remainingMs, server, ...kept } = order.hold;
  return {
    ...heard,
    order: {
      ...order,
      hold: {
        ...kept,
        server: server === null ? null : serverName(server),
        untilMs: heardAtMs + remainingMs,
      },
    },
  };
}
