import type { ServerName } from '../domain/ids.ts';
import type { ServerAddress } from '../icecast/address.ts';
import type { Clock } from '../platform/clock.ts';

export interface AddressProofsOptions {
  readonly clock: Clock;
  /** What the DNS answers with for each server. */
  readonly published: ReadonlyMap<ServerName, readonly string[]>;
  /** Where each of those is tried beside the one at which the server is judged. */
  readonly others: ReadonlyMap<ServerName, ReadonlyMap<string, ServerAddress>>;
  /** How long an address that was heard may be published. */
  readonly provenForMs: number;
  /** Whether a new listener gets the first byte of sound there. Never throws. */
  isHeardAt(address: ServerAddress): Promise<boolean>;
}

/**
 * Which addresses of a server may be published. A server is judged at one of them; the other family has a route, a firewall
 * and a socket of its own, and is left out of the DNS unless it was heard just now.
 */
export class AddressProofs {
  readonly #options: AddressProofsOptions;
  readonly #heardAtMs = new Map<ServerAddress, number>();
  readonly #silent = new Set<ServerAddress>();
  readonly #trying = new Map<ServerAddress, Promise<void>>();

  constructor(options: AddressProofsOptions) {
    this.#options = options;
  }

  /** Tries every other address of a server. */
  async try(server: ServerName): Promise<void> {
    await Promise.all([...this.#othersOf(server).values()].map((address) => this.#try(address)));
  }

  /** What may be published of a server. Only what was heard when it was last tried is waited for. */
  async publishable(server: ServerName): Promise<readonly string[]> {
    const hopeful = [...this.#othersOf(server).values()].filter((address) => !this.#silent.has(address));
    await Promise.all(hopeful.map((address) => this.#try(address)));
    const nowMs = this.#options.clock.nowMs();
    return this.all(server).filter((address) => this.provenUntilMs(server, [address]) > nowMs);
  }

  /** Whether it gave no sound when it was last tried. */
  isSilent(server: ServerName, text: string): boolean {
    const address = this.#othersOf(server).get(text);
    return address !== undefined && this.#silent.has(address);
  }

  /** Every address, heard or not. */
  all(server: ServerName): readonly string[] {
    return this.#options.published.get(server) ?? [];
  }

  /** Until when all of these addresses may be published. The one at which the server is judged is the decision's matter. */
  provenUntilMs(server: ServerName, addresses: readonly string[]): number {
    const others = this.#othersOf(server);
    const times = addresses.map((text) => {
      const address = others.get(text);
      if (address === undefined) return Number.POSITIVE_INFINITY;
      return (this.#heardAtMs.get(address) ?? Number.NEGATIVE_INFINITY) + this.#options.provenForMs;
    });
    return Math.min(...times);
  }

  #othersOf(server: ServerName): ReadonlyMap<string, ServerAddress> {
    return this.#options.others.get(server) ?? new Map();
  }

  /** One at a time: a try that hangs is the finding, and not to be piled up. */
  #try(address: ServerAddress): Promise<void> {
    const running = this.#trying.get(address);
    if (running !== undefined) return running;
    const { clock, isHeardAt } = this.#options;
    const one = isHeardAt(address).then((isHeard) => {
      this.#trying.delete(address);
      if (isHeard) {
        this.#heardAtMs.set(address, clock.nowMs());
        this.#silent.delete(address);
      } else {
        this.#heardAtMs.delete(address);
        this.#silent.add(address);
      }
    });
    this.#trying.set(address, one);
    return one;
  }
}
