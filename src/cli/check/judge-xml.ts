import type { Config } from '../../config/index.ts';
import { printable } from '../../icecast/text.ts';
import type { ServerFacts, Wanted } from './facts.ts';
import { type Finding, FindingList } from './findings.ts';
import { type IcecastConfig, settingsOf } from './icecast-xml.ts';
import { judgeRelayXml } from './judge-relay.ts';

/** Icecast notices a stalled encoder this late at the latest, in seconds. */
const LONGEST_SOURCE_TIMEOUT = 5;
/** Beside its monitors an agent has a presence and some admin calls open, and each of them twice while renewing. */
const CLIENTS_BESIDE_MONITORS = 6;

/** What `icecast.xml` has in store for a guard: things that the admin API doesn't show. */
export function judgeIcecastXml(
  config: Config,
  wanted: readonly Wanted[],
  facts: ServerFacts,
  xml: IcecastConfig,
): readonly Finding[] {
  const found = new FindingList(facts.server.name);
  judgePort(found, facts, xml);
  judgeSources(found, config, wanted, facts, xml);
  judgeClients(found, config, wanted, facts, xml);
  judgeTimeout(found, xml);
  for (const { mount } of wanted) judgeMountBlock(found, mount, xml);
  for (const station of config.stations) judgeRelayXml(found, station, facts, xml);
  if (xml.hasExamplePassword) {
    found.add('warning', 'icecast.xml', 'has the password of the example file', 'set passwords of your own');
  }
  return found.all;
}

function judgePort(found: FindingList, { server }: ServerFacts, xml: IcecastConfig): void {
  const { protocol, port } = new URL(server.url);
  const ours = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  if (xml.ports.length === 0 || xml.ports.includes(ours)) return;
  found.add(
    'note',
    'icecast.xml',
    `listens on port ${xml.ports.join(', ')} and not on ${ours}`,
    'check that it is the file of this server; behind a proxy or in a container that is as it should be',
  );
}

function judgeSources(
  found: FindingList,
  config: Config,
  wanted: readonly Wanted[],
  facts: ServerFacts,
  xml: IcecastConfig,
): void {
  const fed = config.stations.flatMap(({ serve }) => (serve.mode === 'relay' ? serve.outputs : []));
  const ours = new Set<string>([...wanted, ...fed].map(({ mount }) => mount));
  const foreign = facts.answers
    ? facts.mounts.map(({ mount }) => mount).filter((mount) => !ours.has(mount))
    : [];
  const others = new Set(
    [...foreign, ...xml.relays.map(({ localMount }) => localMount)].filter((mount) => !ours.has(mount)),
  );
  const needed = ours.size + others.size;
  if (xml.limits.sources >= needed) return;
  const beside = others.size === 0 ? '' : ` and ${others.size} beside them`;
  found.add(
    'fault',
    'icecast.xml',
    `allows ${xml.limits.sources} sources, but there are ${ours.size} mounts of the stations${beside}: the last encoder to come is refused`,
    `write <sources>${needed + 2}</sources> into <limits>`,
  );
}

function judgeClients(
  found: FindingList,
  config: Config,
  wanted: readonly Wanted[],
  facts: ServerFacts,
  xml: IcecastConfig,
): void {
  const { clients } = xml.limits;
  // Every agent listens to every mount here, and the encoders are clients of Icecast as well.
  const taken = config.servers.length * (wanted.length + CLIENTS_BESIDE_MONITORS) + wanted.length;
  const listeners = facts.answers ? facts.listeners : 0;
  const asked = `write at least <clients>${Math.max(100, taken + 2 * listeners)}</clients> into <limits>`;
  if (clients <= taken) {
    const says = `allows ${clients} clients, and encoders and agents alone need up to ${taken}: when they are used up the admin API locks everybody out`;
    found.add('fault', 'icecast.xml', says, asked);
  } else if (clients < taken + 2 * listeners) {
    const says = `allows ${clients} clients: after ${taken} for encoders and agents there is not twice the room that the ${listeners} listeners of now take`;
    found.add('warning', 'icecast.xml', says, asked);
  } else {
    const says = `allows ${clients} clients: room for ${clients - taken} listeners beside encoders and agents`;
    found.add('note', 'icecast.xml', says, 'nothing, if that is more than twice your best hour');
  }
}

function judgeTimeout(found: FindingList, xml: IcecastConfig): void {
  const { sourceTimeoutSeconds } = xml.limits;
  if (sourceTimeoutSeconds <= LONGEST_SOURCE_TIMEOUT) return;
  found.add(
    'warning',
    'icecast.xml',
    `keeps the mount of a stalled encoder for ${sourceTimeoutSeconds} s: until then a second encoder is refused`,
    `write <source-timeout>${LONGEST_SOURCE_TIMEOUT}</source-timeout> into <limits>`,
  );
}

function judgeMountBlock(found: FindingList, mount: string, xml: IcecastConfig): void {
  const settings = settingsOf(xml, mount);
  if (settings?.fallbackOverride === true) {
    found.add(
      'fault',
      mount,
      'has fallback-override: Icecast itself pulls the listeners back as soon as the encoder connects, silent or not, and our monitors with them',
      `write <fallback-override>0</fallback-override> into its <mount>: the agent brings listeners back when there is sound`,
    );
  }
  if (settings?.fallback === mount) {
    found.add('fault', mount, 'falls back on itself', 'name another mount in <fallback-mount>');
  }
  if (settings?.hasPassword !== true) {
    found.add(
      'warning',
      mount,
      'has no password of its own: whoever knows the common source password can move or throw off all listeners',
      'write a <password> into its <mount>',
    );
  }
}

/** How to see by hand what the API doesn't show, when there is no file to look at. */
export function howToCheckByHand(config: Config): Finding {
  const names = config.servers.map(({ name }) => name).join(', ');
  return {
    severity: 'note',
    server: null,
    about: 'icecast.xml',
    says: `the limits, fallback-override and mount passwords of ${printable(names, 120)} can't be seen over the admin API`,
    change:
      'run `sustain check --icecast-xml /etc/icecast2/icecast.xml` on each server; or look there for <sources> (as many as mounts), <fallback-override> (0 or absent on every mount of the stations) and <source-timeout> (5)',
  };
}
