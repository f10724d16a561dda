import { createHmac } from 'node:crypto';
import type { Config } from '../config/index.ts';
import type { ServerName } from '../domain/ids.ts';

/**
 * A word for a sign of life on a server that only who knows that server's admin password can make or read; null for a server
 * that isn't in the config.
 */
export function sealOn(
  config: Config,
  server: ServerName,
  words: readonly string[],
  length: number,
): string | null {
  const key = config.servers.find(({ name }) => name === server)?.admin.password.reveal();
  if (key === undefined) return null;
  return createHmac('sha256', key).update(JSON.stringify(words)).digest('hex').slice(0, length);
}
