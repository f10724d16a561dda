import type { StationName } from './ids.ts';
import { PROCESSING_PARAMETERS, type ProcessingValues, processingValueText } from './processing.ts';

/*
 * How agents find that their chains differ, without a channel of their own: each shows its chains' fingerprints where the
 * others look anyway, and all values as long as it sees another fingerprint than its own.
 */

/** What one agent shows of the chain of one station. */
export interface ChainSign {
  readonly station: StationName;
  readonly fingerprint: string;
  /** Null while the agent shows no more than the fingerprint, or knows other parameters than this one. */
  readonly values: ProcessingValues | null;
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const FINGERPRINT_DIGITS = 12;

/** Two chains with the same one do the same: twelve hexadecimal digits (FNV-1a of 64 bits). */
export function processingFingerprint(values: ProcessingValues): string {
  const known = fingerprints.get(values) ?? fingerprintOf(values);
  fingerprints.set(values, known);
  return known;
}

/** A decision asks for it ten times a second. */
const fingerprints = new WeakMap<ProcessingValues, string>();

function fingerprintOf(values: ProcessingValues): string {
  const text = PROCESSING_PARAMETERS.map(({ key }) => `${key}=${values[key] ?? ''}`).join('\n');
  let hash = FNV_OFFSET;
  for (const char of text) hash = BigInt.asUintN(64, (hash ^ BigInt(char.charCodeAt(0))) * FNV_PRIME);
  return hash.toString(16).padStart(16, '0').slice(0, FINGERPRINT_DIGITS);
}

/** All values in the order of the table, as a User-Agent can carry them. */
export function shownValues(values: ProcessingValues): string {
  return PROCESSING_PARAMETERS.map(({ key }) => values[key]).join(',');
}

/** Null when it is not a number for each parameter: then the other agent is of another version. */
export function parseShownValues(text: string): ProcessingValues | null {
  const numbers = text.split(',').map(Number);
  if (numbers.length !== PROCESSING_PARAMETERS.length || !numbers.every(Number.isFinite)) return null;
  return Object.fromEntries(PROCESSING_PARAMETERS.map(({ key }, index) => [key, numbers[index] ?? 0]));
}

const MOST_NAMED = 3;

/** `leveller.speed is 1200ms here and 2s there`: the parameters that differ, the first few of them by name. */
export function processingDifferences(ours: ProcessingValues, theirs: ProcessingValues): readonly string[] {
  const differing = PROCESSING_PARAMETERS.filter(({ key }) => ours[key] !== theirs[key]);
  const named = differing.slice(0, MOST_NAMED).map(({ key, unit }) => {
    const text = (values: ProcessingValues) => processingValueText(unit, values[key] ?? Number.NaN);
    return `${key} is ${text(ours)} here and ${text(theirs)} there`;
  });
  const more = differing.length - named.length;
  return more > 0 ? [...named, `${more} more differ`] : named;
}
