import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SustainError } from '../platform/errors.ts';
import { type Database, lockFile } from './sqlite.ts';

/** The code of what an agent is told that starts where another one runs. */
export const STATE_TAKEN = 'state-taken';

/**
 * Keeps a folder for one agent until it is released or the process ends: two would write into one log, and each would
 * remember over what the other did. Where nothing can be locked, nothing is: the history says why it can't be written.
 * @throws SustainError `state-taken` when another agent has it.
 */
export function claimFolder(directory: string): () => void {
  let lock: Database | null;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock = lockFile(join(directory, '.agent.lock'));
  } catch {
    return () => {};
  }
  if (lock === null)
    throw new SustainError(
      STATE_TAKEN,
      `another agent runs with ${directory}: stop it first (systemctl stop sustain), or give this one a state.directory of its own`,
    );
  const held = lock;
  return () => held.close();
}
