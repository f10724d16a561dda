import type { Mount } from '../domain/ids.ts';
import type { Credentials, ServerAddress } from '../icecast/address.ts';
import { createAdminClient } from '../icecast/admin-client.ts';
import { openSource, type SourceConnection, type SourceFailure } from '../icecast/source-client.ts';
import { Backoff, type BackoffPolicy } from '../platform/backoff.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { CONTENT_TYPE_OF, needsHeaders, type OutputFormat } from './encode-command.ts';

/** What players and directories are told of a stream. */
export interface StreamWords {
  readonly name?: string;
  readonly description?: string;
  readonly genre?: string;
  readonly url?: string;
}

export interface PublisherOptions {
  readonly server: ServerAddress;
  readonly credentials: Credentials;
  readonly mount: Mount;
  readonly format: OutputFormat;
  readonly words: StreamWords;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A connection was accepted: an Ogg stream has to begin anew. */
  onReady(): void;
}

/** `no-sound`: the encoder gives nothing, and a mount that is held without sound would keep listeners on it. */
export type PublisherState =
  | { readonly is: 'connecting' }
  | { readonly is: 'no-sound' }
  | { readonly is: 'feeding'; readonly sinceMs: number }
  | { readonly is: 'failed'; readonly failure: SourceFailure; readonly detail: string };

/** Our own source client on one public mount: there whenever there is sound for it, whatever the server does. */
export interface Publisher {
  readonly state: PublisherState;
  readonly connections: number;
  write(sound: Uint8Array): void;
  /** What is heard now. Sent once, and again after a reconnect. */
  setTitle(title: string): void;
  stop(): void;
}

/** A local server is asked often, so that it is fed again as soon as it accepts. */
const BACKOFF: BackoffPolicy = { firstMs: 100, maxMs: 500 };
/** A password that is wrong stays wrong for longer. */
const UNAUTHORISED_BACKOFF: BackoffPolicy = { firstMs: 1_000, maxMs: 30_000 };
const GOOD_AFTER_MS = 5_000;
const TITLE_AGAIN_MS = 1_000;
/** A mount takes titles only when its first sound has arrived. */
const TITLE_AFTER_READY_MS = 300;
const MOST_UNSENT_SECONDS = 5;
/** An encoder that is replaced gives sound again sooner than this, also on a busy machine. */
const LET_GO_AFTER_MS = 5_000;
const WATCH_EVERY_MS = 500;

export function startPublisher(options: PublisherOptions): Publisher {
  return new SourcePublisher(options);
}

class SourcePublisher implements Publisher {
  readonly #options: PublisherOptions;
  readonly #backoff: Backoff;
  readonly #unauthorisedBackoff: Backoff;
  readonly #titles: Titles | null;
  #connection: SourceConnection | null = null;
  #state: PublisherState = { is: 'connecting' };
  #connections = 0;
  /** For how long nothing came from the encoder; a standstill of our own counts little. */
  #silentMs = 0;
  #watchedAtMs: number;
  #isAccepted = false;
  #isWaitingForSound = true;
  #cancelRetry: Cancel = () => {};
  readonly #cancelWatch: Cancel;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#backoff = new Backoff(BACKOFF, options.random);
    this.#unauthorisedBackoff = new Backoff(UNAUTHORISED_BACKOFF, options.random);
    // Ogg carries its titles in the stream; Icecast would have to cut into it.
    this.#titles = needsHeaders(options.format.codec) ? null : new Titles(options);
    this.#watchedAtMs = options.clock.nowMs();
    this.#cancelWatch = options.clock.every(WATCH_EVERY_MS, () => this.#watch());
  }

  get state(): PublisherState {
    return this.#state;
  }

  get connections(): number {
    return this.#connections;
  }

  write(sound: Uint8Array): void {
    if (sound.length === 0 || this.#stopped) return;
    this.#silentMs = 0;
    if (this.#isWaitingForSound) this.#connect();
    if (!this.#isAccepted) return;
    this.#connection?.write(sound);
    if (this.#state.is === 'feeding') return;
    const { mount, log, clock } = this.#options;
    this.#state = { is: 'feeding', sinceMs: clock.nowMs() };
    log.info({ mount, connections: this.#connections }, 'the public mount is fed');
  }

  setTitle(title: string): void {
    this.#titles?.want(title);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
    this.#cancelWatch();
    this.#titles?.stop();
    this.#connection?.destroy();
  }

  /** Without sound the mount is let go, so that Icecast's fallback has the listeners until there is some again. */
  #watch(): void {
    const { mount, log, clock } = this.#options;
    const nowMs = clock.nowMs();
    this.#silentMs += Math.min(nowMs - this.#watchedAtMs, 2 * WATCH_EVERY_MS);
    this.#watchedAtMs = nowMs;
    if (this.#state.is === 'no-sound' || this.#silentMs < LET_GO_AFTER_MS) return;
    this.#state = { is: 'no-sound' };
    this.#isWaitingForSound = true;
    this.#isAccepted = false;
    this.#cancelRetry();
    this.#connection?.destroy();
    this.#connection = null;
    this.#titles?.disconnected();
    log.error({ mount, forMs: LET_GO_AFTER_MS }, 'the encoder gives no sound; the public mount is let go');
  }

  #connect(): void {
    const { clock, server, mount, credentials, format, words } = this.#options;
    this.#isWaitingForSound = false;
    this.#connection = openSource(
      clock,
      {
        server,
        mount,
        credentials,
        contentType: CONTENT_TYPE_OF[format.codec],
        headers: headersOf(format, words),
        maxUnsentBytes: MOST_UNSENT_SECONDS * format.bitrateKbps * 125,
      },
      {
        ready: () => this.#ready(),
        failed: (failure, detail) => this.#failed(failure, detail),
      },
    );
  }

  #ready(): void {
    this.#isAccepted = true;
    this.#connections += 1;
    this.#options.onReady();
    this.#titles?.connected();
  }

  #failed(failure: SourceFailure, detail: string): void {
    const { mount, log, clock } = this.#options;
    const before = this.#state;
    if (before.is === 'feeding' && clock.nowMs() - before.sinceMs >= GOOD_AFTER_MS) this.#backoff.succeeded();
    const isNews = before.is !== 'failed' || before.failure !== failure;
    this.#state = { is: 'failed', failure, detail };
    this.#isAccepted = false;
    this.#titles?.disconnected();
    const retryMs = (failure === 'unauthorised' ? this.#unauthorisedBackoff : this.#backoff).nextMs();
    if (isNews) log.warn({ mount, failure, detail }, 'the public mount is not fed; trying again');
    if (!this.#stopped) this.#cancelRetry = clock.after(retryMs, () => this.#connect());
  }
}

function headersOf(format: OutputFormat, words: StreamWords): Record<string, string> {
  const { bitrateKbps, sampleRateHz, channels } = format;
  return {
    'Ice-Public': '0',
    'Ice-Bitrate': String(bitrateKbps),
    // Without the bitrate, which Icecast would tell listeners twice.
    'Ice-Audio-Info': `ice-samplerate=${sampleRateHz};ice-channels=${channels}`,
    ...(words.name === undefined ? {} : { 'Ice-Name': words.name }),
    ...(words.description === undefined ? {} : { 'Ice-Description': words.description }),
    ...(words.genre === undefined ? {} : { 'Ice-Genre': words.genre }),
    ...(words.url === undefined ? {} : { 'Ice-URL': words.url }),
  };
}

/** Brings the wanted title to Icecast: once, in order, and again until the server has it. */
class Titles {
  readonly #options: PublisherOptions;
  readonly #admin;
  #wanted: string | null = null;
  #sent: string | null = null;
  #busy = false;
  #isConnected = false;
  #cancelRetry: Cancel = () => {};

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { clock, server, credentials } = options;
    this.#admin = createAdminClient({ clock, server, credentials });
  }

  want(title: string): void {
    this.#wanted = title;
    void this.#send();
  }

  connected(): void {
    this.#sent = null;
    this.#cancelRetry = this.#options.clock.after(TITLE_AFTER_READY_MS, () => {
      this.#isConnected = true;
      void this.#send();
    });
  }

  disconnected(): void {
    this.#isConnected = false;
    this.#cancelRetry();
  }

  stop(): void {
    this.disconnected();
  }

  async #send(): Promise<void> {
    const title = this.#wanted;
    if (!this.#isConnected || this.#busy || title === null || title === this.#sent) return;
    this.#busy = true;
    const answer = await this.#admin.setTitle(this.#options.mount, title);
    this.#busy = false;
    if (answer.ok && answer.value.accepted) this.#sent = title;
    if (!this.#isConnected) return;
    if (title !== this.#wanted) void this.#send();
    else if (this.#sent !== title) {
      this.#cancelRetry();
      this.#cancelRetry = this.#options.clock.after(TITLE_AGAIN_MS, () => void this.#send());
    }
  }
}
