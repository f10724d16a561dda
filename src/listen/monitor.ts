import { type MonitorId, type Mount, monitorId, type ServerName } from '../domain/ids.ts';
import type { Link, LinkFailure } from '../domain/readings.ts';
import type { Credentials, ServerAddress } from '../icecast/address.ts';
import { createIcyReader, type IcyMetadata, type IcyReader } from '../icecast/icy.ts';
import { createOggTitleReader, type OggTitleReader } from '../icecast/ogg-titles.ts';
import {
  openStream,
  type StreamConnection,
  type StreamHead,
  type StreamLimits,
} from '../icecast/stream-client.ts';
import { userAgentOf } from '../icecast/user-agent.ts';
import { Backoff, type BackoffPolicy } from '../platform/backoff.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';

/** What a monitor tells its owner, who may call the monitor (stop it, even) from inside. */
export interface MonitorHandlers {
  link(link: Link): void;
  /** Sound only, titles taken out; `monitor` is the connection it came over. */
  bytes(chunk: Buffer, monitor: MonitorId): void;
  /** Text of strangers, cleaned for display. */
  title?(metadata: IcyMetadata, monitor: MonitorId): void;
}

export interface MonitorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly server: ServerAddress;
  readonly mount: Mount;
  /** The agent that listens, as it stands in the User-Agent. */
  readonly agent: ServerName;
  readonly handlers: MonitorHandlers;
  readonly credentials?: Credentials;
  readonly limits?: Partial<StreamLimits>;
  readonly backoff?: BackoffPolicy;
  /** Ask for titles; true unless told otherwise. */
  readonly titles?: boolean;
  /** False to begin without connecting, until `setWanted(true)`. */
  readonly wanted?: boolean;
  /** An open connection that brings nothing for this long is given up, for its peer may have vanished. In ms. */
  readonly giveUpAfterMs?: number;
  readonly log?: Logger;
}

/** What is known of the open connection; see `Pulse` of the domain. */
export interface MonitorPulse {
  readonly monitor: MonitorId;
  readonly openedAtMs: number;
  /** When the last body byte came, or when the connection opened if none has. */
  readonly lastByteAtMs: number;
}

export interface Monitor {
  readonly link: Link;
  /** Null while no connection is open. */
  pulse(): MonitorPulse | null;
  /** False: hang up and stay away (the mount is known to be absent). True: connect at once. */
  setWanted(wanted: boolean): void;
  /** Hang up and connect anew at once, under a new id. */
  reconnect(because: string): void;
  stop(): void;
}

export const MONITOR_BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 10_000 };
const GIVE_UP_AFTER_MS = 30_000;
const ID_BYTES = 8;
const OGG_TYPE = /^(application|audio|video)\/(ogg|opus|vorbis)\b/i;
/** A connection has worked when it has given sound for this long. */
const WORKED_AFTER_MS = 5_000;

/** Listens to one mount for ever, through every failure, until stopped. */
export function startMonitor(options: MonitorOptions): Monitor {
  return new IcecastMonitor(options);
}

class IcecastMonitor implements Monitor {
  readonly #options: MonitorOptions;
  readonly #backoff: Backoff;
  readonly #cancelWatch: Cancel;
  #wanted: boolean;
  #stopped = false;
  #titles: boolean;
  #link: Link = { is: 'waiting' };
  #connection: StreamConnection | null = null;
  #icy: IcyReader | null = null;
  #oggTitles: OggTitleReader | null = null;
  #cancelRetry: Cancel = () => {};

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? MONITOR_BACKOFF, options.random);
    this.#wanted = options.wanted ?? true;
    this.#titles = options.titles ?? true;
    this.#cancelWatch = options.clock.every(1_000, () => this.#watch());
    // The owner gets its monitor in hand before it hears from it.
    if (this.#wanted) this.#cancelRetry = options.clock.after(0, () => this.#connect());
  }

  get link(): Link {
    return this.#link;
  }

  pulse(): MonitorPulse | null {
    if (this.#link.is !== 'open' || this.#connection === null) return null;
    const openedAtMs = this.#link.sinceMs;
    const lastByteAtMs = Math.max(openedAtMs, this.#connection.lastByteAtMs ?? openedAtMs);
    return { monitor: this.#link.monitor, openedAtMs, lastByteAtMs };
  }

  setWanted(wanted: boolean): void {
    if (this.#stopped || wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) {
      this.#backoff.succeeded();
      this.#connect();
    } else {
      this.#hangUp();
      this.#setLink({ is: 'waiting' });
    }
  }

  reconnect(because: string): void {
    if (this.#stopped || !this.#wanted) return;
    this.#note(because, 'a monitor connects anew');
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWatch();
    this.#hangUp();
  }

  #connect(): void {
    this.#hangUp();
    const { clock, server, mount, agent, random, credentials, limits } = this.#options;
    const id = monitorId(random.token(ID_BYTES));
    this.#setLink({ is: 'connecting', sinceMs: clock.nowMs() });
    // The owner may have changed its mind when it heard that.
    if (this.#stopped || this.#link.is !== 'connecting') return;
    this.#connection = openStream(
      clock,
      {
        server,
        mount,
        userAgent: userAgentOf({ role: 'monitor', agent, id }),
        icyMetadata: this.#titles,
        ...(credentials === undefined ? {} : { credentials }),
        ...(limits === undefined ? {} : { limits }),
      },
      {
        opened: (head) => this.#opened(head, id),
        bytes: (chunk) => this.#bytes(chunk, id),
        failed: (failure, detail) => this.#failed(failure, detail),
      },
    );
  }

  #opened(head: StreamHead, id: MonitorId): void {
    if (head.icyMetaint !== null && head.icyMetaint > 0) {
      this.#icy = createIcyReader(head.icyMetaint, {
        audio: (chunk) => this.#options.handlers.bytes(chunk, id),
        metadata: (metadata) => this.#options.handlers.title?.(metadata, id),
        lied: (detail) => {
          this.#titles = false;
          this.#note(detail, 'a monitor connects anew without asking for titles');
          this.#connect();
        },
      });
    }
    // Ogg carries its titles in itself.
    if (this.#titles && OGG_TYPE.test(head.contentType)) {
      const { title } = this.#options.handlers;
      this.#oggTitles = createOggTitleReader((text) => title?.({ title: text, url: null }, id));
    }
    const sinceMs = this.#options.clock.nowMs();
    this.#setLink({
      is: 'open',
      sinceMs,
      monitor: id,
      contentType: head.contentType,
    });
  }

  #bytes(chunk: Buffer, id: MonitorId): void {
    if (this.#icy !== null) this.#icy.push(chunk);
    else {
      this.#oggTitles?.push(chunk);
      this.#options.handlers.bytes(chunk, id);
    }
  }

  #failed(failure: LinkFailure, detail: string): void {
    this.#hangUp();
    this.#cancelRetry = this.#options.clock.after(this.#backoff.nextMs(), () => this.#connect());
    this.#setLink({
      is: 'failed',
      sinceMs: this.#options.clock.nowMs(),
      failure,
      detail,
    });
  }

  #watch(): void {
    const pulse = this.pulse();
    if (pulse === null) return;
    if (pulse.lastByteAtMs - pulse.openedAtMs >= WORKED_AFTER_MS) this.#backoff.succeeded();
    const giveUpAfterMs = this.#options.giveUpAfterMs ?? GIVE_UP_AFTER_MS;
    if (this.#options.clock.nowMs() - pulse.lastByteAtMs >= giveUpAfterMs) {
      this.#failed('timed-out', `the stream brought nothing for ${giveUpAfterMs} ms`);
    }
  }

  #hangUp(): void {
    this.#cancelRetry();
    this.#icy?.destroy();
    this.#icy = null;
    this.#oggTitles = null;
    this.#connection?.destroy();
    this.#connection = null;
  }

  #note(because: string, message: string): void {
    this.#options.log?.info({ mount: this.#options.mount, because }, message);
  }

  #setLink(link: Link): void {
    this.#link = link;
    if (!this.#stopped) this.#options.handlers.link(link);
  }
}
