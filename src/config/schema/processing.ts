import { z } from 'zod';
import {
  DEFAULT_PROCESSING_PRESET,
  NAMED_LOUDNESS,
  PROCESSING_PARAMETERS,
  PROCESSING_PRESETS,
  type ProcessingParameter,
  processingValueText,
  resolveProcessing,
} from '../../domain/processing.ts';
import { choice, duration, level, name, namedLevel, onOff, plainNumber, ratio } from './leaves.ts';

/** The leaf that one parameter of the chain has in an own preset. */
function leafOf({ key, unit, minimum, maximum, initial, about }: ProcessingParameter) {
  const text = (value: number) => processingValueText(unit, value);
  const ranged = {
    description: `${about} In the music preset: ${text(initial)}.`,
    example: text(initial),
    minimum: text(minimum),
    maximum: text(maximum),
  };
  switch (unit) {
    case 'switch':
      return onOff(ranged);
    case 'ratio':
      return ratio(ranged);
    case 'ms':
      return duration(ranged);
    case 'Q':
      return plainNumber(ranged);
    default:
      return key === 'loudness' ? namedLevel(unit, NAMED_LOUDNESS, ranged) : level(unit, ranged);
  }
}

const SECTION_ABOUT: Readonly<Record<string, string>> = {
  highPass: 'The high-pass before everything else.',
  rotator: 'The phase rotator behind it.',
  leveller: 'The slow hand on the fader.',
  compressor: 'The five bands together.',
  equaliser: 'The equaliser behind the compressor.',
  limiter: 'The limiter before the encoder.',
};

const parameterOf = (key: string): ProcessingParameter => {
  const found = PROCESSING_PARAMETERS.find((parameter) => parameter.key === key);
  if (found === undefined) throw new Error(`the chain has no parameter ${key}`);
  return found;
};

type Leaf = ReturnType<typeof leafOf>;

/** `leveller.speed` is the key `speed` of the section `leveller`. */
function sections(): Record<string, z.ZodOptional<z.ZodObject<Record<string, z.ZodOptional<Leaf>>>>> {
  const keys = new Map<string, Record<string, z.ZodOptional<Leaf>>>();
  for (const parameter of PROCESSING_PARAMETERS) {
    const [section = '', key] = parameter.key.split('.');
    if (key === undefined) continue;
    keys.set(section, { ...keys.get(section), [key]: leafOf(parameter).optional() });
  }
  return Object.fromEntries(
    [...keys].map(([section, shape]) => {
      const description = SECTION_ABOUT[section] ?? `Band ${section.slice(4)} of the compressor.`;
      return [section, z.strictObject(shape).optional().meta({ description })];
    }),
  );
}

const preset = z
  .strictObject({
    from: choice(PROCESSING_PRESETS, {
      description: 'The preset that it differs from.',
      example: DEFAULT_PROCESSING_PRESET,
    }).prefault(DEFAULT_PROCESSING_PRESET),
    ...sections(),
  })
  .transform(({ from, ...written }) => ({ from, changes: flattened(written) }))
  .superRefine(({ from, changes }, context) => {
    const request = { preset: from, changes, loudnessLufs: null, ceilingDbtp: null, lowestBitrateKbps: null };
    const values = resolveProcessing(request);
    for (const upper of [2, 3, 4]) {
      const key = `crossover${upper}`;
      const above = values[`compressor.${key}`] ?? 0;
      const below = values[`compressor.crossover${upper - 1}`] ?? 0;
      if (above > below) continue;
      const message = `is ${above} Hz, not over crossover${upper - 1} at ${below} Hz: each crossover is over the one before`;
      context.addIssue({ code: 'custom', path: ['compressor', key], message });
    }
  })
  .meta({ description: 'An own preset: what it does differently from one of those that are there.' });

function flattened(written: object): Record<string, number> {
  const flat: Record<string, number> = {};
  for (const [section, values] of Object.entries(written)) {
    if (typeof values !== 'object' || values === null) continue;
    for (const [key, value] of Object.entries(values)) {
      if (typeof value === 'number') flat[`${section}.${key}`] = value;
    }
  }
  return flat;
}

/** The top-level section. */
export const processing = z
  .strictObject({
    presets: z
      .record(z.string(), preset)
      .prefault({})
      .meta({ description: 'Own presets, by the names under which serve.processing.preset asks for them.' }),
  })
  .meta({ description: 'What the stations share of the processing chain.' });

const loudness = leafOf(parameterOf('loudness'));
const ceiling = leafOf(parameterOf('ceiling'));

/** `serve.processing` of a station. */
export const stationProcessing = z
  .strictObject({
    preset: name({
      description: `${PROCESSING_PRESETS.join(', ')}, or an own preset of processing.presets.`,
      example: DEFAULT_PROCESSING_PRESET,
    }).prefault(DEFAULT_PROCESSING_PRESET),
    loudness: loudness.optional(),
    ceiling: ceiling.optional().meta({
      ...ceiling.meta(),
      description:
        'Highest true peak that leaves the limiter; by default -1 dBTP, and -2 dBTP where an output is below 96k.',
    }),
  })
  .transform(({ preset: wanted, loudness: loudnessLufs, ceiling: ceilingDbtp }) => ({
    preset: wanted,
    loudnessLufs: loudnessLufs ?? null,
    ceilingDbtp: ceilingDbtp ?? null,
  }))
  .meta({ description: 'The processing chain of the public mounts; without this section there is none.' });
