import type { Agent } from '../agent.ts';
import type { Config, LoadedConfig } from '../config/index.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { planReload } from './reload.ts';

/** The HTTP side while it can be exchanged: the sound doesn't notice. */
export interface WebSide {
  /** Stops what runs and starts what this config wants; what ran before when that fails. */
  change(config: Config): Promise<void>;
}

export interface ReloaderOptions {
  readonly agent: Pick<Agent, 'reload'>;
  readonly running: Config;
  readonly web: WebSide;
  readonly log: Logger;
  load(): Promise<LoadedConfig>;
}

/** Takes over a changed config while everything plays on. A config with a fault in it changes nothing. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #running: Config;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#running = options.running;
  }

  /** One after another, and never with an error. */
  reload(): Promise<void> {
    this.#queue = this.#queue.then(() =>
      this.#once().catch((thrown: unknown) =>
        this.#options.log.error({ err: messageOf(thrown) }, 'the reload failed; the old config runs on'),
      ),
    );
    return this.#queue;
  }

  async #once(): Promise<void> {
    const { agent, log, web } = this.#options;
    const loaded = await this.#options.load();
    if (!loaded.ok) {
      for (const { line, path, message } of loaded.faults)
        log.error({ line, path }, `the new config: ${message}`);
      log.error({ faults: loaded.faults.length }, 'the new config has faults: the old one runs on');
      return;
    }
    for (const { line, path, message } of loaded.warnings) log.warn({ line, path }, message);
    const { config, changed, waiting } = planReload(this.#running, loaded.config);
    agent.reload(config);
    this.#running = config;
    for (const { path, because } of waiting)
      log.warn({ path }, `changed in the file, but not now: ${because}`);
    if (changed.includes('web')) await web.change(config);
    const said = changed.length === 0 ? 'nothing in it can be changed now' : 'the new config is in use';
    log.info({ changed, waiting: waiting.map(({ path }) => path) }, `reloaded: ${said}`);
  }
}
