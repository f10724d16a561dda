#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import type { DemoOptions } from '../demo/demo.ts';
import { messageOf } from '../platform/errors.ts';
import { VERSION } from '../version.ts';
import { EXIT } from './exit-codes.ts';
import type { InitFlags } from './init/answers.ts';
import type { MeasureOptions } from './measure/options.ts';
import type { ProcessOptions } from './process/options.ts';
import type { ReplayCommand } from './replay.ts';
import type { ReportCommand } from './report.ts';
import type { RunOptions } from './run.ts';
import type { SimulateOptions } from './simulate/options.ts';

const program = new Command('sustain')
  .description('Keeps an internet or DAB radio station on the air.')
  .version(VERSION)
  .exitOverride()
  .showHelpAfterError();

program
  .command('run')
  .description('run the agent beside one Icecast server')
  .requiredOption('--config <file>', 'the configuration', 'sustain.yaml')
  .option('--server <name>', 'which server of the config this agent stands beside (or SUSTAIN_SERVER)')
  .option(
    '--witness [name]',
    'stand beside no server: only listen to all of them, as a third place (witness; or SUSTAIN_WITNESS)',
  )
  .action(async (options: RunOptions) => {
    const { run } = await import('./run.ts');
    finish(await run(options));
  });

program
  .command('check')
  .description('check the configuration, then every server in it')
  .requiredOption('--config <file>', 'the configuration', 'sustain.yaml')
  .option('--server <name>', 'which server of the config to take as our own (or SUSTAIN_SERVER)')
  .option('--witness [name]', 'check as a witness, which stands beside no server (or SUSTAIN_WITNESS)')
  .option('--icecast-xml <file>', 'also read this icecast.xml and say what in it will bite')
  .option('--alerts', 'send a test through every receiver of alerts, and do nothing else')
  .option('--json', 'print JSON')
  .action(
    async (options: {
      config: string;
      server?: string;
      witness?: string | boolean;
      icecastXml?: string;
      alerts?: boolean;
      json?: boolean;
    }) => {
      if (options.alerts === true) {
        const { checkAlerts } = await import('./check/alerts.ts');
        finish(await checkAlerts(options));
        return;
      }
      const { runCheck } = await import('./check.ts');
      finish(await runCheck(options));
    },
  );

program
  .command('init')
  .description('write a config, its secrets and the Icecast blocks for every server; then check')
  .requiredOption('--config <file>', 'what to write', 'sustain.yaml')
  .option('--servers <list>', 'every Icecast: london=http://10.0.0.1:8000,dublin=http://10.1.0.1:8000')
  .option('--server <name>', 'which of them is this machine (SUSTAIN_SERVER, or the first)')
  .option('--public <list>', 'public addresses for the DNS: london=203.0.113.10,dublin=198.51.100.10')
  .option('--station <name>', 'a short name for the station (myfm)')
  .option('--sources <list>', 'mounts of the encoders, the best first (primary,secondary,autodj)')
  .option('--mode <mode>', 'relay or guard (relay)')
  .option('--codec <name>', 'of the public mount in relay mode: mp3, aac, opus or vorbis (mp3)')
  .option('--web <address>', 'where the dashboard listens (127.0.0.1:8080)')
  .option('--secrets <folder>', 'where passwords and tokens go (secrets/ beside the config)')
  .option(
    '--icecast-xml <file>',
    'an icecast.xml that is there: take its passwords, mounts and port; say what must change',
  )
  .option('--yes', 'ask nothing: defaults for what is not given')
  .option('--force', 'write over a config that is there; secrets are kept')
  .option('--no-check', 'do not run sustain check afterwards')
  .action(async (options: InitFlags) => {
    const { runInit } = await import('./init.ts');
    finish(await runInit(options));
  });

program
  .command('icecast-config')
  .description("the <mount> and <relay> blocks that keep a public mount's listeners when the agent is gone")
  .requiredOption('--config <file>', 'the configuration', 'sustain.yaml')
  .option('--server <name>', 'which server of the config to write for (or SUSTAIN_SERVER)')
  .option('--into <file>', 'write them into this icecast.xml (what it was is kept beside it)')
  .action(async (options: { config: string; server?: string; into?: string }) => {
    const { runIcecastConfig } = await import('./icecast-config.ts');
    finish(await runIcecastConfig(options));
  });

program
  .command('measure')
  .description(
    'levels, loudness and faults of a file or a live mount, heard from two loudspeakers as the agent hears: more channels are mixed to stereo first (ITU-R BS.775), and mono comes from both',
  )
  .argument('<file|url>', 'a sound file, - for standard input, or the http or https address of a mount')
  .option('--duration <time>', 'how much of it: all of a file, 30s of a live mount')
  .option('--silence-threshold <level>', 'sound under this is silence', '-50 dBFS')
  .option('--trip <time>', 'how long it must be silent to be a fault', '5s')
  .option('--preset <name>', 'talk, music or classical: how patient to be with held sounds', 'music')
  .option('--target <loudness>', 'also say when it is louder or quieter than this, such as -16 LUFS')
  .option('--json', 'print JSON')
  .action(async (what: string, options: MeasureOptions) => {
    const { measure } = await import('./measure.ts');
    finish(await measure(what, options));
  });

program
  .command('process')
  .description('the processing chain of relay mode on a file: loudness, compressor, limiter')
  .argument('<in>', 'a sound file, or - for standard input')
  .argument('<out>', 'what to write: .wav, .flac, .mp3, .ogg, .opus, .aac or .m4a')
  .option('--preset <name>', 'off, talk, music, classical or loud', 'music')
  .option('--target <loudness>', 'in LUFS, or one of r128, aes, web, platforms (-16)')
  .option('--ceiling <level>', 'highest true peak, in dBTP (-1, and -2 below 96k)')
  .option('--bitrate <rate>', 'of a format that has one (192k)')
  .option('--json', 'print JSON')
  .action(async (input: string, output: string, options: ProcessOptions) => {
    const { processFile } = await import('./process.ts');
    finish(await processFile({ input, output }, options));
  });

program
  .command('report')
  .description(
    "availability of the sound, incidents and switches, from the agents' logs: evidence for people to judge",
  )
  .option('--config <file>', 'the configuration, for where the log is', 'sustain.yaml')
  .option('--server <name>', 'which server of the config to take as our own (or SUSTAIN_SERVER)')
  .option('--history <file...>', 'history.db of one or more agents, in place of the config')
  .option('--from <moment>', '2026-11-01 (midnight UTC) or 2026-11-01T06:00:00Z (a week before --to)')
  .option('--to <moment>', 'up to here (now)')
  .option('--station <name>', 'only this station')
  .option('--verify', 'walk the hash chain of each log; exit 1 when a byte was changed')
  .option(
    '--head <hash...>',
    'heads that --verify printed earlier; exit 1 when one is that of no row any more',
  )
  .option('--html <file>', 'also write a page with plots')
  .option('--csv <file>', 'also write a table of every stretch, incident and switch')
  .option('--json', 'print JSON')
  .action(async (options: ReportCommand) => {
    const { report } = await import('./report.ts');
    finish(await report(options));
  });

program
  .command('replay')
  .description(
    'what other settings would have done over the levels that an agent has kept: more trips, fewer trips',
  )
  .requiredOption('--config <file>', 'the configuration, for the settings as they are', 'sustain.yaml')
  .option('--server <name>', 'which server of the config to take as our own (or SUSTAIN_SERVER)')
  .option('--history <file...>', 'history.db of an agent, in place of that of the config')
  .option('--station <name>', 'which station, where there are several')
  .option('--from <moment>', '2026-11-01 (midnight UTC) or 2026-11-01T06:00:00Z (all that is kept)')
  .option('--to <moment>', 'up to here (now)')
  .option('--silence-threshold <level>', 'sound under this is silence, such as -45')
  .option('--trip <time>', 'how long it must be silent to be a fault, such as 8s')
  .option('--restore <time>', 'how long it must sound to be good again')
  .option('--json', 'print JSON')
  .action(async (options: ReplayCommand) => {
    const { replayCommand } = await import('./replay.ts');
    finish(await replayCommand(options));
  });

program
  .command('hash-password')
  .description('read a password from standard input and print what the config wants for `web.users`')
  .action(async () => {
    const { hashPasswordFromInput } = await import('./hash-password.ts');
    finish(await hashPasswordFromInput());
  });

program
  .command('simulate')
  .description('a station under its faults for many years, beside the same station without Sustain')
  .option('--years <number>', 'how many', '1000')
  .option('--seed <number>', 'the same seed gives the same years', '1')
  .option('--config <file>', 'take delays and intervals from this configuration')
  .option('--station <name>', 'which station of the config (the first)')
  .option('--rates <file>', 'how often what fails, and how players behave: see docs/simulate.md')
  .option('--plot <file.svg>', 'also draw the minutes without sound')
  .option('--json', 'print JSON')
  .action(async (options: SimulateOptions) => {
    const { simulate } = await import('./simulate.ts');
    finish(await simulate(options));
  });

program
  .command('demo')
  .description('two Icecasts, encoders, an AutoDJ and two agents on this machine')
  .option('--mode <guard|relay|dns>', 'how the station is served (guard; a tour shows all)')
  .option('--tour', 'break one thing after another and measure what a listener hears')
  .option('--only <scenarios>', 'with --tour: only these, by comma')
  .option('--json', 'with --tour: print JSON')
  .option('--markdown', 'with --tour: print the table as Markdown')
  .action(async (options: DemoOptions) => {
    const { demo } = await import('../demo/demo.ts');
    finish(await demo(options));
  });

function finish(code: number): void {
  process.exitCode = code;
}

program.parseAsync().catch((thrown: unknown) => {
  if (thrown instanceof CommanderError) {
    // It has said what it had to; asking for help or the version is no mistake.
    process.exitCode = thrown.exitCode === 0 ? EXIT.ok : EXIT.unusable;
    return;
  }
  process.stderr.write(`sustain: ${messageOf(thrown)}\n`);
  process.exitCode = EXIT.failed;
});
