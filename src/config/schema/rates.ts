import { z } from 'zod';
import { count, duration, plainNumber } from './leaves.ts';

const rate = plainNumber({
  description: 'How often it comes in a year, for each part that it can befall.',
  example: '4',
  minimum: '0',
  maximum: '1000',
});
const length = (description: string, example: string) =>
  duration({ description, example, minimum: '1s', maximum: '168h' });

/** What may be said of one kind of fault; what is not said stays as `sustain simulate` assumes it. */
const fault = z.strictObject({
  perYear: rate.optional(),
  median: length('Half of them are over by then.', '1m').optional(),
  long: length('All but one in twenty are over by then.', '30m').optional(),
});

const share = (description: string, example: string) =>
  plainNumber({ description, example, minimum: '0', maximum: '1' });

const players = z.strictObject({
  clamped: share('Of listeners: their resolver keeps an answer for at least `clamp`.', '0.15').optional(),
  clamp: duration({ description: 'See `clamped`.', example: '5m', minimum: '0s', maximum: '24h' }).optional(),
  sticky: share('Of listeners: their player asks for the name once, and never again.', '0.08').optional(),
  session: duration({
    description: 'After this, on average, a listener tunes in anew.',
    example: '2h',
    minimum: '1m',
    maximum: '48h',
  }).optional(),
  buffer: duration({
    description: 'Sound that a player has in hand.',
    example: '4s',
    minimum: '0s',
    maximum: '2m',
  }).optional(),
  readTimeout: duration({
    description: 'A player gives a connection up that has brought nothing for so long.',
    example: '10s',
    minimum: '1s',
    maximum: '5m',
  }).optional(),
  reconnect: duration({
    description: 'From a lost connection or a vain try to the next try.',
    example: '2s',
    minimum: '100ms',
    maximum: '5m',
  }).optional(),
});

const check = z.strictObject({
  interval: duration({
    description: 'From one check to the next.',
    example: '30s',
    minimum: '1s',
    maximum: '1h',
  }).optional(),
  fall: count({
    description: 'So many failed checks move the name.',
    example: '1',
    minimum: '1',
    maximum: '20',
  }).optional(),
  rise: count({
    description: 'So many good ones move it back.',
    example: '1',
    minimum: '1',
    maximum: '20',
  }).optional(),
});

const encoders = z.strictObject({
  reconnect: duration({
    description: 'From when an encoder finds its server again to its connection.',
    example: '2s',
    minimum: '100ms',
    maximum: '10m',
  }).optional(),
});

/** `rates.yaml` of `sustain simulate`. */
export const ratesSchema = z.strictObject({
  faults: z.record(z.string(), fault).optional(),
  players: players.optional(),
  check: check.optional(),
  encoders: encoders.optional(),
});

export type Rates = z.output<typeof ratesSchema>;
