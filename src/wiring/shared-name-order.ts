import type { Config } from '../config/index.ts';
import { orderOf } from '../decide/failover/operator.ts';
import type { OperatorOrder } from '../domain/failover.ts';
import type { ServerLook } from '../domain/icecast.ts';
import type { ServerName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Failover } from './failover.ts';
import { endMark, nameMark, numberMark, readEnd, readName, readNumber, sealOn } from './mark-seal.ts';

export interface SharedNameOrderOptions {
  readonly config: Config;
  readonly failover: () => Pick<Failover, 'state' | 'heardOrder'> | null;
  readonly clock: Clock;
}

/** Its version, the agent that was asked, until when (0: it is over), which server (0: none), with override or not, the author, a seal. */
const FORM =
  /^n([0-9a-w]{1,8})x((?:[0-9a-f]{2}){1,32})x([0-9a-w]{1,8})x([0-9a-w]{1,2})x([01])x((?:[0-9a-f]{2}){0,64})x([0-9a-f]{12})$/;
const SEAL_LENGTH = 12;
const MOST_AGENT_BYTES = 32;
const MOST_AUTHOR_BYTES = 64;
/** Of two agents each has the same to say on every server that both are on. */
const MOST_REMEMBERED = 32;

/**
 * Without a cluster, what an operator ordered for the name from one agent goes for all: each agent's sign of life on a server
 * says the newest order that it follows, in words that only who knows the admin password of that server can make.
 */
export class SharedNameOrder {
  readonly #options: SharedNameOrderOptions;
  #read: readonly string[] = [];

  constructor(options: SharedNameOrderOptions) {
    this.#options = options;
  }

  /** What our own sign of life on a server says. */
  marksFor(on: ServerName): readonly string[] {
    const order = this.#order();
    if (order === null) return [];
    const { version, by, hold } = order;
    const { config, clock } = this.#options;
    const server = config.servers.findIndex(({ name }) => name === hold?.server) + 1;
    const words = [
      numberMark(version),
      nameMark(by, MOST_AGENT_BYTES),
      endMark(hold, clock),
      numberMark(server),
      hold?.override === true ? '1' : '0',
      nameMark(hold?.author ?? '', MOST_AUTHOR_BYTES),
    ];
    const seal = this.#seal(on, words);
    return seal === null ? [] : [`n${[...words, seal].join('x')}`];
  }

  /** Another text when there is something new to say. */
  get news(): string {
    const order = this.#order();
    return order === null ? '' : `${order.version} ${order.by}`;
  }

  saw({ presences }: ServerLook & { ok: true }): void {
    if (this.#options.config.cluster !== null) return;
    for (const mark of presences.flatMap(({ marks = [] }) => marks)) {
      if (!mark.startsWith('n') || this.#read.includes(mark)) continue;
      this.#read = [mark, ...this.#read].slice(0, MOST_REMEMBERED);
      const order = this.#orderIn(mark);
      if (order !== null) this.#options.failover()?.heardOrder(order);
    }
  }

  #order(): OperatorOrder | null {
    const { config, failover } = this.#options;
    const state = config.cluster === null ? failover()?.state : undefined;
    return state === undefined ? null : orderOf(state);
  }

  #orderIn(mark: string): OperatorOrder | null {
    const { config, clock } = this.#options;
    const [, ...parts] = FORM.exec(mark) ?? [];
    const words = parts.slice(0, -1);
    const seal = parts.at(-1);
    if (seal === undefined || !config.servers.some(({ name }) => this.#seal(name, words) === seal))
      return null;
    const [version = '', by = '', until = '', server = '', override, author = ''] = words;
    const order = { version: readNumber(version), by: readName(by) };
    const untilMs = readEnd(until, clock);
    if (untilMs === null) return { ...order, hold: null };
    const hold = {
      author: readName(author),
      untilMs,
      server: config.servers[readNumber(server) - 1]?.name ?? null,
      override: override === '1',
    };
    return { ...order, hold };
  }

  /** The names of all servers are in it, as agents whose configs differ in them would mean others by the same number. */
  #seal(on: ServerName, words: readonly string[]): string | null {
    const { config } = this.#options;
    const servers = config.servers.map(({ name }) => name).join();
    const name = config.dns?.names[0] ?? '';
    return sealOn(config, on, ['name-order', name, servers, ...words], SEAL_LENGTH);
  }
}
