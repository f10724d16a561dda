import { PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';
import { hostRequests, MOST_REQUEST_BYTES } from './host-messages.ts';
import type { WorkerEvents } from './leg-decoder.ts';

/** `isCulprit` ends with its own bytes having brought the process down. */
export interface HostEvents extends Omit<WorkerEvents, 'onEnd'> {
  onEnd(end: { readonly because: string; readonly blamesBytes: boolean; readonly isCulprit: boolean }): void;
}

/** Any MP3 decoder that has had so much is in the state of one that has had all: eight frames at 320 kbit/s. */
const PAST_BYTES = 8 * 1024;

/** One leg's stream in the decoder process: what is owed to it, and what another process needs to go on to the sample. */
export class HostPlace {
  readonly stream: number;
  readonly events: HostEvents;
  /** With the process, one piece for each answer that is still to come. */
  readonly #owed: Uint8Array[] = [];
  readonly #past: Uint8Array[] = [];
  #pastBytes = 0;
  #heardFrames = 0;
  #hasAnswered = false;

  constructor(stream: number, events: HostEvents) {
    this.stream = stream;
    this.events = events;
  }

  get isOwed(): boolean {
    return this.#owed.length > 0;
  }

  /** One that has answered since the last look, or owes nothing, is waiting for better bytes. */
  look(): 'waiting' | 'watched' {
    const isAtWork = this.#hasAnswered || !this.isOwed;
    this.#hasAnswered = false;
    return isAtWork ? 'waiting' : 'watched';
  }

  /** The requests for these bytes. */
  take(bytes: Uint8Array): readonly Uint8Array[] {
    for (let at = 0; at < bytes.length; at += MOST_REQUEST_BYTES)
      this.#owed.push(bytes.subarray(at, at + MOST_REQUEST_BYTES));
    return hostRequests('bytes', this.stream, bytes);
  }

  /** One answer came, with so many samples. */
  answered(samples: number): void {
    const bytes = this.#owed.shift();
    if (bytes === undefined) return;
    this.#hasAnswered = true;
    this.#heardFrames = (this.#heardFrames + samples / PCM_CHANNELS) % PCM_RATE_HZ;
    this.#past.push(bytes);
    this.#pastBytes += bytes.length;
    for (;;) {
      const oldestBytes = this.#past[0]?.length ?? 0;
      if (this.#pastBytes - oldestBytes < PAST_BYTES) return;
      this.#pastBytes -= oldestBytes;
      this.#past.shift();
    }
  }

  /** What another process is told first: where the sound was, and all that the one before it has not answered to. */
  again(): readonly Uint8Array[] {
    const { stream } = this;
    return [
      ...hostRequests('open', stream),
      ...this.#past.flatMap((bytes) => hostRequests('past', stream, bytes)),
      ...hostRequests('go-on', stream, new Uint8Array(Uint32Array.of(this.#heardFrames).buffer)),
      ...this.#owed.flatMap((bytes) => hostRequests('bytes', stream, bytes)),
    ];
  }
}
