import type { Config } from '../config/index.ts';
import type { ServerName } from '../domain/ids.ts';
import type { Incident } from '../domain/incidents.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Chronicle } from './chronicle.ts';
import type { Colleagues } from './colleagues.ts';
import { nameMark, numberMark, readName, readNumber, sealOn } from './mark-seal.ts';

export interface SharedAcknowledgementsOptions {
  readonly config: Config;
  readonly chronicle: Chronicle;
  readonly colleagues: Colleagues;
  readonly clock: Clock;
}

type Acknowledged = Incident & { readonly acknowledged: NonNullable<Incident['acknowledged']> };

/** Seconds since 1970, the author's name, a seal. */
const FORM = /^a([0-9a-w]{1,9})x((?:[0-9a-f]{2}){1,24})x([0-9a-f]{12})$/;
const SEAL_LENGTH = 12;
const MOST_AUTHOR_BYTES = 24;
const MOST_SAID = 2;
const LOOK_EVERY_MS = 1_000;
/** One agent may find a trouble later than an operator has seen it on the other, and their clocks differ a little. */
const FOUND_LATER_MS = 60_000;

/**
 * Who looks after an incident says so to one agent; the others see it in that one's sign of life on a server, and take it
 * for their own incident of the same thread.
 */
export class SharedAcknowledgements {
  readonly #options: SharedAcknowledgementsOptions;
  readonly #cancel: Cancel;

  constructor(options: SharedAcknowledgementsOptions) {
    this.#options = options;
    this.#cancel = options.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  /** What our own sign of life on a server says, the newest first. */
  marksFor(server: ServerName): readonly string[] {
    return this.#options.chronicle.openIncidents
      .filter((incident): incident is Acknowledged => incident.acknowledged !== null)
      .sort((a, b) => b.acknowledged.unixMs - a.acknowledged.unixMs)
      .slice(0, MOST_SAID)
      .flatMap((incident) => {
        const { author, unixMs } = incident.acknowledged;
        const at = numberMark(Math.round(unixMs / 1000));
        const name = nameMark(author, MOST_AUTHOR_BYTES);
        const seal = this.#seal(server, incident, at, name);
        return seal === null ? [] : [`a${at}x${name}x${seal}`];
      });
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    for (const { agent, marks } of this.#options.colleagues.sights)
      for (const mark of marks) this.#take(agent, mark);
  }

  #take(agent: string, mark: string): void {
    const { chronicle, config } = this.#options;
    const [, at = '', name = '', seal = ''] = FORM.exec(mark) ?? [];
    if (seal === '') return;
    const atUnixMs = readNumber(at) * 1000;
    const incident = chronicle.openIncidents.find(
      (one) =>
        one.acknowledged === null &&
        // What was acknowledged long before this one began was another.
        atUnixMs >= one.openedUnixMs - FOUND_LATER_MS &&
        config.servers.some((server) => this.#seal(server.name, one, at, name) === seal),
    );
    if (incident !== undefined) chronicle.acknowledge(incident.id, readName(name), agent);
  }

  #seal(server: ServerName, { station, thread }: Incident, at: string, name: string): string | null {
    return sealOn(this.#options.config, server, ['acknowledged', station, thread, at, name], SEAL_LENGTH);
  }
}
