import { readFile } from 'node:fs/promises';
import { findFfmpeg } from '../audio/ffmpeg-path.ts';
import { type Config, type Environment, loadConfig, printProblems } from '../config/index.ts';
import { counted } from '../domain/counted.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { systemRandom } from '../platform/random.ts';
import { gatherFacts, type ServerFacts, wantedOf } from './check/facts.ts';
import { type Finding, FindingList } from './check/findings.ts';
import { type IcecastConfig, readIcecastXml } from './check/icecast-xml.ts';
import { judgeServer } from './check/judge.ts';
import { judgeDns } from './check/judge-dns.ts';
import { judgeEmergencyFiles } from './check/judge-emergency.ts';
import { judgeLatency } from './check/judge-latency.ts';
import { howToCheckByHand, judgeIcecastXml } from './check/judge-xml.ts';
import { reportJson, reportText } from './check/print.ts';
import { witnessName } from './witness.ts';

export interface CheckOptions {
  /** Path of `sustain.yaml`. */
  readonly config: string;
  /** `--server`. */
  readonly server?: string | undefined;
  /** `--witness`, with or without a name. */
  readonly witness?: string | boolean | undefined;
  /** For scripts: one JSON document on stdout and nothing else. */
  readonly json?: boolean | undefined;
  /** `--icecast-xml`: the file of the server that this agent stands beside. */
  readonly icecastXml?: string | undefined;
  readonly env?: Environment;
  readonly clock?: Clock;
  readonly print?: (text: string) => void;
}

/** 0: nothing stands in the way. 1: a server has faults. 2: the config itself has. */
export type CheckExitCode = 0 | 1 | 2;

/** `sustain check`: every fault of the config at once, then what the servers are really like. */
export async function runCheck(options: CheckOptions): Promise<CheckExitCode> {
  const print = options.print ?? ((text) => process.stdout.write(`${text}\n`));
  const json = options.json === true;
  const loaded = await loadConfig(options.config, options.env ?? process.env, {
    server: options.server,
    witness: witnessName(options.witness),
  });
  if (!loaded.ok) {
    const { faults, warnings } = loaded;
    if (json) print(JSON.stringify({ ok: false, config: { faults, warnings } }, null, 2));
    else {
      const count = `${counted(faults.length, 'fault')} in the config.`;
      print(
        [printProblems(options.config, faults), warningText(options.config, warnings), count]
          .filter(Boolean)
          .join('\n'),
      );
    }
    return 2;
  }
  const { config, warnings } = loaded;
  if (!json && warnings.length > 0) print(`${warningText(options.config, warnings)}\n`);

  const { servers, findings } = await inspect(config, options);
  const report = { ...reportJson(servers, findings), config: { faults: [], warnings } };
  print(
    json ? JSON.stringify(report, null, 2) : reportText(servers, wantedOf(config), findings, warnings.length),
  );
  return findings.some(({ severity }) => severity === 'fault') ? 1 : 0;
}

type Problems = Parameters<typeof printProblems>[1];

function warningText(file: string, warnings: Problems): string {
  return printProblems(
    file,
    warnings.map((warning) => ({ ...warning, message: `warning: ${warning.message}` })),
  );
}

async function inspect(config: Config, options: CheckOptions) {
  const clock = options.clock ?? systemClock;
  const wanted = wantedOf(config);
  const search = await findFfmpeg({ clock, env: { ...(options.env ?? process.env) } });
  const servers = await gatherFacts(config, { clock, ffmpeg: search.ok ? search.ffmpeg.path : null });
  const xml = options.icecastXml === undefined ? null : await readXmlFile(options.icecastXml);
  const findings: Finding[] = servers.flatMap((facts) =>
    judgeServer(config, wanted, facts, {
      isXmlRead: xml?.ok === true && facts.server.name === config.self,
    }),
  );
  if (search.ok)
    findings.push(...(await judgeEmergencyFiles(config, { clock, ffmpegPath: search.ffmpeg.path })));
  else {
    const list = new FindingList(null);
    list.add('warning', 'ffmpeg', 'the sound of the mounts was not measured', search.error.message);
    findings.push(...list.all);
  }
  findings.push(...judgeLatency(config));
  findings.push(...(await judgeDns(config, { clock, random: systemRandom })));
  findings.push(...judgeXmlRead(config, servers, xml));
  return { servers, findings };
}

function judgeXmlRead(
  config: Config,
  servers: readonly ServerFacts[],
  read: XmlRead | null,
): readonly Finding[] {
  if (read === null) return [howToCheckByHand(config)];
  const own = servers.find((facts) => facts.server.name === config.self);
  if (!read.ok) {
    const list = new FindingList(config.self);
    list.add(
      'fault',
      'icecast.xml',
      read.detail,
      'name the file that Icecast is started with, as a user who may read it',
    );
    return list.all;
  }
  return own === undefined ? [] : judgeIcecastXml(config, wantedOf(config), own, read.xml);
}

type XmlRead =
  | { readonly ok: true; readonly xml: IcecastConfig }
  | { readonly ok: false; readonly detail: string };

async function readXmlFile(path: string): Promise<XmlRead> {
  try {
    const xml = readIcecastXml(await readFile(path, 'utf8'));
    return xml === null ? { ok: false, detail: `${path} is no icecast.xml` } : { ok: true, xml };
  } catch (thrown) {
    return { ok: false, detail: messageOf(thrown) };
  }
}
