/** What the rig's Icecast is told; everything else is as Debian ships it. */
export interface IcecastLayout {
  readonly host: string;
  /** A second address, at the same port. */
  readonly host6?: string;
  readonly port: number;
  readonly sourcePassword: string;
  readonly adminUser: string;
  readonly adminPassword: string;
  readonly limits: IcecastLimits;
  readonly mounts: readonly IcecastMount[];
  readonly relays: readonly IcecastRelay[];
  /** Where file fallbacks are looked for; Debian's own by default. */
  readonly webroot?: string;
}

export interface IcecastLimits {
  readonly clients?: number;
  readonly sources?: number;
  readonly queueSizeBytes?: number;
  readonly burstSizeBytes?: number;
  readonly clientTimeoutSeconds?: number;
  readonly headerTimeoutSeconds?: number;
  readonly sourceTimeoutSeconds?: number;
}

export interface IcecastMount {
  readonly mount: string;
  readonly password?: string;
  readonly fallbackMount?: string;
  readonly fallbackOverride?: boolean;
  readonly fallbackWhenFull?: boolean;
  readonly maxListeners?: number;
  readonly burstSizeBytes?: number;
  readonly hidden?: boolean;
  readonly charset?: string;
}

export interface IcecastRelay {
  readonly host: string;
  readonly port: number;
  readonly mount: string;
  readonly localMount: string;
  readonly onDemand: boolean;
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function tag(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return '';
  const text = typeof value === 'boolean' ? String(Number(value)) : escapeXml(String(value));
  return `<${name}>${text}</${name}>`;
}

function mountXml(mount: IcecastMount): string {
  const inside = [
    tag('mount-name', mount.mount),
    tag('password', mount.password),
    tag('max-listeners', mount.maxListeners),
    tag('burst-size', mount.burstSizeBytes),
    tag('fallback-mount', mount.fallbackMount),
    tag('fallback-override', mount.fallbackOverride),
    tag('fallback-when-full', mount.fallbackWhenFull),
    tag('charset', mount.charset),
    tag('hidden', mount.hidden),
  ];
  return `<mount type="normal">${inside.join('')}</mount>`;
}

function socketXml(host: string, port: number): string {
  return `<listen-socket>${tag('port', port)}${tag('bind-address', host)}</listen-socket>`;
}

function relayXml(relay: IcecastRelay): string {
  const inside = [
    tag('server', relay.host),
    tag('port', relay.port),
    tag('mount', relay.mount),
    tag('local-mount', relay.localMount),
    tag('on-demand', relay.onDemand),
  ];
  return `<relay>${inside.join('')}</relay>`;
}

function limitsXml(limits: IcecastLimits): string {
  const inside = [
    tag('clients', limits.clients ?? 100),
    tag('sources', limits.sources ?? 8),
    tag('queue-size', limits.queueSizeBytes ?? 524_288),
    tag('client-timeout', limits.clientTimeoutSeconds ?? 30),
    tag('header-timeout', limits.headerTimeoutSeconds ?? 15),
    tag('source-timeout', limits.sourceTimeoutSeconds ?? 10),
    tag('burst-on-connect', true),
    tag('burst-size', limits.burstSizeBytes ?? 65_535),
  ];
  return `<limits>${inside.join('')}</limits>`;
}

export function icecastXml(layout: IcecastLayout, logDirectory: string): string {
  return `<?xml version="1.0"?>
<icecast>
  <location>rig</location><admin>rig@localhost</admin><hostname>${escapeXml(layout.host)}</hostname>
  ${limitsXml(layout.limits)}
  <authentication>
    ${tag('source-password', layout.sourcePassword)}
    ${tag('admin-user', layout.adminUser)}${tag('admin-password', layout.adminPassword)}
  </authentication>
  ${[layout.host, ...(layout.host6 === undefined ? [] : [layout.host6])].map((host) => socketXml(host, layout.port)).join('')}
  ${layout.mounts.map(mountXml).join('\n  ')}
  ${layout.relays.map(relayXml).join('\n  ')}
  <fileserve>1</fileserve>
  <paths>
    <basedir>/usr/share/icecast2</basedir>${tag('logdir', logDirectory)}
    ${tag('webroot', layout.webroot ?? '/usr/share/icecast2/web')}<adminroot>/usr/share/icecast2/admin</adminroot>
    <alias source="/" destination="/status.xsl"/>
  </paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>3</loglevel></logging>
  <security><chroot>0</chroot></security>
</icecast>
`;
}
