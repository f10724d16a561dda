/** Something that is asked for again and again while somebody looks. */
export interface Asking {
  /** Something has just happened: ask now. */
  soon(): void;
  stop(): void;
}

/** Asks at once and then so long after each answer; `ask` is told by `isOver` that nobody wants its answer any more. */
export function askAgain(ask: (isOver: () => boolean) => Promise<void>, everyMs: number): Asking {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = async () => {
    clearTimeout(timer);
    await ask(() => isOver);
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(() => void next(), everyMs);
  };
  void next();
  return {
    soon: () => void next(),
    stop() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
