import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { SessionStore } from '../web/access/sessions.ts';

/** Who is signed in, in the state directory, so that a page on a wall comes back by itself after a restart. */
export function sessionFile(directory: string, log: Logger): SessionStore {
  // No station's name begins with a dot.
  const path = join(directory, '.sessions.json');
  let writing: Promise<void> = Promise.resolve();
  let complained = false;
  const write = async (sessions: object) => {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, JSON.stringify(sessions), { mode: 0o600 });
      await rename(`${path}.new`, path);
      complained = false;
    } catch (thrown) {
      if (!complained) log.warn({ path, err: messageOf(thrown) }, 'the next start will sign everybody out');
      complained = true;
    }
  };
  return {
    async load() {
      try {
        return JSON.parse(await readFile(path, 'utf8'));
      } catch (thrown) {
        if (codeOf(thrown) !== 'ENOENT')
          log.warn({ path, err: messageOf(thrown) }, 'nobody is signed in any more, as this cannot be read');
        return null;
      }
    },
    save(sessions) {
      writing = writing.then(() => write(sessions));
      return writing;
    },
  };
}
