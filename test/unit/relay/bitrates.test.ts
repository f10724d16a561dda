import { describe, expect, it } from 'vitest';
import { runFfmpeg } from '../../../src/demo/rig/material.ts';
import { bitrateFault, type Encoding } from '../../../src/domain/bitrates.ts';
import { encodeArguments } from '../../../src/relay/encode-command.ts';

/** Half a second of sound, which ffmpeg must not refuse. */
async function isEncoded(encoding: Encoding): Promise<boolean> {
  const pcm = new Float32Array(48_000).map((_, index) => 0.3 * Math.sin(index * 0.03));
  try {
    const { output } = await runFfmpeg(
      encodeArguments({ ...encoding, mp3Quality: null }),
      Buffer.from(pcm.buffer),
    );
    return output.length > 1_000;
  } catch {
    return false;
  }
}

const VORBIS = [
  [22_050, 1, 16, 90],
  [22_050, 2, 30, 172],
  [32_000, 1, 30, 190],
  [32_000, 2, 36, 380],
  [44_100, 1, 32, 240],
  [44_100, 2, 45, 500],
  [48_000, 2, 45, 500],
] as const;

describe('the bitrates that an output may have', () => {
  it.each(VORBIS)('begin and end for vorbis where libvorbis does: %i Hz, %i channels', async (...row) => {
    const [sampleRateHz, channels, least, most] = row;
    const vorbis = { codec: 'vorbis', sampleRateHz, channels } as const;
    for (const bitrateKbps of [least, most]) {
      expect(bitrateFault({ ...vorbis, bitrateKbps })).toBeNull();
      expect(await isEncoded({ ...vorbis, bitrateKbps }), `${bitrateKbps}k`).toBe(true);
    }
    expect(bitrateFault({ ...vorbis, bitrateKbps: least - 1 })).toContain(`${least}k to ${most}k`);
    expect(await isEncoded({ ...vorbis, bitrateKbps: least - 1 })).toBe(false);
    expect(bitrateFault({ ...vorbis, bitrateKbps: most + 1 })).toContain(`${least}k to ${most}k`);
  });

  it('end for opus in mono at 256k, and in stereo not before 510k', async () => {
    const opus = { codec: 'opus', sampleRateHz: 48_000 } as const;
    expect(await isEncoded({ ...opus, channels: 1, bitrateKbps: 256 })).toBe(true);
    expect(await isEncoded({ ...opus, channels: 1, bitrateKbps: 257 })).toBe(false);
    expect(await isEncoded({ ...opus, channels: 2, bitrateKbps: 510 })).toBe(true);
    expect(bitrateFault({ ...opus, channels: 1, bitrateKbps: 256 })).toBeNull();
    expect(bitrateFault({ ...opus, channels: 1, bitrateKbps: 257 })).not.toBeNull();
    expect(bitrateFault({ ...opus, channels: 2, bitrateKbps: 510 })).toBeNull();
  });

  it('are those of the frame for mp3, which has no others', () => {
    const mp3 = { codec: 'mp3', channels: 2 } as const;
    for (const bitrateKbps of [8, 100, 144, 510])
      expect(bitrateFault({ ...mp3, sampleRateHz: 44_100, bitrateKbps }), `${bitrateKbps}k`).not.toBeNull();
    expect(bitrateFault({ ...mp3, sampleRateHz: 44_100, bitrateKbps: 320 })).toBeNull();
    expect(bitrateFault({ ...mp3, sampleRateHz: 24_000, bitrateKbps: 192 })).not.toBeNull();
    expect(bitrateFault({ ...mp3, sampleRateHz: 24_000, bitrateKbps: 8 })).toBeNull();
  });
});
