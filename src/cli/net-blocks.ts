/** The net under a public mount: what icecast.xml needs so that listeners stay when the agent is gone. */
export interface Net {
  readonly mount: string;
  /** The source that is carried on with. */
  readonly source: string;
  /** Where the server reaches itself. */
  readonly host: string;
  readonly port: number;
}

export const safeMountOf = (mount: string): string => `${mount}-safe`;

/** A server reaches itself by loopback, whatever the agents call it. */
export function loopbackOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === 'https:' ? 443 : 80;
  return {
    host: hostname.startsWith('127.') ? hostname : '127.0.0.1',
    port: port === '' ? usual : Number(port),
  };
}

export function mountBlock({ mount }: Pick<Net, 'mount'>): string {
  return `<mount type="normal">
    <mount-name>${escaped(mount)}</mount-name>
    <fallback-mount>${escaped(safeMountOf(mount))}</fallback-mount>
    <fallback-override>1</fallback-override>
</mount>`;
}

export function relayBlock({ mount, source, host, port }: Net): string {
  return `<relay>
    <server>${escaped(host)}</server>
    <port>${port}</port>
    <mount>${escaped(source)}</mount>
    <local-mount>${escaped(safeMountOf(mount))}</local-mount>
    <on-demand>1</on-demand>
</relay>`;
}

/** Both blocks, each in one line, for a sentence. */
export function netInOneLine(net: Net): string {
  const line = (block: string) => block.replaceAll(/\n\s*/g, '');
  return `${line(mountBlock(net))} and ${line(relayBlock(net))}`;
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
