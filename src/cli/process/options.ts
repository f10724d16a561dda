import { extname } from 'node:path';
import { FILE_FORMATS, type FileFormat, isFileFormat, isLossless } from '../../audio/encode-file.ts';
import { type LevelUnit, type Parsed, parseBitrate, parseLevel } from '../../config/units.ts';
import { bitrateFault, type Codec } from '../../domain/bitrates.ts';
import {
  DEFAULT_PROCESSING_PRESET,
  NAMED_LOUDNESS,
  PROCESSING_PARAMETERS,
  PROCESSING_PRESETS,
  type ProcessingPreset,
  type ProcessingValues,
  resolveProcessing,
} from '../../domain/processing.ts';

/** As they come from the command line. */
export interface ProcessOptions {
  readonly preset?: string | undefined;
  readonly target?: string | undefined;
  readonly ceiling?: string | undefined;
  readonly bitrate?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface WantedProcess {
  readonly preset: ProcessingPreset;
  readonly values: ProcessingValues;
  readonly format: FileFormat;
  readonly bitrateKbps: number;
}

const USUAL_KBPS = 192;
const CODEC_OF: Readonly<Record<FileFormat, Codec | null>> = {
  wav: null,
  flac: null,
  mp3: 'mp3',
  ogg: 'vorbis',
  opus: 'opus',
  aac: 'aac',
  m4a: 'aac',
};

/** The first option that can't be meant, or all of them understood. */
export function parseProcessOptions(output: string, options: ProcessOptions): Parsed<WantedProcess> {
  const extension = extname(output).slice(1).toLowerCase();
  if (!isFileFormat(extension)) {
    const known = FILE_FORMATS.map((format) => `.${format}`).join(', ');
    return { ok: false, message: `${output}: the name must end in one of ${known}` };
  }
  const wanted = options.preset ?? DEFAULT_PROCESSING_PRESET;
  const preset = PROCESSING_PRESETS.find((known) => known === wanted);
  if (preset === undefined)
    return { ok: false, message: `--preset: "${wanted}" is none of ${PROCESSING_PRESETS.join(', ')}` };
  const target = levelOption('--target', 'loudness', 'LUFS', options.target);
  if (!target.ok) return target;
  const ceiling = levelOption('--ceiling', 'ceiling', 'dBTP', options.ceiling);
  if (!ceiling.ok) return ceiling;
  const unused = target.value !== null ? '--target' : ceiling.value !== null ? '--ceiling' : null;
  if (preset === 'off' && unused !== null)
    return {
      ok: false,
      message: `${unused}: preset off leaves the sound as it is: choose another, or leave ${unused} out`,
    };
  const bitrate = bitrateOption(options.bitrate, extension);
  if (!bitrate.ok) return bitrate;
  const values = resolveProcessing({
    preset,
    changes: {},
    loudnessLufs: target.value,
    ceilingDbtp: ceiling.value,
    lowestBitrateKbps: isLossless(extension) ? null : bitrate.value,
  });
  return { ok: true, value: { preset, values, format: extension, bitrateKbps: bitrate.value } };
}

/** `-16`, `-16 LUFS` or one of the names that a level has; null when the option isn't there. */
function levelOption(
  option: string,
  key: string,
  unit: LevelUnit,
  text: string | undefined,
): Parsed<number | null> {
  if (text === undefined) return { ok: true, value: null };
  const names: Readonly<Record<string, number>> = key === 'loudness' ? NAMED_LOUDNESS : {};
  const named = Object.hasOwn(names, text) ? names[text] : undefined;
  const parsed = parseLevel(/^-?[\d.]+$/.test(text) ? `${text} ${unit}` : text, unit);
  const value = named ?? (parsed.ok ? parsed.value : null);
  if (value === null) return parsed.ok ? parsed : { ok: false, message: `${option}: ${parsed.message}` };
  const range = PROCESSING_PARAMETERS.find((parameter) => parameter.key === key);
  if (range !== undefined && (value < range.minimum || value > range.maximum)) {
    const message = `${option}: it may be from ${range.minimum} ${unit} to ${range.maximum} ${unit}`;
    return { ok: false, message };
  }
  return { ok: true, value };
}

/** What is written is stereo at 48 kHz. */
function bitrateOption(text: string | undefined, format: FileFormat): Parsed<number> {
  if (text === undefined) return { ok: true, value: USUAL_KBPS };
  const parsed = parseBitrate(text);
  if (!parsed.ok) return { ok: false, message: `--bitrate: ${parsed.message}` };
  const codec = CODEC_OF[format];
  const encoding = { bitrateKbps: parsed.value, sampleRateHz: 48_000, channels: 2 } as const;
  const fault = codec === null ? null : bitrateFault({ codec, ...encoding });
  return fault === null ? parsed : { ok: false, message: `--bitrate: ${text} ${fault}` };
}
