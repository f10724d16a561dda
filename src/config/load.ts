import { mount, serverName, sourceName, stationName } from '../domain/ids.ts';
import { parsePasswordHash } from '../domain/password-hash.ts';
import { DEFAULT_PROCESSING_PRESET, PROCESSING_PRESETS, resolveProcessing } from '../domain/processing.ts';
import { ALERT_SECRETS, alertSecretFault } from './alerts-checks.ts';
import { alertsOf } from './alerts-config.ts';
import type { Self } from './check-context.ts';
import type { Config, Credentials, ProcessingConfig, ServerConfig, StationConfig } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { clusterOf, dnsOf } from './dns-config.ts';
import {
  besideConfig,
  type Environment,
  readCertificates,
  readConfigText,
  readSecret,
  secretPlace,
} from './files.ts';
import { inFileOrder, type Path, type Problem, pathText } from './problems.ts';
import type { ParsedConfig, ParsedStation } from './schema/schema.ts';
import type { Secret, SecretRef } from './secret.ts';
import {
  type LeftOut,
  readStationFiles,
  type StationFile,
  stationsAtFault,
  withoutStations,
  withStationFiles,
} from './station-files.ts';
import { keysUnder, lengthUnder, textUnder } from './tree.ts';
import { validate } from './validate.ts';
import { type Locate, readYaml, type Tree } from './yaml.ts';

export interface ConfigFlags {
  /** `--server`: goes before SUSTAIN_WITNESS, SUSTAIN_SERVER and the file. */
  readonly server?: string | undefined;
  /** `--witness`: this agent stands beside no server, and is called so. */
  readonly witness?: string | undefined;
  /** Stations with faults are left out when another one is left, so that one bad station never stops the others. */
  readonly leaveOut?: boolean | undefined;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      /** With `leaveOut`: stations that can't run, and why. */
      readonly leftOut: readonly LeftOut[];
      readonly warnings: readonly Problem[];
    }
  | {
      readonly ok: false;
      readonly faults: readonly Problem[];
      readonly warnings: readonly Problem[];
    };

/** Reads `sustain.yaml` and the secrets that it names: a config that can be relied on, or everything that is wrong. */
export async function loadConfig(file: string, env: Environment, flags: ConfigFlags): Promise<LoadedConfig> {
  const read = await readConfigText(file);
  if (!read.ok) {
    const fault: Problem = {
      line: read.line,
      column: 1,
      path: '',
      message: read.message,
    };
    return { ok: false, faults: [fault], warnings: [] };
  }
  return loadConfigText(read.text, file, env, flags, await readStationFiles(file));
}

/** The same from text that is already here. `file` is where it stands, for the paths beside it. */
export async function loadConfigText(
  text: string,
  file: string,
  env: Environment,
  flags: ConfigFlags,
  stationFiles: readonly StationFile[] = [],
): Promise<LoadedConfig> {
  const yaml = readYaml(text);
  if (!yaml.ok) return { ok: false, faults: yaml.faults, warnings: [] };
  const whole = withStationFiles(yaml, stationFiles);
  const loaded = await loadTree(whole, file, env, flags);
  if (loaded.ok || flags.leaveOut !== true) return loaded;
  const leftOut = stationsAtFault(whole.tree, loaded.faults);
  if (leftOut === null) return loaded;
  const tree = withoutStations(
    whole.tree,
    leftOut.map(({ station }) => station),
  );
  const rest = await loadTree({ tree, locate: whole.locate, faults: [] }, file, env, flags);
  return rest.ok ? { ...rest, leftOut } : loaded;
}

async function loadTree(
  yaml: { readonly tree: Tree; readonly locate: Locate; readonly faults: readonly Problem[] },
  file: string,
  env: Environment,
  flags: ConfigFlags,
): Promise<LoadedConfig> {
  const { tree, locate } = yaml;

  const self = selfOf(tree, env, flags);
  const validated = validate(tree, locate);
  const crossed = crossCheck(tree, self, locate);
  const secrets = await readSecrets(tree, file, env, locate);
  const tls = tlsPlaces(tree, file, env, locate);
  const authorities = await readAuthorities(tree, file, env, locate);
  const warnings = inFileOrder([...crossed.warnings, ...secrets.warnings]);
  // What YAML couldn't give us looks empty to the schema; the first fault is the true one.
  const broken = new Set(yaml.faults.map((fault) => fault.path));
  const ofMeaning = [
    ...(validated.ok ? [] : validated.faults),
    ...crossed.faults,
    ...secrets.faults,
    ...tls.faults,
    ...authorities.faults,
  ];
  const faults = [...yaml.faults, ...ofMeaning.filter((fault) => !broken.has(fault.path))];
  if (!validated.ok || self.name === null || faults.length > 0) {
    return { ok: false, faults: inFileOrder(faults), warnings };
  }
  return {
    ok: true,
    leftOut: [],
    config: assemble(validated.parsed, { ...self, name: self.name }, file, {
      secrets: secrets.found,
      tlsPlace: tls.place,
      authorities: authorities.found,
    }),
    warnings,
  };
}

function selfOf(tree: Tree, env: Environment, flags: ConfigFlags): Self {
  const said = [
    { name: flags.witness, saidBy: '--witness', isWitness: true },
    { name: flags.server, saidBy: '--server', isWitness: false },
    { name: env.SUSTAIN_WITNESS || undefined, saidBy: 'SUSTAIN_WITNESS', isWitness: true },
    { name: env.SUSTAIN_SERVER || undefined, saidBy: 'SUSTAIN_SERVER', isWitness: false },
  ];
  for (const { name, ...how } of said) if (name !== undefined) return { name, ...how };
  return { name: textUnder(tree, 'server'), saidBy: '', isWitness: false };
}

/** Of a user: the one secret whose form is known. */
const PASSWORD_HASH = 'passwordHash';

type Found = ReadonlyMap<string, Secret>;

const keyOf = (ref: SecretRef): string => (ref.from === 'file' ? `file ${ref.file}` : `env ${ref.variable}`);

/** Reads the secrets that this version uses, also when the rest of the file is wrong, so that all faults come at once. */
async function readSecrets(tree: Tree, file: string, env: Environment, locate: Locate) {
  const found = new Map<string, Secret>();
  const faults: Problem[] = [];
  const warnings: Problem[] = [];
  const users = Array.from({ length: lengthUnder(tree, 'web', 'users') }, (_, index) => index);
  const alerts = Array.from({ length: lengthUnder(tree, 'alerts') }, (_, index) => index);
  const sections: readonly (readonly [Path, string])[] = [
    ...keysUnder(tree, 'servers').flatMap((name) => [
      [['servers', name, 'admin'], 'password'] as const,
      [['servers', name, 'source'], 'password'] as const,
    ]),
    [['dns'], 'apiKey'],
    [['dns'], 'key'],
    [['dns'], 'secretKey'],
    [['cluster'], 'password'],
    [['cluster'], 'token'],
    [['web'], 'viewerToken'],
    [['web'], 'operatorToken'],
    ...users.map((index) => [['web', 'users', index], PASSWORD_HASH] as const),
    ...alerts.flatMap((index) => [
      ...ALERT_SECRETS.map((stem) => [['alerts', index], stem] as const),
      [['alerts', index, 'email'], 'password'] as const,
    ]),
  ];
  for (const [section, stem] of sections) {
    const path = textUnder(tree, ...section, `${stem}File`);
    const variable = textUnder(tree, ...section, `${stem}Env`);
    const refs: SecretRef[] = [];
    // What doesn't look like a path or a variable has a fault already, and isn't to be repeated in another.
    if (path?.includes('/')) refs.push({ from: 'file', file: path });
    if (variable !== null && /^[A-Z_][A-Z0-9_]*$/.test(variable))
      refs.push({ from: 'environment', variable });
    for (const ref of refs) {
      const key: Path = [...section, ref.from === 'file' ? `${stem}File` : `${stem}Env`];
      const place = (message: string): Problem => ({
        ...locate(key),
        path: pathText(key),
        message,
      });
      const read = await readSecret(ref, file, env);
      if (!read.ok) faults.push(place(read.message));
      else if (section[0] === 'alerts' && alertSecretFault(stem, read.secret.reveal()) !== null)
        faults.push(place(alertSecretFault(stem, read.secret.reveal()) ?? ''));
      else if (stem === PASSWORD_HASH && parsePasswordHash(read.secret.reveal()) === null) {
        faults.push(place(`names no password hash: put there what \`sustain hash-password\` prints`));
      } else {
        found.set(keyOf(ref), read.secret);
        if (read.warning !== null) warnings.push(place(read.warning));
      }
    }
  }
  return { found, faults, warnings };
}

/** Where certificate and key of the HTTP side are: they may be credentials, as the key is a secret too. */
function tlsPlaces(tree: Tree, file: string, env: Environment, locate: Locate) {
  const found = new Map<string, string>();
  const faults: Problem[] = [];
  for (const name of ['certFile', 'keyFile']) {
    const key: Path = ['web', 'tls', name];
    const path = textUnder(tree, ...key);
    if (path === null) continue;
    const place = secretPlace(path, file, env);
    if (place.ok) found.set(path, place.file);
    else faults.push({ ...locate(key), path: pathText(key), message: place.message });
  }
  return { faults, place: (path: string) => found.get(path) ?? besideConfig(path, file) };
}

/** Whom each server's certificate may come from, as PEM by the name of the server. */
async function readAuthorities(tree: Tree, file: string, env: Environment, locate: Locate) {
  const found = new Map<string, string>();
  const faults: Problem[] = [];
  for (const name of keysUnder(tree, 'servers')) {
    const key: Path = ['servers', name, 'tls', 'caFile'];
    const path = textUnder(tree, ...key);
    if (path === null || path === '') continue;
    const read = await readCertificates(path, file, env);
    if (read.ok) found.set(name, read.pem);
    else faults.push({ ...locate(key), path: pathText(key), message: read.message });
  }
  return { found, faults };
}

interface FromFiles {
  readonly secrets: Found;
  readonly tlsPlace: (path: string) => string;
  readonly authorities: ReadonlyMap<string, string>;
}

function assemble(
  parsed: ParsedConfig,
  self: Self & { readonly name: string },
  file: string,
  { secrets: found, tlsPlace, authorities }: FromFiles,
): Config {
  const secret = (ref: SecretRef) => secretOf(ref, found);
  return {
    self: serverName(self.name),
    isWitness: self.isWitness,
    servers: Object.entries(parsed.servers).map(([name, server]): ServerConfig => {
      const { url, publicAddress, publicAddress6, publicUrl, admin, source } = server;
      return {
        name: serverName(name),
        url,
        publicAddresses: [publicAddress, publicAddress6].filter((address) => address !== undefined),
        publicUrl: publicUrl ?? null,
        admin: {
          user: admin.user,
          password: secretOf(admin.password, found),
        } satisfies Credentials,
        source:
          source === undefined ? null : { user: source.user, password: secretOf(source.password, found) },
        ca: authorities.get(name) ?? null,
      };
    }),
    stations: Object.entries(parsed.stations).map(([name, station]) =>
      stationOf(name, station, parsed, file),
    ),
    deputy: parsed.deputy,
    web:
      parsed.web === undefined
        ? null
        : {
            listen: parsed.web.listen,
            viewerToken: parsed.web.viewerToken && secretOf(parsed.web.viewerToken, found),
            operatorToken: parsed.web.operatorToken && secretOf(parsed.web.operatorToken, found),
            users: parsed.web.users.map(({ name, role, passwordHash }) => ({
              name,
              role,
              passwordHash: secretOf(passwordHash, found),
            })),
            tls:
              parsed.web.tls === null
                ? null
                : {
                    certFile: tlsPlace(parsed.web.tls.certFile),
                    keyFile: tlsPlace(parsed.web.tls.keyFile),
                  },
            trustProxy: parsed.web.trustProxy,
          },
    state: { directory: besideConfig(parsed.state.directory, file) },
    log: parsed.log,
    dns: dnsOf(parsed, secret),
    cluster: clusterOf(parsed, secret),
    alerts: alertsOf(parsed, secret),
  };
}

function stationOf(name: string, station: ParsedStation, parsed: ParsedConfig, file: string): StationConfig {
  const { silence, programme, stall, switching, serve, timeZone, plannedSilence } = station;
  return {
    name: stationName(name),
    sources: station.sources.map((source) => ({
      name: sourceName(source.name),
      mount: mount(source.mount),
    })),
    silence,
    programme,
    stall,
    switching,
    timeZone: timeZone ?? null,
    plannedSilence,
    serve: {
      ...serve,
      emergencyFile: serve.emergencyFile === null ? null : besideConfig(serve.emergencyFile, file),
      outputs: serve.outputs.map((output) => ({ ...output, mount: mount(output.mount) })),
      processing: processingOf(serve, parsed.processing.presets),
    },
  };
}

/** The checks before have seen to it that the preset is known. */
function processingOf(
  { processing, outputs }: ParsedStation['serve'],
  own: ParsedConfig['processing']['presets'],
): ProcessingConfig | null {
  if (processing === null) return null;
  const { preset, loudnessLufs, ceilingDbtp } = processing;
  const mine = own[preset];
  const bitrates = outputs.map(({ bitrateKbps }) => bitrateKbps);
  const values = resolveProcessing({
    preset: mine?.from ?? PROCESSING_PRESETS.find((known) => known === preset) ?? DEFAULT_PROCESSING_PRESET,
    changes: mine?.changes ?? {},
    loudnessLufs,
    ceilingDbtp,
    lowestBitrateKbps: bitrates.length === 0 ? null : Math.min(...bitrates),
  });
  return { preset, values };
}

/** The checks before have seen to it that every secret that is needed was named and read. */
function secretOf(ref: SecretRef | null, found: Found): Secret {
  const secret = ref === null ? undefined : found.get(keyOf(ref));
  if (secret === undefined)
    throw new Error('a secret was not read, although the config was found to be in order');
  return secret;
}
