import { type Logger as PinoLogger, pino } from 'pino';

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

/** JSON lines to stdout, one per event: readable by journald and by the demo. */
export function createLogger(options: { level: string; agent?: string }): Logger {
  return pino({
    level: options.level,
    base: options.agent === undefined ? {} : { agent: options.agent },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_PATHS, censor: '[hidden]' },
  });
}

/** A logger that says nothing, for tests and for one-shot commands. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
