import type { Clock } from '../platform/clock.ts';

/** Where the bar goes: standard error, when a person watches it. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  /** From 0 to 1; null when nobody knows how much there is. */
  show(share: number | null, done: string): void;
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
    show(share, done) {
      const nowMs = clock.nowMs();
      if (terminal.isTTY !== true || nowMs - shownAtMs < EVERY_MS) return;
      shownAtMs = nowMs;
      isShown = true;
      const text = progressText(share, done, nowMs - startedAtMs, terminal.columns || 80);
      terminal.write(`${CLEAR_LINE}${text}`);
    },
    clear() {
      if (isShown) terminal.write(CLEAR_LINE);
      isShown = false;
    },
  };
}

/** `[#####-----]  50 %  2:00.0 heard, 3 s left`, never wider than the terminal. */
export function progressText(share: number | null, done: string, elapsedMs: number, columns: number): string {
  if (share === null) return done.slice(0, columns - 1);
  const bounded = Math.min(1, Math.max(0, share));
  const percent = `${String(Math.floor(bounded * 100)).padStart(3)} %`;
  const leftSeconds = bounded > 0 ? Math.ceil((elapsedMs * (1 - bounded)) / bounded / 1000) : null;
  const left = leftSeconds === null ? '' : `, ${leftText(leftSeconds)} left`;
  const words = ` ${percent}  ${done}${left}`;
  const width = Math.min(MOST_BAR_CHARS, columns - words.length - 3);
  if (width < 5) return words.trimStart().slice(0, columns - 1);
  const full = Math.round(bounded * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]${words}`;
}

function leftText(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
