import { safeMountOf } from '../domain/ids.ts';

/** A block that icecast.xml needs, and why. */
export interface IcecastBlock {
  readonly about: string;
  readonly because: string;
  readonly xml: string;
}

/** The net under a public mount: what icecast.xml needs so that listeners stay when the agent is gone. */
export interface Net extends Loopback {
  readonly mount: string;
  /** The source that is carried on with. */
  readonly source: string;
}

/** Where the server reaches itself, without TLS. */
export interface Loopback {
  readonly host: string;
  readonly port: number;
  /** The agents speak TLS to it, and nobody could say which port is without. */
  readonly isPortGuess: boolean;
}

const USUAL_PORT = 8000;
export const PORT_GUESS = `${USUAL_PORT} stands for the port of a <listen-socket> without TLS: Icecast relays nothing over TLS`;

/** A server reaches itself by loopback, whatever the agents call it. `ports`: those without TLS, where they are known. */
export function loopbackOf(url: string, ports: readonly number[] = []): Loopback {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.startsWith('127.') ? hostname : '127.0.0.1';
  if (protocol !== 'https:') return { host, port: port === '' ? 80 : Number(port), isPortGuess: false };
  const [plain] = ports.filter((one) => one !== Number(port === '' ? 443 : port));
  return { host, port: plain ?? USUAL_PORT, isPortGuess: plain === undefined };
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

/** Both blocks with their reasons; the source is taken for MP3 where `isGuess`. */
export function netBlocks(net: Net, { isGuess = false } = {}): readonly IcecastBlock[] {
  const { mount, source, isPortGuess } = net;
  const port = isPortGuess ? `. ${PORT_GUESS}` : '';
  const safe = safeMountOf(mount);
  const guess = isGuess ? `. The server could not be asked: ${source} is taken for MP3` : '';
  return [
    {
      about: mount,
      because: `when the agent is gone, Icecast carries the listeners of ${mount} to ${safe}, and back when it returns`,
      xml: mountBlock(net),
    },
    {
      about: safe,
      because: `a relay of ${source} on the server itself, which costs nothing until it is needed. ${source} itself as the fallback would make the station hear itself${guess}${port}`,
      xml: relayBlock(net),
    },
  ];
}

/** What is to be copied into the icecast.xml of a server: a head that says how, and parts. */
export function blocksForServer(server: string, parts: readonly string[]): string {
  const head = `For the icecast.xml of ${server}: each block replaces the one of the same name in it, or is added before
     </icecast>; \`sustain icecast-config\` can write the nets of relay mode into it by itself. Then: systemctl reload icecast2`;
  return [remark(head), ...parts].join('\n\n');
}

/** Two hyphens end a comment of XML, or spoil it. */
export const remark = (text: string): string => `<!-- ${text.replaceAll('--', '- -')}. -->`;

/** One block under its reason. */
export const explained = ({ because, xml }: IcecastBlock): string => `${remark(because)}\n${xml}`;

/** Both blocks, each in one line, for a sentence. */
export function netInOneLine(net: Net): string {
  const line = (block: string) => block.replaceAll(/\n\s*/g, '');
  return `${line(mountBlock(net))} and ${line(relayBlock(net))}${net.isPortGuess ? ` (${PORT_GUESS})` : ''}`;
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
