export type Codec = 'mp3' | 'aac' | 'opus' | 'vorbis';

export interface Encoding {
  readonly codec: Codec;
  readonly bitrateKbps: number;
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
}

/** MPEG-1 has these from 32 kHz on, MPEG-2 those below. In kbit/s. */
const MP3_KBPS = {
  high: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  low: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
/** Where libvorbis begins and ends, as tried out with ffmpeg 5 and libvorbis 1.3: [mono, stereo], in kbit/s. */
const VORBIS_KBPS = {
  low: { 1: [16, 90], 2: [30, 172] },
  middle: { 1: [30, 190], 2: [36, 380] },
  high: { 1: [32, 240], 2: [45, 500] },
} as const;
/** A frame of AAC holds 1,024 samples, and of each channel no more bits than this. */
const AAC_FRAME_BITS = 6_144;
const AAC_FRAME_SAMPLES = 1_024;
const LEAST_KBPS = 8;
const MOST_OPUS_KBPS = { 1: 256, 2: 510 } as const;

/** What is wrong with a bitrate that the codec doesn't have, said after it; null when nothing is. */
export function bitrateFault(encoding: Encoding): string | null {
  const { codec, bitrateKbps, sampleRateHz, channels } = encoding;
  const what = `${codec} at ${sampleRateHz} Hz in ${channels === 1 ? 'mono' : 'stereo'}`;
  if (codec === 'mp3') {
    const known = sampleRateHz >= 32_000 ? MP3_KBPS.high : MP3_KBPS.low;
    if (known.includes(bitrateKbps)) return null;
    return `is no bitrate of mp3 at ${sampleRateHz} Hz: write one of ${known.map((kbps) => `${kbps}k`).join(', ')}`;
  }
  const [least, most] = rangeOf(encoding);
  if (bitrateKbps >= least && bitrateKbps <= most) return null;
  return `is not what ${what} can do: write a value from ${least}k to ${most}k`;
}

function rangeOf({ codec, sampleRateHz, channels }: Encoding): readonly [number, number] {
  if (codec === 'vorbis') {
    const rates = sampleRateHz < 32_000 ? 'low' : sampleRateHz < 44_100 ? 'middle' : 'high';
    return VORBIS_KBPS[rates][channels];
  }
  if (codec === 'opus') return [LEAST_KBPS, MOST_OPUS_KBPS[channels]];
  const most = Math.floor((AAC_FRAME_BITS * sampleRateHz * channels) / AAC_FRAME_SAMPLES / 1_000);
  return [LEAST_KBPS, Math.min(most, 510)];
}
