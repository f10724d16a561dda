interface Entry {
  readonly frame: number;
  readonly title: string | null;
}

/** Titles on their way through the processing chain, beside the sound that they belong to. */
export class TitleLine {
  /** In order; the first one is that of what leaves now. */
  #entries: Entry[] = [];

  /** From this frame of what is played on, it is called this; frames never go back. */
  enter(frame: number, title: string | null): void {
    if (this.#entries.length === 0 || this.#entries.at(-1)?.title !== title)
      this.#entries.push({ frame, title });
  }

  /** What the sound at this frame is called, after which nothing earlier is asked for; at the start, what it will be. */
  leaving(frame: number): string | null {
    const passed = this.#entries.findLastIndex((entry) => entry.frame <= frame);
    if (passed > 0) this.#entries = this.#entries.slice(passed);
    return this.#entries[0]?.title ?? null;
  }
}
