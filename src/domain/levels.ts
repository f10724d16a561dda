import type { LegCondition } from './conditions.ts';
import type { LegId, Mount, ServerName, SourceName, StationName } from './ids.ts';
import type { ProcessingReading } from './readings.ts';

/** One row of meters: a leg on one server, or a public mount of relay mode on one. */
export type LevelChannel =
  | {
      readonly kind: 'leg';
      readonly leg: LegId;
      readonly server: ServerName;
      readonly source: SourceName;
      readonly mount: Mount;
      /** Under this RMS level it counts as quiet, in dBFS. */
      readonly thresholdDbfs: number;
    }
  | {
      readonly kind: 'output';
      readonly server: ServerName;
      readonly mount: Mount;
      readonly thresholdDbfs: number;
    };

/** `myfm/primary@london`, `/stream@dublin`: one name for each channel of a station. */
export const channelName = (channel: LevelChannel): string =>
  channel.kind === 'leg' ? channel.leg : outputName(channel.server, channel.mount);
export const outputName = (server: string, mount: string): string => `${mount}@${server}`;

/** RMS and sample peak of left and right. Digital silence is -Infinity, and what isn't known is NaN. */
export interface StereoLevels {
  readonly rmsDbfs: readonly [number, number];
  readonly peakDbfs: readonly [number, number];
}

/** What one channel sounds like at this moment. */
export interface ChannelLevels extends StereoLevels {
  /** Of the newest 100 ms. */
  readonly truePeakDbtp: number;
  readonly momentaryLufs: number;
  readonly shortTermLufs: number;
  readonly condition: LegCondition['is'];
  /** How much the processing takes away now, in dB; NaN where nothing is processed. */
  readonly gainReductionDb: number;
}

/** The meters of one station. */
export interface StationLevels {
  readonly station: StationName;
  readonly channels: readonly LevelChannel[];
  /** One for each channel, in their order. What is read is forgotten, so that there must be one reader only. */
  read(): readonly ChannelLevels[];
  /** What the processing of the public mounts did since the last call, each 100 ms of it; for the same one reader. */
  processed(): readonly ProcessingReading[];
}
