import type { Container } from '../../audio/decode-stream.ts';
import { SustainError } from '../../platform/errors.ts';

/** Bytes to be measured, and what they are. */
export interface ByteSource {
  readonly container: Container;
  /** A size that is known makes a share of the work that is done. */
  readonly totalBytes: number | null;
  /** In order, until there are no more. Throws a MeasureError when they break off. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Releases the file or hangs up. A read that waits ends. */
  close(): Promise<void>;
}

/** What can't be measured, and why, in one line. */
export class MeasureError extends SustainError<'measure'> {
  constructor(message: string) {
    super('measure', message);
    this.name = 'MeasureError';
  }
}

/** The server puts its titles elsewhere than it says: to be asked again, without them. */
export class TitlesLied extends MeasureError {}

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
