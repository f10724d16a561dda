import { fstatSync } from 'node:fs';
import { type DestinationStream, type Logger as PinoLogger, pino, symbols } from 'pino';

export type Logger = PinoLogger;

/** Anything that could carry a secret is cut here, in the one sink, whatever a caller hands in. */
const SECRET_PATHS = [
  'password',
  'token',
  'secret',
  'authorization',
  'headers.authorization',
  'cookie',
].flatMap((key) => [key, `*.${key}`]);

export interface LoggerOptions {
  readonly level: string;
  readonly agent?: string;
  /** The journal keeps the time itself, and wants the priority of a line at its front; see `isJournal`. */
  readonly journal?: boolean;
  /** The file that is open under this number when left out. */
  readonly destination?: DestinationStream;
  /** Standard output when left out. */
  readonly fd?: number;
}

/** JSON lines to stdout, one per event: readable by journald and by the demo. */
export function createLogger(options: LoggerOptions): Logger {
  const again = (lost: number) => log.warn({ lost }, 'the log is written again; lines of it are lost');
  const { destination = openFile(options.fd ?? 1, again), journal = false } = options;
  const log = pino(
    {
      level: options.level,
      base: options.agent === undefined ? {} : { agent: options.agent },
      timestamp: journal ? false : pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_PATHS, censor: '[hidden]' },
    },
    journal ? withPriority(destination) : destination,
  );
  return log;
}

/** What waits for a disk or a reader that takes nothing; lines beyond it are lost. */
const WAITING_BYTES = 1024 * 1024;

/**
 * A full disk, or a terminal that is gone, costs lines of the log and nothing else. Left to Pino the first of them ends the
 * agent, or rather doesn't: at the exit it tries for ever, and nothing that runs here hears a signal any more.
 */
function openFile(fd: number, again: (lost: number) => void): DestinationStream {
  // With a least length `flush` tries once more what could not be written; each line is longer.
  const file = pino.destination({ dest: fd, minLength: 1, maxLength: WAITING_BYTES });
  const { flushSync } = file;
  let lost = 0;
  file.on('error', () => {
    file.flushSync = () => {};
  });
  file.on('drop', () => {
    lost += 1;
    file.flush();
  });
  file.on('drain', () => {
    file.flushSync = flushSync;
    if (lost > 0) again(lost);
    lost = 0;
  });
  return file;
}

/** A logger that says nothing, for tests and for one-shot commands. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

/** Whether standard output is the journal's own stream: systemd names its device and inode. */
export function isJournal(
  env: Readonly<Record<string, string | undefined>>,
  stdout: () => { dev: number | bigint; ino: number | bigint } = () => fstatSync(1),
): boolean {
  const said = env['JOURNAL_STREAM'];
  if (said === undefined) return false;
  const { dev, ino } = stdout();
  return said === `${dev}:${ino}`;
}

/** The syslog priority of a pino level, as sd-daemon(3) writes it before a line. */
function priorityOf(level: number): number {
  if (level >= 60) return 2;
  if (level >= 50) return 3;
  if (level >= 40) return 4;
  return level >= 30 ? 6 : 7;
}

function withPriority(destination: DestinationStream): DestinationStream {
  return {
    // Pino leaves the level of the line on a destination that asks for it.
    [symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string) {
      destination.write(`<${priorityOf(this.lastLevel)}>${line}`);
    },
  } as DestinationStream & { lastLevel: number };
}
