import { type MeterSettings, Meter as NativeMeter, readingField } from '../../native-bindings/index.ts';
import { PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';

export const BLOCK_MS = 100;
/** Five seconds in one piece, more than any burst's decoder hands over at once; the meter keeps the newest of them. */
const CAPACITY = 50;
const PIECE_SAMPLES = (CAPACITY * PCM_RATE_HZ * PCM_CHANNELS * BLOCK_MS) / 1000;

/** The native meter for what our decoders give: interleaved stereo at 48 kHz. */
export function openNativeMeter(
  settings: Omit<MeterSettings, 'sampleRateHz' | 'channels' | 'capacity'>,
): NativeMeter {
  return new NativeMeter({
    sampleRateHz: PCM_RATE_HZ,
    channels: PCM_CHANNELS,
    capacity: CAPACITY,
    ...settings,
  });
}

/** Pushes sound of any length, and visits each block of 100 ms that it completed, by its place in `readings`. */
export function pushBlocks(native: NativeMeter, pcm: Float32Array, visit: (offset: number) => void): void {
  const whole = pcm.length - (pcm.length % PCM_CHANNELS);
  for (let from = 0; from < whole; from += PIECE_SAMPLES) {
    const count = native.push(pcm.subarray(from, Math.min(whole, from + PIECE_SAMPLES)));
    for (let age = count - 1; age >= 0; age -= 1) visit(native.offsetOf(age));
  }
}

/** How much of the block at `offset` was sound: over the threshold, or modulated as programme is. In ms. */
export function audibleMsAt({ readings }: NativeMeter, offset: number): number {
  const column = (index: number) => readings[offset + index] ?? Number.NaN;
  return Math.max(column(readingField.audibleMs), column(readingField.modulatedMs));
}
