import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline/promises';
import { loadConfigText } from '../config/index.ts';
import { codeOf, messageOf, SustainError } from '../platform/errors.ts';
import { runCheck } from './check.ts';
import { EXIT } from './exit-codes.ts';
import { type Ask, answersOf, type InitAnswers, type InitFlags, NOTHING_SUGGESTED } from './init/answers.ts';
import { changesIn, type Existing, readExisting } from './init/existing.ts';
import { blocksFile, icecastBlocks, type Passwords } from './init/icecast-blocks.ts';
import { configText } from './init/yaml.ts';

export interface InitOptions extends InitFlags {
  readonly print?: (text: string) => void;
  /** Left out: the terminal, where there is one. */
  readonly ask?: Ask;
}

/** Where the package keeps things: there the secrets are credentials of systemd. */
const SYSTEM_FOLDER = '/etc/sustain';

/** `sustain init`: asks, and writes a config, its secrets and what every Icecast has to be told; then checks. */
export async function runInit(options: InitOptions): Promise<number> {
  const print = options.print ?? ((text) => process.stdout.write(`${text}\n`));
  const terminal = new Terminal();
  try {
    const config = resolve(options.config);
    refuseWhatIsThere(config, options.force === true);
    const existing = options.icecastXml === undefined ? null : await existingOf(options.icecastXml);
    const byDefault: Ask = (_question, fallback) => Promise.resolve(fallback);
    const ask = options.ask ?? (options.yes === true ? byDefault : terminal.ask);
    const flags = { ...options, server: options.server ?? (process.env['SUSTAIN_SERVER'] || undefined) };
    const complain = options.yes === true ? null : (says: string) => process.stderr.write(`${says}\n`);
    const answers = await answersOf(flags, existing?.suggested ?? NOTHING_SUGGESTED, ask, complain);
    await write(config, options, answers, existing, print);
    terminal.close();
    if (options.check === false) return EXIT.ok;
    print('\nsustain check says:\n');
    const code = await runCheck({ config, print, env: checkEnvironment(config, options) });
    return code === EXIT.unusable ? EXIT.unusable : EXIT.ok;
  } catch (thrown) {
    // What the system says of a path that can't be written has the path in it.
    if (!(thrown instanceof SustainError) && codeOf(thrown) === '') throw thrown;
    process.stderr.write(`sustain init: ${messageOf(thrown)}\n`);
    return EXIT.unusable;
  } finally {
    terminal.close();
  }
}

function refuseWhatIsThere(config: string, force: boolean): void {
  if (!existsSync(config)) return;
  if (statSync(config).isDirectory())
    throw new SustainError('init-folder', `${config} is a folder: name the file in it`);
  if (!force) throw new SustainError('init-exists', `${config} is there already: --force writes it anew`);
}

/** Opened by the first question, so that flags for everything need none. */
class Terminal {
  #reader: Interface | null = null;

  readonly ask: Ask = async (question, fallback) => {
    if (!process.stdin.isTTY)
      throw new SustainError(
        'init-no-terminal',
        'nobody can be asked here: give the flags (sustain init --help) and --yes, which takes the defaults for the rest',
      );
    this.#reader ??= createInterface({ input: process.stdin, output: process.stdout });
    const answer = await this.#reader.question(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `);
    return answer.trim() === '' ? fallback : answer.trim();
  };

  close(): void {
    this.#reader?.close();
    this.#reader = null;
  }
}

async function existingOf(path: string): Promise<Existing> {
  try {
    const existing = readExisting(await readFile(path, 'utf8'));
    if (existing !== null) return existing;
  } catch (thrown) {
    throw new SustainError('init-xml', `${path}: ${messageOf(thrown)}`, thrown);
  }
  throw new SustainError('init-xml', `${path} is no icecast.xml`);
}

const secretsFolder = (config: string, { secrets }: InitOptions): string =>
  secrets === undefined ? join(dirname(config), 'secrets') : resolve(secrets);

/** The secrets of the package are credentials, which only the service has by itself. */
function checkEnvironment(config: string, options: InitOptions) {
  return { CREDENTIALS_DIRECTORY: secretsFolder(config, options), ...process.env };
}

async function write(
  config: string,
  options: InitOptions,
  answers: InitAnswers,
  existing: Existing | null,
  print: (text: string) => void,
): Promise<void> {
  const folder = secretsFolder(config, options);
  const isSystem = dirname(config) === SYSTEM_FOLDER;
  const secret = (name: string) =>
    isSystem ? `$CREDENTIALS_DIRECTORY/${name}` : `./${join(relative(dirname(config), folder), name)}`;
  const text = configText(answers, secret, isSystem ? null : './state');
  await refuseUnusable(text, config);
  const made = { source: newSecret(), admin: newSecret() };
  const found = existing?.passwords ?? { source: null, admin: null };
  await makeFolder(folder);
  await chmod(folder, 0o700);
  const kept = await writeSecrets(folder, {
    'icecast-admin': found.admin ?? made.admin,
    'icecast-source': found.source ?? made.source,
    viewer: newSecret(),
    operator: newSecret(),
  });
  print(
    `Secrets, each in a file of its own: ${folder}${kept.length === 0 ? '' : ` (kept: ${kept.join(', ')})`}`,
  );

  const passwords = await passwordsIn(folder);
  const isTakenOver = found.source === passwords.source && found.admin === passwords.admin;
  for (const server of answers.servers) {
    const { name } = server;
    const isOwn = name === answers.self;
    const blocks = icecastBlocks(answers, server, isOwn ? existing : null);
    const path = join(dirname(config), `icecast-${name}.xml`);
    await put(path, blocksFile(blocks, server, isOwn && isTakenOver ? null : passwords), 0o600);
    const unread = existing === null || isOwn ? '' : ' (with the passwords to set: its own was not read)';
    print(`For the icecast.xml of ${name}: ${path}${unread}`);
  }
  if (existing !== null) sayChanges(existing, answers, options.icecastXml ?? '', print);
  // Last, as the service starts when it is there.
  await put(config, text, 0o644);
  print(`The config: ${config}`);
}

/** All that can be wrong with it but its secrets, which are not there yet: the agent starts as soon as it is written. */
async function refuseUnusable(text: string, config: string): Promise<void> {
  const loaded = await loadConfigText(text, config, {}, {});
  const faults = loaded.ok ? [] : loaded.faults.filter(({ path }) => !path.endsWith('File'));
  if (faults.length === 0) return;
  const said = faults.map(({ path, message }) => `${path} ${message}`).join('\n  ');
  throw new SustainError('init-unusable', `that makes no config, so nothing was written:\n  ${said}`);
}

function sayChanges(
  existing: Existing,
  answers: InitAnswers,
  path: string,
  print: (text: string) => void,
): void {
  const changes = changesIn(existing, answers);
  print(changes.length === 0 ? `${path} is as it should be.` : `To be changed in ${path}:`);
  for (const change of changes) print(`  - ${change}`);
}

const newSecret = (): string => randomBytes(24).toString('base64url');

/** Step by step, as Node's own way of making all of a path never ends where the system lets nobody make any, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  if (!existsSync(dirname(path))) await makeFolder(dirname(path));
  await mkdir(path, { mode: 0o700 });
}

/** Secrets that are there already are somebody's: they stay. */
async function writeSecrets(folder: string, secrets: Readonly<Record<string, string>>): Promise<string[]> {
  const kept: string[] = [];
  for (const [name, text] of Object.entries(secrets)) {
    const path = join(folder, name);
    if (existsSync(path)) kept.push(name);
    else await writeFile(path, `${text}\n`, { mode: 0o600 });
  }
  return kept;
}

async function passwordsIn(folder: string): Promise<Passwords> {
  const read = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim();
  return { source: await read('icecast-source'), admin: await read('icecast-admin') };
}

/** Whole or not at all: a watcher must not see half of it. */
async function put(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}
