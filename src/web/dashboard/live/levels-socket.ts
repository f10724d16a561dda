import { decodeFrame, type LevelsFrame, type LevelsHello } from '../../levels/frame.ts';
import { decodeProcessing, type ProcessingFrame } from '../../levels/processing-frame.ts';

export interface LevelsHandlers {
  hello(hello: LevelsHello): void;
  frame(frame: LevelsFrame): void;
  processed(frame: ProcessingFrame): void;
  /** No frames come until the next hello. */
  lost(): void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;
/** A connection that brings nothing for this long is dead, whatever the browser thinks of it. */
const QUIET_MS = 3_000;

/** Keeps the WebSocket of one station's meters open for ever; returns what ends it. */
export function watchLevels(station: string, handlers: LevelsHandlers): () => void {
  const query = new URLSearchParams({ station });
  let socket: WebSocket | null = null;
  let retryMs = FIRST_RETRY_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;

  const again = () => {
    clearTimeout(timer);
    if (socket !== null) {
      socket.onclose = null;
      socket.close();
      socket = null;
      handlers.lost();
    }
    if (ended) return;
    // Not all pages of a studio at the same moment.
    timer = setTimeout(connect, retryMs * (0.75 + Math.random() / 2));
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
  };
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(again, QUIET_MS);
  };
  function connect() {
    const opened = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/levels?${query}`);
    opened.binaryType = 'arraybuffer';
    opened.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      alive();
      if (typeof data === 'string') {
        retryMs = FIRST_RETRY_MS;
        handlers.hello(JSON.parse(data) as LevelsHello);
        return;
      }
      const frame = decodeFrame(data);
      if (frame !== null) handlers.frame(frame);
      const processed = decodeProcessing(data);
      if (processed !== null) handlers.processed(processed);
    };
    opened.onclose = again;
    socket = opened;
    alive();
  }

  connect();
  return () => {
    ended = true;
    again();
  };
}
