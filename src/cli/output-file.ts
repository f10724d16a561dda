import { type FileHandle, open, rm } from 'node:fs/promises';
import { messageOf } from '../platform/errors.ts';

/** A file that a command writes at its end: what can't be written is found before, and what is there stays until then. */
export interface OutputFile {
  readonly ok: true;
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

export async function openOutput(
  path: string | undefined,
): Promise<OutputFile | { readonly ok: false; readonly message: string } | null> {
  if (path === undefined) return null;
  let file: FileHandle;
  try {
    file = await open(path, 'a');
  } catch (thrown) {
    return { ok: false, message: messageOf(thrown) };
  }
  return {
    ok: true,
    async write(text) {
      // It may be a pipe or a device, which have no length.
      if ((await file.stat()).isFile()) await file.truncate(0);
      await file.writeFile(text);
    },
    async close() {
      const found = await file.stat();
      await file.close();
      if (found.isFile() && found.size === 0) await rm(path, { force: true });
    },
  };
}
