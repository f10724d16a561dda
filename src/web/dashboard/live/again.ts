/** Something that is asked for again and again while somebody looks. */
export interface Asking {
  /** Something has just happened: ask now, or as soon as what is being asked is answered. */
  soon(): void;
  stop(): void;
}

/**
 * Asks at once and then so long after each answer, never twice at the same time; `ask` is told by `isOver` that nobody
 * wants its answer any more.
 */
export function askAgain(ask: (isOver: () => boolean) => Promise<void>, everyMs: number): Asking {
  let isOver = false;
  let isAsking = false;
  let isDue = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = async () => {
    clearTimeout(timer);
    isAsking = true;
    isDue = false;
    await ask(() => isOver);
    isAsking = false;
    if (!isOver) timer = setTimeout(() => void next(), isDue ? 0 : everyMs);
  };
  void next();
  return {
    soon() {
      isDue = true;
      if (!isAsking && !isOver) void next();
    },
    stop() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
