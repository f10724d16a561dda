import { decodeWholeFile } from '../../audio/whole-file.ts';
import type { Config, StationConfig } from '../../config/index.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { MOST_EMERGENCY_SECONDS } from '../../wiring/station-relay.ts';
import { type Finding, FindingList } from './findings.ts';

/** Decodes every emergency file of this machine once, as the agent will. */
export async function judgeEmergencyFiles(
  config: Config,
  options: { readonly clock: Clock; readonly ffmpegPath: string },
): Promise<readonly Finding[]> {
  const found = new FindingList(config.self);
  for (const station of config.stations) {
    if (station.serve.mode === 'relay' && station.serve.emergencyFile !== null) {
      await judgeFile(found, station, station.serve.emergencyFile, options);
    }
  }
  return found.all;
}

async function judgeFile(
  found: FindingList,
  station: StationConfig,
  path: string,
  options: { readonly clock: Clock; readonly ffmpegPath: string },
): Promise<void> {
  const about = `emergency file of ${station.name}`;
  try {
    const file = await decodeWholeFile({
      path,
      ...options,
      mostSeconds: MOST_EMERGENCY_SECONDS,
      thresholdDbfs: station.silence.thresholdDbfs,
    });
    if (!file.isCut) return;
    const says = `is longer than ${MOST_EMERGENCY_SECONDS / 60} minutes: only so much of it is played, over and over`;
    found.add('note', about, says, 'cut it where it may begin again, or leave it so');
  } catch (thrown) {
    found.add(
      'fault',
      about,
      messageOf(thrown),
      `name a sound file in serve.emergencyFile that the agent's user may read`,
    );
  }
}
