import { getSystemErrorName } from 'node:util';
import { sendDatagram } from '../../native-bindings/notify.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

/** What systemd is told of this agent. Without it (in a container, in a terminal) nothing is told and nothing is missed. */
export interface ServiceManager {
  ready(status: string): void;
  reloading(): void;
  stopping(): void;
  /** The decision has completed a round: only this keeps the watchdog quiet, so that a loop that hangs is ended. */
  roundCompleted(): void;
}

export interface ServiceManagerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Replaced in tests. Gives 0 or an errno. */
  readonly send?: (path: string, text: string) => number;
}

/** A ping is lost when the socket is full, so that more than one fits into the watchdog's time. */
const PINGS_PER_WATCHDOG = 3;

/** The notify protocol of systemd: sd_notify(3), sd_watchdog_enabled(3). */
export function serviceManager(options: ServiceManagerOptions): ServiceManager {
  const { env, clock, log, send = sendDatagram } = options;
  const socket = env['NOTIFY_SOCKET'] ?? '';
  const pingEveryMs = watchdogMs(options) / PINGS_PER_WATCHDOG;
  let lastPingAtMs = Number.NEGATIVE_INFINITY;
  let complained = false;

  const tell = (...lines: string[]): void => {
    if (socket === '') return;
    const errno = send(socket, lines.join('\n'));
    if (errno !== 0 && !complained)
      log.warn({ socket, err: getSystemErrorName(-errno) }, 'systemd cannot be told how this agent is');
    complained = errno !== 0;
  };

  return {
    ready: (status) => tell('READY=1', `STATUS=${status}`),
    reloading: () =>
      tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=reading the config'),
    stopping: () => tell('STOPPING=1', 'STATUS=leaving the servers as they should be'),
    roundCompleted() {
      if (pingEveryMs === Number.POSITIVE_INFINITY) return;
      const nowMs = clock.nowMs();
      if (nowMs - lastPingAtMs < pingEveryMs) return;
      lastPingAtMs = nowMs;
      tell('WATCHDOG=1');
    },
  };
}

/** Infinite when nobody watches, or when another process is meant. */
function watchdogMs({ env, pid }: ServiceManagerOptions): number {
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '');
  const watched = env['WATCHDOG_PID'] ?? '';
  const isOurs = watched === '' || watched === String(pid);
  return isOurs && microseconds > 0 ? microseconds / 1000 : Number.POSITIVE_INFINITY;
}
