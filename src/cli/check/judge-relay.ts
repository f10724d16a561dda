import type { StationConfig } from '../../config/index.ts';
import { safeMountOf } from '../../domain/ids.ts';
import { printable } from '../../icecast/text.ts';
import { loopbackOf, netInOneLine } from '../net-blocks.ts';
import { fallbackChain, type PlannedNet, planNets, withoutNet } from '../net-plan.ts';
import type { MountFacts, ServerFacts } from './facts.ts';
import type { FindingList } from './findings.ts';
import type { IcecastConfig } from './icecast-xml.ts';
import type { AnsweringServer } from './judge.ts';

/** What the facts on one server mean for the public mounts of relay mode. */
export function judgeRelay(
  found: FindingList,
  station: StationConfig,
  facts: AnsweringServer,
  isXmlRead: boolean,
): void {
  const byMount = new Map<string, MountFacts>(facts.mounts.map((one) => [one.mount, one]));
  for (const planned of planNets(station, typesOf(facts))) {
    const { mount } = planned;
    if (!byMount.has(mount)) {
      // Where icecast.xml was read, what it has for the mount is known.
      if (isXmlRead) continue;
      found.add(
        'note',
        mount,
        'is not there; the agent feeds it as soon as it runs',
        `give it a net for when the agent is gone, if icecast.xml has none yet: ${netOf(planned, facts.server.url)}`,
      );
      continue;
    }
    const chain = fallbackChain(mount, (at) => byMount.get(at)?.fallback);
    judgeChain(found, station, planned, chain, facts.server.url, (at) => byMount.has(at));
  }
}

/** The public mounts that the server doesn't show, as their agent is not there: what icecast.xml has for them. */
export function judgeRelayXml(
  found: FindingList,
  station: StationConfig,
  facts: ServerFacts,
  xml: IcecastConfig,
): void {
  const shown = facts.answers ? facts.mounts.map(({ mount }): string => mount) : [];
  const relayed = xml.relays.map(({ localMount }) => localMount);
  for (const planned of planNets(station, typesOf(facts))) {
    const { mount } = planned;
    if (shown.includes(mount)) continue;
    const settings = (at: string) => xml.mounts.find((one) => one.mount === at);
    const chain = fallbackChain(mount, (at) => settings(at)?.fallback);
    const isThere = (at: string) => shown.includes(at) || relayed.includes(at);
    judgeChain(found, station, planned, chain, facts.server.url, isThere);
    const [first] = chain;
    if (first === safeMountOf(mount) && !isThere(first))
      found.add(
        'warning',
        mount,
        `falls back on ${first}, which no <relay> feeds`,
        netOf(planned, facts.server.url),
      );
    if (first !== undefined && settings(mount)?.fallbackOverride !== true)
      found.add(
        'warning',
        mount,
        'has no fallback-override: its listeners stay where they were carried when the agent is back',
        'write <fallback-override>1</fallback-override> into its <mount>',
      );
  }
}

const typesOf = (facts: ServerFacts): ReadonlyMap<string, string> =>
  new Map(facts.answers ? facts.mounts.map(({ mount, contentType }) => [mount, contentType]) : []);

function netOf(planned: PlannedNet, url: string): string {
  const { mount, source } = planned;
  if (source === null) return withoutNet(planned);
  return `${netInOneLine({ mount, source, ...loopbackOf(url) })}; \`sustain icecast-config\` writes them`;
}

function judgeChain(
  found: FindingList,
  station: StationConfig,
  planned: PlannedNet,
  chain: readonly string[],
  url: string,
  isThere: (mount: string) => boolean,
): void {
  const { mount } = planned;
  const [first] = chain;
  const source = chain.find((at) => station.sources.some((one) => one.mount === at));
  if (first === undefined) {
    found.add(
      'warning',
      mount,
      'has no fallback mount: when the agent dies, its listeners are thrown off',
      `write into icecast.xml ${netOf(planned, url)}`,
    );
  } else if (source !== undefined) {
    const by =
      source === first
        ? ' itself'
        : ` in the end, by ${chain
            .slice(0, chain.indexOf(source))
            .map((at) => printable(at, 80))
            .join(' and ')}`;
    found.add(
      'fault',
      mount,
      `falls back on ${printable(source, 80)}${by}: Icecast would carry the agent's own monitor to the agent's own output, and the station would hear itself`,
      `fall back on an on-demand relay of it instead: ${netOf(planned, url)}`,
    );
  } else if (first !== safeMountOf(mount) && !isThere(first)) {
    found.add(
      'warning',
      mount,
      `falls back on ${printable(first, 80)}, which is not there: when the agent dies, its listeners are thrown off`,
      `write into icecast.xml ${netOf(planned, url)}`,
    );
  }
}
