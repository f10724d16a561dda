import { readFile } from 'node:fs/promises';
import type { Agent } from '../agent.ts';
import type { WebConfig } from '../config/index.ts';
import { stationName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf, SustainError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { startWeb, type WebServer } from '../web/server.ts';
import { rememberedBy } from './remembered.ts';

/**
 * The HTTP side of an agent, as the config wants it.
 * @throws SustainError `web-tls` for a certificate or key that can't be read or used, `web-not-listening`.
 */
export async function startWebSide(
  config: WebConfig,
  agent: Agent,
  clock: Clock,
  log: Logger,
): Promise<WebServer> {
  const web = await startWeb({
    source: {
      view: () => agent.view(),
      isReady: () => agent.isReady,
      request: (station, request) => agent.request(stationName(station), request),
      requestDns: (request) => agent.requestDns(request),
      playlist: (station) => agent.playlist(station),
      loudness: (station, lastMs, points) => agent.loudness(station, lastMs, points),
      figures: () => agent.figures,
      levels: agent.levels,
      remembered: rememberedBy(agent, clock),
    },
    clock,
    host: config.listen.host,
    port: config.listen.port,
    viewerToken: config.viewerToken?.reveal() ?? null,
    operatorToken: config.operatorToken?.reveal() ?? null,
    users: config.users.map(({ name, role, passwordHash }) => ({
      name,
      role,
      passwordHash: passwordHash.reveal(),
    })),
    proxies: config.trustProxy,
    tls: config.tls === null ? null : await readTls(config.tls),
  });
  if (web.oneTimeSecret !== null) {
    // Once, and only to whoever can read the log of the first run: there is no account that everybody knows.
    log.warn(
      { url: web.url, oneTimePassword: web.oneTimeSecret },
      'nobody may sign in yet: sign in once with any name and this password, and write web.users into the config',
    );
  }
  return web;
}

async function readTls({ certFile, keyFile }: NonNullable<WebConfig['tls']>) {
  const read = async (key: string, path: string) => {
    try {
      return await readFile(path, 'utf8');
    } catch (thrown) {
      throw new SustainError('web-tls', `web.tls.${key} ${path}: ${messageOf(thrown)}`, thrown);
    }
  };
  return { cert: await read('certFile', certFile), key: await read('keyFile', keyFile) };
}
