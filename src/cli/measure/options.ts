import { type Parsed, parseDuration, parseLevel } from '../../config/units.ts';
import { JUDGEMENT, type Judgement } from './measurement.ts';

/** As they come from the command line. */
export interface MeasureOptions {
  readonly duration?: string | undefined;
  readonly silenceThreshold?: string | undefined;
  readonly trip?: string | undefined;
  readonly preset?: string | undefined;
  readonly target?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface Wanted {
  readonly judgement: Judgement;
  /** Null: as long as it is. */
  readonly durationSeconds: number | null;
}

const PRESETS = ['talk', 'music', 'classical'] as const;
type Preset = (typeof PRESETS)[number];

const isPreset = (text: string): text is Preset => PRESETS.some((preset) => preset === text);

/** The first option that can't be meant, or all of them understood. */
export function parseOptions(options: MeasureOptions): Parsed<Wanted> {
  const { preset = JUDGEMENT.preset } = options;
  const duration = within(
    '--duration',
    read(options.duration, parseDuration),
    1_000,
    24 * 3_600_000,
    '1s to 24h',
  );
  const trip = within('--trip', read(options.trip, parseDuration), 1_000, 600_000, '1s to 10m');
  const threshold = within(
    '--silence-threshold',
    read(options.silenceThreshold, (text) => parseLevel(text, 'dBFS')),
    -90,
    -10,
    '-90 dBFS to -10 dBFS',
  );
  const target = within(
    '--target',
    read(options.target, (text) => parseLevel(text, 'LUFS')),
    -70,
    0,
    '-70 LUFS to 0 LUFS',
  );
  if (!duration.ok) return duration;
  if (!trip.ok) return trip;
  if (!threshold.ok) return threshold;
  if (!target.ok) return target;
  if (!isPreset(preset))
    return { ok: false, message: `--preset: "${preset}" is none of ${PRESETS.join(', ')}` };
  return {
    ok: true,
    value: {
      judgement: {
        thresholdDbfs: threshold.value ?? JUDGEMENT.thresholdDbfs,
        tripMs: trip.value ?? JUDGEMENT.tripMs,
        preset,
        targetLufs: target.value,
      },
      durationSeconds: duration.value === null ? null : duration.value / 1000,
    },
  };
}

function read(text: string | undefined, parse: (text: string) => Parsed<number>): Parsed<number | null> {
  return text === undefined ? { ok: true, value: null } : parse(text);
}

function within(
  option: string,
  parsed: Parsed<number | null>,
  least: number,
  most: number,
  range: string,
): Parsed<number | null> {
  if (!parsed.ok) return { ok: false, message: `${option}: ${parsed.message}` };
  const { value } = parsed;
  if (value !== null && (value < least || value > most))
    return { ok: false, message: `${option}: it may be from ${range}` };
  return parsed;
}
