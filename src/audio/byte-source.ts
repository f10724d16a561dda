import { SustainError } from '../platform/errors.ts';
import type { Container } from './decode-stream.ts';
import type { SaidLength } from './sniff.ts';

/** Bytes with sound in them, and what they are. */
export interface ByteSource {
  readonly container: Container;
  /** A size that is known makes a share of the work that is done. */
  readonly totalBytes: number | null;
  /** How long it is by its own header, as far as that says. */
  readonly saidLength?: SaidLength | null;
  /** In order, until there are no more. Throws an UnreadableSound when they break off. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Releases the file or hangs up. A read that waits ends. */
  close(): Promise<void>;
}

/** What can't be heard, and why, in one line. */
export class UnreadableSound extends SustainError<'unreadable-sound'> {
  constructor(message: string) {
    super('unreadable-sound', message);
    this.name = 'UnreadableSound';
  }
}

const NAMES: Readonly<Record<Container, string>> = {
  wav: 'WAV',
  flac: 'FLAC',
  mp3: 'MP3',
  aac: 'AAC',
  ogg: 'Ogg',
  mov: 'M4A',
  matroska: 'WebM or Matroska',
};

export const containerName = (container: Container): string => NAMES[container];

export const KNOWN_KINDS = Object.values(NAMES).join(', ');
