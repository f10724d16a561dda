import type { Child } from '../platform/child.ts';

/** Writes to a child no faster than it reads. Its `wake` belongs into the child's onDrain and onExit. */
export class ChildWriter {
  #closed = false;
  #isFull = false;
  #wake: () => void = () => {};

  /** Takes the bytes at once; who has many waits for `ready` now and then. False when nobody reads any more. */
  push(child: Child, bytes: Uint8Array): boolean {
    if (this.#closed) return false;
    const outcome = child.write(bytes);
    this.#isFull = outcome === 'full';
    return outcome !== 'closed';
  }

  /** Resolves when more can be taken. */
  async ready(): Promise<void> {
    if (!this.#isFull || this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly wake = (): void => {
    this.#isFull = false;
    this.#wake();
  };

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  get isClosed(): boolean {
    return this.#closed;
  }
}
