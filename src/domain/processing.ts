/**
 * The processing chain's parameters, all of them, once: the config's keys and ranges, the reference in docs/processing.md
 * and the values that the native code takes are made from this table.
 */

/** `switch` is 0 or 1; `ratio` is the input's decibels for one of the output; `Q` is the centre over the width. */
export type ProcessingUnit = 'LUFS' | 'dBTP' | 'LU' | 'dB' | 'Hz' | 'ms' | 'ratio' | 'Q' | 'switch';

export interface ProcessingParameter {
  readonly key: string;
  readonly unit: ProcessingUnit;
  readonly minimum: number;
  readonly maximum: number;
  /** The value of the `music` preset. */
  readonly initial: number;
  readonly about: string;
}

/** A number for every parameter, by its key. */
export type ProcessingValues = Readonly<Record<string, number>>;

const on = (key: string, initial: 0 | 1, about: string): ProcessingParameter => ({
  key: `${key}.on`,
  unit: 'switch',
  minimum: 0,
  maximum: 1,
  initial,
  about,
});

const number =
  (unit: ProcessingUnit, minimum: number, maximum: number) =>
  (key: string, initial: number, about: string): ProcessingParameter => ({
    key,
    unit,
    minimum,
    maximum,
    initial,
    about,
  });

const hertz = number('Hz', 20, 20_000);
const milliseconds = number('ms', 1, 5_000);

/** Threshold, ratio, knee, attack, release and gain of the music preset, from the lowest band to the highest. */
const BANDS = [
  { threshold: -8, ratio: 2, knee: 8, attack: 30, release: 400 },
  { threshold: -9, ratio: 2, knee: 8, attack: 20, release: 300 },
  { threshold: -12, ratio: 2, knee: 8, attack: 12, release: 220 },
  { threshold: -17, ratio: 2, knee: 8, attack: 8, release: 160 },
  { threshold: -22, ratio: 2, knee: 8, attack: 5, release: 120 },
] as const;

export const PROCESSING_BANDS = BANDS.length;

function bandParameters({ threshold, ratio, knee, attack, release }: (typeof BANDS)[number], index: number) {
  const band = `band${index + 1}`;
  return [
    number('dB', -60, 20)(
      `${band}.threshold`,
      threshold,
      'Level of the band, relative to the loudness target, over which it is turned down.',
    ),
    number('ratio', 1, 20)(`${band}.ratio`, ratio, 'How many decibels over the threshold become one.'),
    number('dB', 0, 24)(`${band}.knee`, knee, 'Width of the bend around the threshold.'),
    milliseconds(`${band}.attack`, attack, 'Time constant of turning down.'),
    milliseconds(`${band}.release`, release, 'Time constant of letting go.'),
    number('dB', -18, 18)(`${band}.gain`, 0, 'Level of the band after its compression.'),
  ];
}

export const PROCESSING_PARAMETERS: readonly ProcessingParameter[] = [
  number('LUFS', -36, -8)('loudness', -16, 'Loudness that programme is brought to.'),
  number('dBTP', -12, 0)('ceiling', -1, 'Highest true peak that leaves the limiter.'),
  on('highPass', 1, 'Takes away what is too low to be programme.'),
  number('Hz', 15, 200)('highPass.frequency', 30, 'Corner of the high-pass, 12 dB an octave.'),
  on(
    'rotator',
    0,
    "Turns phases so that the two sides of a voice's wave are alike, which spares the limiter.",
  ),
  number('Hz', 50, 1_000)('rotator.frequency', 200, 'Middle of the turn.'),
  on('leveller', 1, 'Brings programme to the loudness target, slowly.'),
  number('ms', 1_000, 30_000)('leveller.window', 3_000, 'How much programme is looked back on.'),
  number('ms', 200, 30_000)(
    'leveller.speed',
    1_200,
    'Time constant of small corrections; large ones are faster.',
  ),
  number('dB', 0, 40)('leveller.maxGain', 24, 'The most that quiet programme is raised.'),
  number('dB', 0, 40)('leveller.maxCut', 24, 'The most that loud programme is lowered.'),
  number('LUFS', -70, -20)('leveller.gate', -50, 'What is quieter than this is a pause, and never raised.'),
  number('LU', 1, 20)('leveller.guard', 6, 'A burst is held to this much over the target.'),
  on('compressor', 1, 'Five bands, each turned down by what it is over its threshold.'),
  hertz('compressor.crossover1', 120, 'Between bands 1 and 2.'),
  hertz('compressor.crossover2', 450, 'Between bands 2 and 3.'),
  hertz('compressor.crossover3', 1_800, 'Between bands 3 and 4.'),
  hertz('compressor.crossover4', 6_000, 'Between bands 4 and 5.'),
  ...BANDS.flatMap(bandParameters),
  on('equaliser', 0, 'Low shelf, presence bell and high shelf.'),
  hertz('equaliser.lowFrequency', 100, 'Corner of the low shelf.'),
  number('dB', -12, 12)('equaliser.lowGain', 0, 'Gain below it.'),
  hertz('equaliser.presenceFrequency', 3_200, 'Centre of the bell.'),
  number('dB', -12, 12)('equaliser.presenceGain', 0, 'Gain at it.'),
  number('Q', 0.2, 5)('equaliser.presenceWidth', 0.7, 'Its centre frequency over its width.'),
  hertz('equaliser.highFrequency', 8_000, 'Corner of the high shelf.'),
  number('dB', -12, 12)('equaliser.highGain', 0, 'Gain above it.'),
  on('limiter', 1, 'Holds true peaks under the ceiling, looking 6 ms ahead.'),
  milliseconds('limiter.release', 80, 'Time constant of letting go, after a hold of 10 ms.'),
];

/** `band1.threshold` for each band, from the lowest to the highest. */
function inBands(field: string, values: readonly number[]): Record<string, number> {
  return Object.fromEntries(values.map((value, index) => [`band${index + 1}.${field}`, value]));
}

const everyBand = (field: string, value: number) => inBands(field, Array(PROCESSING_BANDS).fill(value));

export const PROCESSING_PRESETS = ['off', 'talk', 'music', 'classical', 'loud'] as const;
export type ProcessingPreset = (typeof PROCESSING_PRESETS)[number];

export const DEFAULT_PROCESSING_PRESET: ProcessingPreset = 'music';

/** What each preset does differently from `music`. */
export const PRESET_VALUES: Readonly<Record<ProcessingPreset, ProcessingValues>> = {
  off: {
    'highPass.on': 0,
    'rotator.on': 0,
    'leveller.on': 0,
    'compressor.on': 0,
    'equaliser.on': 0,
    'limiter.on': 0,
  },
  talk: {
    'highPass.frequency': 60,
    'rotator.on': 1,
    ...inBands('threshold', [-10, -10, -13, -18, -24]),
    ...inBands('ratio', [2.5, 2.5, 2.5, 3, 4]),
    ...inBands('attack', [20, 15, 10, 5, 3]),
    ...inBands('release', [300, 250, 200, 150, 100]),
    'equaliser.on': 1,
    'equaliser.presenceGain': 2,
  },
  music: {},
  classical: {
    'highPass.frequency': 20,
    'leveller.speed': 2_000,
    'leveller.guard': 8,
    ...everyBand('ratio', 1.3),
    ...everyBand('knee', 12),
    ...inBands('release', [800, 600, 500, 400, 300]),
    'limiter.release': 150,
  },
  loud: {
    'leveller.speed': 1_000,
    'leveller.guard': 5,
    ...inBands('threshold', [-13, -14, -17, -22, -27]),
    ...everyBand('ratio', 4),
    ...everyBand('knee', 6),
    ...inBands('release', [250, 180, 130, 100, 80]),
    'equaliser.on': 1,
    'equaliser.lowGain': 1.5,
    'equaliser.highGain': 2,
    'limiter.release': 50,
  },
};

/** Loudness targets that have names. */
export const NAMED_LOUDNESS = { r128: -23, aes: -18, web: -16, platforms: -14 } as const;

/** Under this a codec needs more room over the ceiling. */
const LOW_BITRATE_KBPS = 96;
const CEILING_DBTP = -1;
const LOW_BITRATE_CEILING_DBTP = -2;

/** What of the chain was asked for; null where nothing was. */
export interface ProcessingRequest {
  readonly preset: ProcessingPreset;
  /** What an own preset does differently from that one. */
  readonly changes: ProcessingValues;
  readonly loudnessLufs: number | null;
  readonly ceilingDbtp: number | null;
  /** Of what is encoded from it; null when nothing is, or without loss. */
  readonly lowestBitrateKbps: number | null;
}

/** A value for every parameter. */
export function resolveProcessing(request: ProcessingRequest): ProcessingValues {
  const { loudnessLufs, ceilingDbtp, lowestBitrateKbps } = request;
  const isLow = lowestBitrateKbps !== null && lowestBitrateKbps < LOW_BITRATE_KBPS;
  return {
    ...Object.fromEntries(PROCESSING_PARAMETERS.map(({ key, initial }) => [key, initial])),
    ceiling: isLow ? LOW_BITRATE_CEILING_DBTP : CEILING_DBTP,
    ...PRESET_VALUES[request.preset],
    ...request.changes,
    ...(loudnessLufs === null ? {} : { loudness: loudnessLufs }),
    ...(ceilingDbtp === null ? {} : { ceiling: ceilingDbtp }),
  };
}

/** A value as a person writes it in the config: `-8 dB`, `2:1`, `300ms`, `on`. */
export function processingValueText(unit: ProcessingUnit, value: number): string {
  switch (unit) {
    case 'switch':
      return value === 0 ? 'off' : 'on';
    case 'ratio':
      return `${value}:1`;
    case 'ms':
      return value >= 1_000 && value % 1_000 === 0 ? `${value / 1_000}s` : `${value}ms`;
    case 'Q':
      return String(value);
    default:
      return `${value} ${unit}`;
  }
}
