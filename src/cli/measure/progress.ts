import type { Clock } from '../../platform/clock.ts';
import { timeText } from './print.ts';

/** Where the bar goes: standard error, when a person watches it. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  /** From 0 to 1; null when nobody knows how much there is. */
  show(share: number | null, heardSeconds: number): void;
  clear(): void;
}

/** What is done sooner needs no bar. */
const FIRST_AFTER_MS = 700;
const EVERY_MS = 200;
const MOST_BAR_CHARS = 40;
const CLEAR_LINE = '\r\u001b[K';

/** A bar on a terminal; on anything else, nothing. */
export function createProgress(clock: Clock, terminal: Terminal): Progress {
  const startedAtMs = clock.nowMs();
  let shownAtMs = startedAtMs + FIRST_AFTER_MS - EVERY_MS;
  let isShown = false;
  return {
    show(share, heardSeconds) {
      const nowMs = clock.nowMs();
      if (terminal.isTTY !== true || nowMs - shownAtMs < EVERY_MS) return;
      shownAtMs = nowMs;
      isShown = true;
      const text = progressText(share, heardSeconds, nowMs - startedAtMs, terminal.columns || 80);
      terminal.write(`${CLEAR_LINE}${text}`);
    },
    clear() {
      if (isShown) terminal.write(CLEAR_LINE);
      isShown = false;
    },
  };
}

/** `[#####-----]  50 %  2:00.0 heard, 3 s left`, never wider than the terminal. */
export function progressText(
  share: number | null,
  heardSeconds: number,
  elapsedMs: number,
  columns: number,
): string {
  const heard = `${timeText(heardSeconds)} heard`;
  if (share === null) return heard.slice(0, columns - 1);
  const bounded = Math.min(1, Math.max(0, share));
  const percent = `${String(Math.floor(bounded * 100)).padStart(3)} %`;
  const leftSeconds = bounded > 0 ? Math.ceil((elapsedMs * (1 - bounded)) / bounded / 1000) : null;
  const left = leftSeconds === null ? '' : `, ${leftText(leftSeconds)} left`;
  const words = ` ${percent}  ${heard}${left}`;
  const width = Math.min(MOST_BAR_CHARS, columns - words.length - 3);
  if (width < 5) return words.trimStart().slice(0, columns - 1);
  const done = Math.round(bounded * width);
  return `[${'#'.repeat(done)}${'-'.repeat(width - done)}]${words}`;
}

function leftText(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
