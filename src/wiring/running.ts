import { type Config, policyOf, type StationConfig } from '../config/index.ts';
import type { Memory } from '../decide/state.ts';
import type { Command } from '../domain/commands.ts';
import type { StationEvent } from '../domain/events.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Relay } from '../relay/relay.ts';
import { Station } from '../station.ts';
import type { Chronicle } from './chronicle.ts';
import { EventLog } from './event-log.ts';
import { LiveLevels } from './live-levels.ts';
import { type MemoryFile, memoryFile } from './memory-file.ts';
import { StationRecords } from './station-records.ts';

/** One station with what is kept and counted of it. */
export interface Running {
  readonly station: Station;
  readonly memory: MemoryFile<Memory>;
  readonly log: EventLog;
  readonly levels: LiveLevels;
  readonly records: StationRecords;
  /** Writes an event into all of them. */
  readonly note: (event: StationEvent) => void;
  readonly stopCounting: Cancel;
}

export interface RunningOptions {
  readonly config: Config;
  readonly stationConfig: StationConfig;
  readonly chronicle: Chronicle;
  readonly relay: () => Relay | null;
  readonly command: (command: Command) => void;
  /** What is remembered is to be written now. */
  readonly remember: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a crash must not undo is written at once; the rest is written every few seconds. */
const REMEMBERED_AT_ONCE: readonly StationEvent['kind'][] = ['switched', 'took-over', 'hold-changed'];

/** A station as it was remembered, before anything is heard of it. */
export async function prepareStation(options: RunningOptions): Promise<Running> {
  const { config, stationConfig, chronicle, relay, clock, log } = options;
  const policy = policyOf(config, stationConfig);
  chronicle.settings(policy);
  const memory = memoryFile(config.state.directory, policy.station, clock, log);
  const events = new EventLog(policy.station, clock, log);
  const station = new Station(policy, await memory.load(), clock.nowMs(), {
    event: (event) => {
      note(event);
      if (REMEMBERED_AT_ONCE.includes(event.kind)) setImmediate(options.remember);
    },
    command: options.command,
  });
  const { serve } = stationConfig;
  const outputs = serve.mode === 'relay' ? serve.outputs.map(({ mount }) => mount) : [];
  const levels = new LiveLevels(station, outputs, clock);
  const records = new StationRecords(station, levels, clock);
  const note = (event: StationEvent) => {
    events.note(event);
    records.noteEvent(event);
    chronicle.note(policy.station, event);
  };
  chronicle.follow(station, relay);
  return { station, memory, log: events, levels, records, note, stopCounting: records.start(relay) };
}
