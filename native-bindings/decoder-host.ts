import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './index.ts';

/** The program that decodes MP3 for many legs; null where it was not built. */
export function decoderHostPath(): string | null {
  const folder = join(packageRoot(), 'native-bindings');
  const places = ['build', join('prebuilds', `${process.platform}-${process.arch}`)];
  return places.map((place) => join(folder, place, 'sustain-decoder')).find(existsSync) ?? null;
}
