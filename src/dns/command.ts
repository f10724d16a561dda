import { type ChildExit, describeExit, startChild } from '../platform/child.ts';
import type { Clock } from '../platform/clock.ts';
import { formatMark, readMark } from './epoch-mark.ts';
import { quote, rateLimited, refuse, timedOut } from './failure.ts';
import type { DnsProvider, DnsRead, DnsRefusal, DnsWrite, DnsWritten, Key } from './provider.ts';
import { canonicalName, isAddressType, RecordCollector } from './records.ts';
import { fieldsOf, listOf, textOf, wholeOf } from './shape.ts';

export interface CommandSettings {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly zone: string;
  readonly names: readonly string[];
  /** Handed over on standard input, so that it shows neither in the list of processes nor in the environment. */
  readonly key: Key | null;
}

/** What the exit code of the program says; anything else is `bad-answer`. */
const EXIT_CODES: ReadonlyMap<
  number,
  Exclude<DnsRefusal['failure']['is'], 'rate-limited' | 'timeout'>
> = new Map([
  [3, 'wrong-key'],
  [4, 'refused'],
  [6, 'conflict'],
  [7, 'not-found'],
  [8, 'unreachable'],
]);
const RATE_LIMITED = 5;
const MAX_OUTPUT_BYTES = 1024 * 1024;

type Ran = { readonly ok: true; readonly json: unknown } | DnsRefusal;

/** Any provider that a program of the station can talk to: one JSON object on its standard input, one on its output. */
export function commandProvider(settings: CommandSettings, clock: Clock): DnsProvider {
  const names = settings.names.map(canonicalName);
  const run = (request: object, signal: AbortSignal) => runCommand(settings, request, clock, signal);
  return {
    name: 'command',
    fencing: 'checked-before',
    async read(signal): Promise<DnsRead> {
      const ran = await run({ action: 'read' }, signal);
      return ran.ok ? stateIn(ran.json, names) : ran;
    },
    async write(write: DnsWrite, signal): Promise<DnsWritten> {
      const ran = await run({ action: 'write', ...write, text: formatMark(write.mark) }, signal);
      return ran.ok ? { ok: true } : ran;
    },
    // What it does is its own business, and so is whether it would do it.
    mayWrite: () => Promise.resolve(null),
  };
}

async function runCommand(
  settings: CommandSettings,
  request: object,
  clock: Clock,
  signal: AbortSignal,
): Promise<Ran> {
  const [program = '', ...args] = settings.command;
  const who = `the command ${program}`;
  if (signal.aborted) return timedOut(who);
  const chunks: Buffer[] = [];
  let size = 0;
  const child = startChild({
    command: program,
    args,
    clock,
    hasChildren: true,
    onStdout: (chunk) => {
      size += chunk.length;
      if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
      else child.kill('SIGKILL');
    },
  });
  const abort = () => void child.stop();
  signal.addEventListener('abort', abort);
  const key = settings.key === null ? {} : { key: settings.key.reveal() };
  child.write(
    Buffer.from(
      `${JSON.stringify({ version: 1, zone: settings.zone, names: settings.names, ...key, ...request })}\n`,
    ),
  );
  child.endInput();
  const exit = await child.exited;
  signal.removeEventListener('abort', abort);
  if (signal.aborted) return timedOut(who);
  if (size > MAX_OUTPUT_BYTES)
    return refuse('bad-answer', `${who} wrote more than ${MAX_OUTPUT_BYTES} bytes`);
  const words = child.stderrTail().trim().split('\n').at(-1) ?? '';
  return understand(
    who,
    exit,
    Buffer.concat(chunks).toString('utf8'),
    quote(words, settings.key === null ? [] : [settings.key]),
  );
}

function understand(who: string, exit: ChildExit, output: string, words: string): Ran {
  const json = parse(output);
  const said = `${who} ${describeExit(exit)}${words === '' ? '' : ` (${words})`}`;
  if (exit.is === 'not-started') return refuse('refused', `${said}: check dns.command`);
  if (exit.is === 'killed') return refuse('bad-answer', said);
  if (exit.code === RATE_LIMITED) {
    const seconds = wholeOf(fieldsOf(json)?.['retryAfterSeconds']);
    return rateLimited(said, seconds === null ? null : Math.min(seconds, 3600) * 1000);
  }
  if (exit.code !== 0) return refuse(EXIT_CODES.get(exit.code) ?? 'bad-answer', said);
  return { ok: true, json };
}

function parse(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

function stateIn(json: unknown, names: readonly string[]): DnsRead {
  const answer = fieldsOf(json);
  const bad = (what: string) =>
    refuse('bad-answer', `dns.command printed ${what}: see docs/dns.md for what it must print`);
  if (!Array.isArray(answer?.['records'])) return bad('no JSON object with a list of records');
  const collector = new RecordCollector(names);
  for (const entry of answer['records']) {
    const record = fieldsOf(entry);
    const name = textOf(record?.['name']);
    const type = record?.['type'];
    const ttlSeconds = wholeOf(record?.['ttlSeconds']);
    if (name === null || !isAddressType(type) || ttlSeconds === null)
      return bad('a record without name, type or TTL');
    for (const address of listOf(record?.['addresses'])) {
      if (typeof address !== 'string' || !collector.add(name, type, address, ttlSeconds))
        return bad('an address that is none');
    }
  }
  const text = textOf(answer['text']);
  const mark = readMark(names[0] ?? '', text === null ? [] : [text]);
  return mark.ok
    ? { ok: true, state: { records: collector.records(), mark: mark.mark } }
    : refuse('bad-answer', mark.text);
}
