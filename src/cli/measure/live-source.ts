import { type ByteSource, UnreadableSound } from '../../audio/byte-source.ts';
import { demuxerFor } from '../../audio/decode-command.ts';
import type { Container } from '../../audio/decode-stream.ts';
import { SNIFF_BYTES, sniffContainer } from '../../audio/sniff.ts';
import { mount } from '../../domain/ids.ts';
import { type Credentials, parseServerUrl, type ServerAddress } from '../../icecast/address.ts';
import { createIcyReader, type IcyReader } from '../../icecast/icy.ts';
import {
  openStream,
  type StreamConnection,
  type StreamHead,
  type StreamLimits,
} from '../../icecast/stream-client.ts';
import { PLAIN_USER_AGENT } from '../../icecast/user-agent.ts';
import type { Cancel, Clock } from '../../platform/clock.ts';

/** The server puts its titles elsewhere than it says: to be asked again, without them. */
export class TitlesLied extends UnreadableSound {}

/** Where a live mount is. */
export interface LiveAddress {
  readonly server: ServerAddress;
  readonly path: string;
  readonly credentials: Credentials | null;
  /** The address as it may be shown: without a password. */
  readonly shown: string;
}

export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** @throws UnreadableSound */
export function parseLiveUrl(text: string): LiveAddress {
  if (!URL.canParse(text)) throw new UnreadableSound(`${withoutPassword(text)} is no valid address`);
  const url = new URL(text);
  const credentials = { user: decoded(url.username), password: decoded(url.password) };
  url.username = '';
  url.password = '';
  const server = parseServerUrl(url.href);
  if (server === null) throw new UnreadableSound(`${url.href} is no http or https address`);
  if (url.search !== '')
    throw new UnreadableSound(
      `${url.origin}${url.pathname}: an address with a question mark cannot be asked for yet`,
    );
  return {
    server,
    path: decoded(url.pathname),
    credentials: credentials.user === '' && credentials.password === '' ? null : credentials,
    shown: `${server.tls ? 'https' : 'http'}://${url.host}${url.pathname}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const withoutPassword = (text: string): string => text.replace(/\/\/[^/@]*@/, '//');

/** A file on a web server comes as fast as the line allows; more than this at once isn't kept in memory. */
const LIMITS: Partial<StreamLimits> = { burstBytes: 16 * 1024 * 1024, maxRedirects: 5 };
const STALLED_AFTER_MS = 10_000;

export interface LiveOptions {
  readonly clock: Clock;
  readonly address: LiveAddress;
  /** Ask for titles between the sound, as the agent does and players do. */
  readonly titles: boolean;
  readonly interrupted: AbortSignal;
}

/** Connects, and resolves when it is known what the sound is. @throws UnreadableSound, TitlesLied */
export function openLive(options: LiveOptions): Promise<ByteSource> {
  return new Promise((resolve, reject) => {
    const stream: LiveStream = new LiveStream(options, {
      ready: (container) =>
        resolve({
          container,
          totalBytes: null,
          chunks: () => stream.chunks(),
          close: async () => stream.close(),
        }),
      refused: reject,
    });
  });
}

interface Outcome {
  ready(container: Container): void;
  refused(because: UnreadableSound): void;
}

class LiveStream {
  readonly #options: LiveOptions;
  readonly #outcome: Outcome;
  readonly #connection: StreamConnection;
  #icy: IcyReader | null = null;
  #contentType = '';
  /** Of a file on a web server; a live stream has no length. */
  #bytesToCome: number | null = null;
  #isReady = false;
  #waiting: Buffer[] = [];
  #failure: UnreadableSound | null = null;
  #isOver = false;
  #wake: () => void = () => {};
  #cancelStall: Cancel = () => {};

  constructor(options: LiveOptions, outcome: Outcome) {
    this.#options = options;
    this.#outcome = outcome;
    this.#connection = this.#connect();
    options.interrupted.addEventListener('abort', () => this.#fail('stopped'), { once: true });
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    for (;;) {
      for (const chunk of this.#waiting.splice(0)) yield chunk;
      if (this.#waiting.length > 0) continue;
      if (this.#failure !== null) throw this.#failure;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#isOver = true;
    this.#cancelStall();
    this.#icy?.destroy();
    this.#connection.destroy();
    this.#wake();
  }

  #connect(): StreamConnection {
    const { clock, address, titles } = this.#options;
    const { server, path, credentials } = address;
    return openStream(
      clock,
      {
        server,
        mount: mount(path),
        userAgent: `${PLAIN_USER_AGENT} (measure)`,
        icyMetadata: titles,
        limits: LIMITS,
        ...(credentials === null ? {} : { credentials }),
      },
      {
        opened: (head) => this.#opened(head),
        bytes: (chunk) => {
          if (this.#bytesToCome !== null) this.#bytesToCome -= chunk.length;
          if (this.#icy === null) this.#sound(chunk);
          else this.#icy.push(chunk);
        },
        failed: (failure, detail) => {
          if (failure === 'closed' && this.#bytesToCome !== null && this.#bytesToCome <= 0) this.close();
          else this.#fail(detail);
        },
      },
    );
  }

  #opened(head: StreamHead): void {
    this.#contentType = head.contentType;
    const length = head.headers.get('content-length') ?? '';
    if (/^\d{1,15}$/.test(length)) this.#bytesToCome = Number(length);
    if (head.icyMetaint !== null && head.icyMetaint > 0) {
      this.#icy = createIcyReader(head.icyMetaint, {
        audio: (chunk) => this.#sound(chunk),
        metadata: () => {},
        // What was sound in the bytes so far, and what a title, nobody knows.
        lied: (detail) => this.#end(new TitlesLied(`${this.#options.address.shown}: ${detail}`)),
      });
    }
    this.#expectMore();
  }

  #sound(chunk: Buffer): void {
    if (this.#isOver || chunk.length === 0) return;
    this.#waiting.push(chunk);
    this.#expectMore();
    if (!this.#isReady) this.#recognise();
    this.#wake();
  }

  /** What the server says, as the agent takes it; where that is nothing known, what the bytes are. */
  #recognise(): void {
    const head = Buffer.concat(this.#waiting);
    const container = demuxerFor(this.#contentType) ?? sniffContainer(head);
    if (container !== null) {
      this.#isReady = true;
      this.#outcome.ready(container);
    } else if (head.length >= SNIFF_BYTES) {
      this.#fail(`"${this.#contentType}" is no kind of sound that is known here`);
    }
  }

  #expectMore(): void {
    this.#cancelStall();
    const because = `the stream brought nothing for ${STALLED_AFTER_MS / 1000} s`;
    this.#cancelStall = this.#options.clock.after(STALLED_AFTER_MS, () => this.#fail(because));
  }

  #fail(because: string): void {
    this.#end(new UnreadableSound(`${this.#options.address.shown}: ${because}`));
  }

  #end(because: UnreadableSound): void {
    if (this.#isOver) return;
    if (this.#isReady) this.#failure = because;
    else this.#outcome.refused(because);
    this.close();
  }
}
