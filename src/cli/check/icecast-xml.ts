import { child, children, countOf, parseIcecastXml, textOf, type XmlElement } from '../../icecast/xml.ts';

/** The parts of `icecast.xml` that matter to a guard. No password is kept, only whether there is one. */
export interface IcecastConfig {
  readonly limits: {
    readonly clients: number;
    readonly sources: number;
    readonly sourceTimeoutSeconds: number;
  };
  readonly ports: readonly number[];
  readonly hasExamplePassword: boolean;
  readonly mounts: readonly MountConfig[];
  readonly relays: readonly RelayConfig[];
}

export interface MountConfig {
  /** Null: the settings for mounts that have no block of their own. */
  readonly mount: string | null;
  readonly hasPassword: boolean;
  readonly fallback: string | null;
  readonly fallbackOverride: boolean;
  readonly maxListeners: number | null;
}

export interface RelayConfig {
  readonly localMount: string;
  readonly onDemand: boolean;
}

/** What Icecast 2.4 takes for what isn't written. */
const DEFAULT_LIMITS = { clients: 256, sources: 16, sourceTimeoutSeconds: 10 };
/** The passwords of the example file that comes with Icecast. */
const EXAMPLE_PASSWORD = 'hackme';

/** Null for text that is no `icecast.xml`. */
export function readIcecastXml(text: string): IcecastConfig | null {
  const document = parseIcecastXml(text);
  const root = document === null ? null : child(document, 'icecast');
  if (root === null) return null;
  const limits = child(root, 'limits') ?? {};
  const authentication = child(root, 'authentication') ?? {};
  const passwords = ['source-password', 'relay-password', 'admin-password'];
  return {
    limits: {
      clients: countOf(limits, 'clients') ?? DEFAULT_LIMITS.clients,
      sources: countOf(limits, 'sources') ?? DEFAULT_LIMITS.sources,
      sourceTimeoutSeconds: countOf(limits, 'source-timeout') ?? DEFAULT_LIMITS.sourceTimeoutSeconds,
    },
    ports: portsIn(root),
    hasExamplePassword: passwords.some((name) => textOf(authentication, name)?.trim() === EXAMPLE_PASSWORD),
    mounts: children(root, 'mount').map(mountIn),
    relays: children(root, 'relay').flatMap(relayIn),
  };
}

/** Old files have one `<port>` at the top, newer ones a `<listen-socket>` for each. */
function portsIn(root: XmlElement): readonly number[] {
  const ports = [root, ...children(root, 'listen-socket')].map((element) => countOf(element, 'port'));
  return ports.filter((port) => port !== null);
}

function mountIn(element: XmlElement): MountConfig {
  const isDefault = textOf(element, '@type') === 'default';
  const fallback = textOf(element, 'fallback-mount')?.trim() ?? '';
  return {
    mount: isDefault ? null : (textOf(element, 'mount-name')?.trim() ?? ''),
    hasPassword: (textOf(element, 'password') ?? '') !== '',
    fallback: fallback === '' ? null : fallback,
    fallbackOverride: isOn(textOf(element, 'fallback-override')),
    maxListeners: countOf(element, 'max-listeners'),
  };
}

/** Icecast 2.4 wants a number, 2.5 also knows words (`all`, `own`). */
function isOn(text: string | null): boolean {
  return !['', '0', 'no', 'none', 'false', 'off'].includes(text?.trim().toLowerCase() ?? '');
}

function relayIn(element: XmlElement): RelayConfig[] {
  const localMount = textOf(element, 'local-mount') ?? textOf(element, 'mount');
  return localMount === null
    ? []
    : [{ localMount: localMount.trim(), onDemand: isOn(textOf(element, 'on-demand')) }];
}

/** The block that counts for a mount: its own, or the one for all that have none. */
export function settingsOf(config: IcecastConfig, mount: string): MountConfig | null {
  const own = config.mounts.find((one) => one.mount === mount);
  return own ?? config.mounts.find((one) => one.mount === null) ?? null;
}
