import type { MeterSummary } from '../../audio/programme-meter.ts';
import type { Fault, Measurement } from './measurement.ts';

export const round = (value: number): number | null =>
  Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null;

/** The names are a promise to scripts. What isn't finite, as the loudness of silence, is null. */
export function summaryJson(summary: MeterSummary): object {
  return {
    integratedLufs: round(summary.integratedLufs),
    maxMomentaryLufs: round(summary.maxMomentaryLufs),
    maxShortTermLufs: round(summary.maxShortTermLufs),
    loudnessRangeLu: round(summary.loudnessRangeLu),
    truePeakDbtp: round(summary.truePeakDbtp),
    samplePeakDbfs: round(summary.samplePeakDbfs),
    rmsDbfs: summary.rmsDbfs.map(round),
    correlation: round(summary.correlation),
    durationSeconds: round(summary.durationSeconds),
  };
}

export function measurementJson({ summary, faults }: Measurement): object {
  return {
    ...summaryJson(summary),
    faults: faults.map(({ kind, startSeconds, endSeconds, evidence }) => ({
      kind,
      startSeconds: round(startSeconds),
      endSeconds: endSeconds === null ? null : round(endSeconds),
      evidence: Object.fromEntries(Object.entries(evidence).map(([name, value]) => [name, round(value)])),
    })),
  };
}

export function measurementText(what: string, measurement: Measurement): string {
  const { summary, faults, isMono } = measurement;
  const rows: [string, string][] = [
    ['integrated loudness', level(summary.integratedLufs, 'LUFS')],
    ['loudness range', level(summary.loudnessRangeLu, 'LU')],
    ['loudest 400 ms', level(summary.maxMomentaryLufs, 'LUFS')],
    ['loudest 3 s', level(summary.maxShortTermLufs, 'LUFS')],
    ['true peak', level(summary.truePeakDbtp, 'dBTP')],
    ['sample peak', level(summary.samplePeakDbfs, 'dBFS')],
    ['RMS left', level(summary.rmsDbfs[0] ?? Number.NaN, 'dBFS')],
    ['RMS right', level(summary.rmsDbfs[1] ?? Number.NaN, 'dBFS')],
    ['correlation', `${number(summary.correlation, 2)}${isMono ? '  (mono)' : ''}`],
  ];
  return [
    `${what}, ${duration(summary.durationSeconds)} measured`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(20)}${value}`),
    '',
    ...faultLines(faults),
  ].join('\n');
}

function faultLines(faults: readonly Fault[]): readonly string[] {
  if (faults.length === 0) return ['  no faults'];
  const head = ['fault', 'from', 'to', 'evidence'];
  const rows = faults.map((fault) => [
    fault.kind,
    timeText(fault.startSeconds),
    fault.endSeconds === null ? 'the end' : timeText(fault.endSeconds),
    evidenceText(fault.evidence),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}

const UNITS = ['Dbfs', 'Db', 'Hz', 'Lufs', 'Lu', 'Seconds', 'Percent'] as const;
const UNIT_TEXT: Readonly<Record<(typeof UNITS)[number], string>> = {
  Dbfs: ' dBFS',
  Db: ' dB',
  Hz: ' Hz',
  Lufs: ' LUFS',
  Lu: ' LU',
  Seconds: ' s',
  Percent: ' %',
};

/** `levelDbfs: -41.23` as `level -41.2 dBFS`. */
function evidenceText(evidence: Readonly<Record<string, number>>): string {
  return Object.entries(evidence)
    .map(([name, value]) => {
      const unit = UNITS.find((one) => name.endsWith(one));
      const words = (unit === undefined ? name : name.slice(0, -unit.length))
        .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
        .trim();
      const digits = Number.isInteger(value) ? 0 : unit === undefined || unit === 'Seconds' ? 2 : 1;
      return `${words} ${number(value, digits)}${unit === undefined ? '' : UNIT_TEXT[unit]}`;
    })
    .join(', ');
}

export function level(value: number, unit: string): string {
  return Number.isNaN(value) ? '-' : `${number(value, 1).padStart(6)} ${unit}`;
}

function number(value: number, digits: number): string {
  if (Number.isNaN(value)) return '-';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  return value.toFixed(digits);
}

/** What a bar says while somebody listens. */
export const heardText = (seconds: number): string => `${timeText(seconds)} heard`;

/** `1:02:03.4` as a person finds it in a player. */
export function timeText(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const pad = (part: number) => String(part).padStart(2, '0');
  const hours = Math.floor(tenths / 36_000);
  const minutes = Math.floor(tenths / 600) % 60;
  const rest = `${pad(Math.floor(tenths / 10) % 60)}.${tenths % 10}`;
  return hours > 0 ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}

export function duration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : timeText(seconds);
}
