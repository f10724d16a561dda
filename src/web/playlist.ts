/** One server on which a station is heard, as a player is told of it. */
export interface PlaylistEntry {
  /** `http://stream.example:8000/stream` */
  readonly url: string;
  readonly title: string;
}

/** Players that read lists try the entries in order, so the server that is well stands first. */
export function m3u(entries: readonly PlaylistEntry[]): string {
  const lines = entries.flatMap(({ url, title }) => [`#EXTINF:-1,${oneLine(title)}`, url]);
  return `${['#EXTM3U', ...lines].join('\r\n')}\r\n`;
}

export function pls(entries: readonly PlaylistEntry[]): string {
  const lines = entries.flatMap(({ url, title }, index) => [
    `File${index + 1}=${url}`,
    `Title${index + 1}=${oneLine(title)}`,
    `Length${index + 1}=-1`,
  ]);
  return `${['[playlist]', `NumberOfEntries=${entries.length}`, ...lines, 'Version=2'].join('\r\n')}\r\n`;
}

/** A title must not become a line, and so an entry, of its own. */
function oneLine(text: string): string {
  return [...text]
    .map((char) => (char < ' ' || char === '\u007f' ? ' ' : char))
    .join('')
    .trim();
}
