import { readFile } from 'node:fs/promises';
import type { Agent } from '../agent.ts';
import type { Config, WebConfig } from '../config/index.ts';
import { stationName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf, SustainError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { startWeb, type WebServer } from '../web/server.ts';
import { listenIn } from './listen-in.ts';
import { rememberedBy } from './remembered.ts';
import { sessionFile } from './session-file.ts';

/**
 * The HTTP side of an agent, as the config wants it.
 * @throws SustainError `web-tls` for a certificate or key that can't be read or used, `web-not-listening`.
 */
export async function startWebSide(
  config: Config,
  web: WebConfig,
  agent: Agent,
  clock: Clock,
  log: Logger,
): Promise<WebServer> {
  const started = await startWeb({
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
      hear: (station, server, mount, handlers) =>
        listenIn(config, clock, { station, server, mount }, handlers),
      silencePlans: agent.silencePlans,
    },
    clock,
    host: web.listen.host,
    port: web.listen.port,
    viewerToken: web.viewerToken?.reveal() ?? null,
    operatorToken: web.operatorToken?.reveal() ?? null,
    users: web.users.map(({ name, role, passwordHash }) => ({
      name,
      role,
      passwordHash: passwordHash.reveal(),
    })),
    sessionStore: sessionFile(config.state.directory, log),
    proxies: web.trustProxy,
    tls: web.tls === null ? null : await readTls(web.tls),
  });
  if (started.oneTimeSecret !== null) {
    // Once, and only to whoever can read the log of the first run: there is no account that everybody knows.
    log.warn(
      { url: started.url, oneTimePassword: started.oneTimeSecret },
      'nobody may sign in yet: sign in once with any name and this password, and write web.users into the config',
    );
  }
  return started;
}

/** Keeps the HTTP side in step with the config. */
export class LiveWebSide {
  readonly #agent: Agent;
  readonly #clock: Clock;
  readonly #log: Logger;
  #server: WebServer | null = null;
  #config: Config | null = null;

  constructor(agent: Agent, clock: Clock, log: Logger) {
    this.#agent = agent;
    this.#clock = clock;
    this.#log = log;
  }

  get url(): string | null {
    return this.#server?.url ?? null;
  }

  /** @throws what `startWebSide` does */
  async start(config: Config): Promise<void> {
    const { web } = config;
    if (web !== null) this.#server = await startWebSide(config, web, this.#agent, this.#clock, this.#log);
    this.#config = config;
  }

  /** Sessions are in a file, so that whoever was signed in stays so. What can't be started leaves what was there before. */
  async change(config: Config): Promise<void> {
    const before = this.#config;
    await this.stop();
    try {
      await this.start(config);
    } catch (thrown) {
      this.#log.error({ err: messageOf(thrown) }, 'the new web section cannot be used; the old one goes on');
      if (before !== null) await this.start(before);
    }
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.stop();
  }
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
