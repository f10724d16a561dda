import { Agent } from '../agent.ts';
import { findDecoderHost, MP3_DECODER } from '../audio/decoder-host-path.ts';
import { findFfmpeg } from '../audio/ffmpeg-path.ts';
import { legDecoders } from '../audio/shared-decoder.ts';
import { type Config, type ConfigFlags, loadConfig, printProblems } from '../config/index.ts';
import { counted } from '../domain/counted.ts';
import { STATE_TAKEN } from '../history/claim.ts';
import { systemClock } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { createLogger, isJournal, type Logger } from '../platform/logger.ts';
import { systemRandom } from '../platform/random.ts';
import { serviceManager } from '../service/manager.ts';
import { Reloader } from '../wiring/reloader.ts';
import { LiveWebSide } from '../wiring/web-side.ts';
import { EXIT } from './exit-codes.ts';
import { witnessName } from './witness.ts';

export interface RunOptions {
  readonly config: string;
  readonly server?: string | undefined;
  /** `--witness`, with or without a name. */
  readonly witness?: string | boolean | undefined;
}

async function decoderHost(log: Logger): Promise<{ readonly command: string } | null> {
  const search = await findDecoderHost({ clock: systemClock });
  if (search.is === 'found') {
    log.info({ path: search.path }, 'decoding MP3 in one process for all legs');
    return { command: search.path };
  }
  const text = 'each MP3 leg is decoded by an ffmpeg of its own, which costs more';
  if (search.is === 'not-usable') log.warn({ why: search.why }, text);
  else log.info({ why: `${MP3_DECODER}=ffmpeg` }, text);
  return null;
}

/** Runs the agent until SIGTERM or SIGINT; SIGHUP reads the config again. */
export async function run(options: RunOptions): Promise<number> {
  const { server, witness } = options;
  const load = (flags: Pick<ConfigFlags, 'leaveOut'> = {}) =>
    loadConfig(options.config, process.env, {
      ...flags,
      server,
      witness: witnessName(witness),
    });
  const loaded = await load({ leaveOut: true });
  if (!loaded.ok) {
    process.stderr.write(`${printProblems(options.config, loaded.faults)}\n`);
    return EXIT.unusable;
  }
  const { config, warnings } = loaded;
  const log = createLogger({
    level: config.log.level,
    agent: config.self,
    journal: isJournal(process.env),
  });
  for (const { station, faults } of loaded.leftOut) {
    for (const { file = options.config, line, path, message } of faults)
      log.error({ file, line, path }, `this station does not run: ${station}: ${message}`);
  }
  for (const warning of warnings) log.warn({ line: warning.line, path: warning.path }, warning.message);
  const search = await findFfmpeg({ clock: systemClock });
  if (!search.ok) {
    process.stderr.write(`${search.error.message}\n`);
    return EXIT.failed;
  }
  const { path, origin, version } = search.ffmpeg;
  log.info({ path, origin, version }, 'decoding with this ffmpeg');
  if (origin === 'embedded')
    log.warn('the embedded ffmpeg is of December 2018: install ffmpeg with your system');

  const systemd = serviceManager({ env: process.env, pid: process.pid, clock: systemClock, log });
  const stopped = stopSignal();
  // Until the agent plays there is nothing to reload, and a signal that nobody takes would end us.
  const hangUp = reloadSignal();
  const agent = await start(log, {
    config,
    ffmpegPath: path,
    decoders: legDecoders({
      ffmpegPath: path,
      host: await decoderHost(log),
      clock: systemClock,
      random: systemRandom,
      logger: log,
    }),
    clock: systemClock,
    random: systemRandom,
    log,
    roundCompleted: () => systemd.roundCompleted(),
  });
  if (agent === null) return EXIT.failed;
  try {
    const web = new LiveWebSide(agent, systemClock, log);
    await web.start(config);
    log.info({ web: web.url }, 'Sustain is listening');
    const reloader = new Reloader({ agent, running: config, web, log, load });
    systemd.ready(statusOf(config));
    hangUp.reload = () => {
      systemd.reloading();
      void reloader.reload().then(() => systemd.ready(statusOf(config)));
    };
    const signal = await stopped;
    hangUp.reload = () => {};
    systemd.stopping();
    log.info({ signal }, 'stopping: leaving the servers as they should be without us');
    await web.stop();
  } catch (thrown) {
    log.error({ err: messageOf(thrown) }, 'Sustain cannot run');
    await agent.stop();
    return EXIT.failed;
  }
  await agent.stop();
  log.info('stopped');
  return EXIT.ok;
}

/** Null where another agent has the state of this one, which was said. */
async function start(log: Logger, options: Parameters<typeof Agent.start>[0]): Promise<Agent | null> {
  try {
    return await Agent.start(options);
  } catch (thrown) {
    if (codeOf(thrown) !== STATE_TAKEN) throw thrown;
    log.error({ err: messageOf(thrown) }, 'Sustain cannot run');
    return null;
  }
}

/** One line for `systemctl status`. */
function statusOf({ self, isWitness, stations }: Config): string {
  const count = counted(stations.length, 'station');
  return `${isWitness ? 'witness' : 'beside'} ${self}, ${count}`;
}

function reloadSignal(): { reload: () => void } {
  const hangUp = { reload: () => {} };
  process.on('SIGHUP', () => hangUp.reload());
  return hangUp;
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
