import type { MeterSummary } from '../../audio/programme-meter.ts';
import { table } from '../check/print.ts';
import { duration, level, round, summaryJson } from '../measure/print.ts';
import type { WantedProcess } from './options.ts';
import type { ProcessReport, Reduction } from './work.ts';

/** Not a number where the preset does nothing of the kind. */
const parameter = ({ preset, values }: WantedProcess, key: 'loudness' | 'ceiling'): number =>
  preset === 'off' ? Number.NaN : (values[key] ?? Number.NaN);

/** The names are a promise to scripts. */
export function processJson(wanted: WantedProcess, report: ProcessReport): object {
  const reduction = ({ meanDb, mostDb }: Reduction) => ({ meanDb: round(meanDb), mostDb: round(mostDb) });
  return {
    preset: wanted.preset,
    targetLufs: round(parameter(wanted, 'loudness')),
    ceilingDbtp: round(parameter(wanted, 'ceiling')),
    damage: report.damage,
    fingerprint: report.fingerprint,
    latencyMs: round(report.latencyMs),
    before: summaryJson(report.before),
    after: summaryJson(report.behind),
    afterCodec:
      report.decoded === null
        ? null
        : { ...summaryJson(report.decoded), overshootDb: round(overshootDb(wanted, report.decoded)) },
    gainReduction: {
      bands: report.bands.map(reduction),
      limiter: { ...reduction(report.limiter), activePercent: round(report.limiter.activePercent) },
    },
    levellerGainDb: { least: round(report.levellerDb.least), most: round(report.levellerDb.most) },
    parameters: wanted.values,
  };
}

const FIGURES: readonly (readonly [name: string, unit: string, of: (summary: MeterSummary) => number])[] = [
  ['integrated loudness', 'LUFS', (summary) => summary.integratedLufs],
  ['loudness range', 'LU', (summary) => summary.loudnessRangeLu],
  ['loudest 3 s', 'LUFS', (summary) => summary.maxShortTermLufs],
  ['true peak', 'dBTP', (summary) => summary.truePeakDbtp],
];

const overshootDb = (wanted: WantedProcess, decoded: MeterSummary): number =>
  decoded.truePeakDbtp - parameter(wanted, 'ceiling');

function codecText(wanted: WantedProcess, decoded: MeterSummary): string {
  const over = overshootDb(wanted, decoded);
  return over > 0
    ? `the codec's peaks pass the ceiling by ${over.toFixed(1)} dB: lower the ceiling or raise the bitrate where that matters`
    : 'the peaks stay under the ceiling after the codec, too';
}

export function processText(
  input: string,
  output: string,
  wanted: WantedProcess,
  report: ProcessReport,
): string {
  const target =
    wanted.preset === 'off'
      ? 'the sound is left as it is'
      : `target ${parameter(wanted, 'loudness')} LUFS, ceiling ${parameter(wanted, 'ceiling')} dBTP`;
  const amount = ({ meanDb, mostDb }: Reduction) => [level(meanDb, 'dB'), level(mostDb, 'dB')];
  const { limiter, levellerDb, fingerprint, decoded } = report;
  return [
    `${input} -> ${output}, ${duration(report.before.durationSeconds)}`,
    `preset ${wanted.preset}, ${target}, chain ${fingerprint}`,
    '',
    table([
      ['', 'before', 'after', ...(decoded === null ? [] : ['decoded again'])],
      ...FIGURES.map(([name, unit, of]) => [
        name,
        level(of(report.before), unit),
        level(of(report.behind), unit),
        ...(decoded === null ? [] : [level(of(decoded), unit)]),
      ]),
    ]),
    ...(decoded === null || wanted.preset === 'off' ? [] : ['', `  ${codecText(wanted, decoded)}`]),
    '',
    table([
      ['turned down', 'mean', 'most'],
      ...report.bands.map((band, index) => [`band ${index + 1}`, ...amount(band)]),
      ['limiter', ...amount(limiter), `at work ${limiter.activePercent.toFixed(1)} % of the time`],
    ]),
    '',
    `  leveller ${level(levellerDb.least, 'dB').trim()} to ${level(levellerDb.most, 'dB').trim()}`,
  ].join('\n');
}
