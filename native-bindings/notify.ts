import { loadNative } from './index.ts';

interface NotifyFunctions {
  sendDatagram(path: string, text: string): number;
}

function hasNotify(value: object): value is NotifyFunctions {
  return 'sendDatagram' in value;
}

let loaded: NotifyFunctions | undefined;

/**
 * Sends one datagram to a Unix socket, without waiting; a path that begins with @ is an abstract name. Node has no
 * datagrams on Unix sockets. Gives 0, or the errno of what went wrong.
 * @throws NativeLoadError
 */
export function sendDatagram(path: string, text: string): number {
  if (loaded === undefined) {
    const classes: object = loadNative();
    if (!hasNotify(classes)) throw new Error('the native addon is from another version: run npm rebuild');
    loaded = classes;
  }
  return loaded.sendDatagram(path, text);
}
