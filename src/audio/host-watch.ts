import { cpuTimeMs, lookAtProcess } from '../platform/process-state.ts';

/** In time in which we ran ourselves: a standstill of ours says nothing of the process, whose answers then lie unread. */
const STOPPED_MS = 500;
const ASLEEP_MS = 1_000;
/** One that waits for nothing may be caught between two steps. */
const LOOKS_THAT_PROVE = 3;
/** It has its own watch for bytes that keep it busy; this is for when that fails. */
const IN_CIRCLES_CPU_MS = 3_000;
/** One that gets no CPU is seldom helped by starting another. */
const STARVED_MS = 10_000;

/** Whether the process that owes answers is still at work, judged by our own running time and by its CPU time. */
export class HostWatch {
  readonly #everyMs: number;
  #lookedAtMs: number;
  #silentMs = 0;
  #asleepLooks = 0;
  #cpuFromMs: number | null = null;

  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs;
    this.#lookedAtMs = nowMs;
  }

  answered(): void {
    this.#silentMs = 0;
    this.#asleepLooks = 0;
    this.#cpuFromMs = null;
  }

  /** Asked every `everyMs`; why it has to be replaced, or null. */
  look(pid: number, isOwed: boolean, nowMs: number): string | null {
    const passedMs = Math.min(nowMs - this.#lookedAtMs, 2 * this.#everyMs);
    this.#lookedAtMs = nowMs;
    if (!isOwed) this.answered();
    else this.#silentMs += passedMs;
    if (this.#silentMs < STOPPED_MS) return null;
    const state = lookAtProcess(pid);
    this.#asleepLooks = state === 'waiting' ? this.#asleepLooks + 1 : 0;
    const forMs = `for ${Math.round(this.#silentMs)} ms`;
    if (state === 'stopped') return `was stopped by a signal ${forMs}`;
    if (state === 'waiting' && this.#silentMs >= ASLEEP_MS && this.#asleepLooks >= LOOKS_THAT_PROVE)
      return `did nothing any more ${forMs}`;
    // Of one that is gone the exit is about to be told, with the reason.
    return state === 'starved' ? this.#starved(pid, forMs) : null;
  }

  #starved(pid: number, forMs: string): string | null {
    const cpuMs = cpuTimeMs(pid);
    this.#cpuFromMs ??= cpuMs;
    if (cpuMs - this.#cpuFromMs >= IN_CIRCLES_CPU_MS) return `ran in circles ${forMs}`;
    return this.#silentMs >= STARVED_MS ? `got no CPU or no disk ${forMs}` : null;
  }
}
