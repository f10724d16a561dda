import { tryNats } from '../../cluster/index.ts';
import type { Config, DnsConfig } from '../../config/index.ts';
import {
  authorityText,
  changesFor,
  createProvider,
  type DnsFailure,
  type DnsProvider,
  lookAt,
  markName,
  recordIn,
  type ZoneState,
} from '../../dns/index.ts';
import { hostAndPort } from '../../icecast/address.ts';
import { probeMount } from '../../listen/probe.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import {
  namesOf,
  otherAddressesOf,
  providerSettings,
  publicAddressOf,
} from '../../wiring/failover-settings.ts';
import { publishedIn } from '../../wiring/zone.ts';
import { type Finding, FindingList } from './findings.ts';

export interface DnsCheckParts {
  readonly clock: Clock;
  readonly random: Random;
}

const WITHIN_MS = 5_000;
const PROBE_WITHIN_MS = 3_000;

/** What stands in the way of moving the name: the provider, our key's rights, its name servers, the public addresses, NATS. */
export async function judgeDns(config: Config, parts: DnsCheckParts): Promise<readonly Finding[]> {
  const { dns } = config;
  const found = new FindingList(null);
  const cluster = judgeCluster(config, found);
  if (dns !== null) {
    const provider = createProvider(providerSettings(dns), parts.clock);
    const standing = await judgeProvider(config, dns, provider, found);
    await Promise.all([
      judgeAuthorities(dns, standing, found),
      judgePublicAddresses(config, dns, parts, found),
    ]);
  }
  await cluster;
  return found.all;
}

async function judgeProvider(
  config: Config,
  dns: DnsConfig,
  provider: DnsProvider,
  found: FindingList,
): Promise<ZoneState | null> {
  const read = await provider.read(AbortSignal.timeout(WITHIN_MS));
  if (!read.ok) {
    found.add('fault', `dns ${provider.name}`, read.failure.text, cureOf(read.failure));
    return null;
  }
  const { state } = read;
  const names = dns.names.join(', ');
  const published = publishedIn(namesOf(config, dns), state);
  if (published.is === 'foreign') {
    found.add(
      'warning',
      `dns ${provider.name}`,
      `${published.detail}: an agent moves nothing that somebody else has written`,
      'point the name at one of the servers by hand once, or correct publicAddress',
    );
  } else {
    const where = published.is === 'server' ? `points to ${published.server}` : whereNobody(state);
    const mark = state.mark === null ? '' : `, epoch ${state.mark.epoch} by ${state.mark.writer}`;
    found.add('note', `dns ${provider.name}`, `answers; ${names} ${where}${mark}`, 'nothing to do');
    if (published.is === 'server' && published.amiss !== null)
      found.add(
        'warning',
        `dns ${provider.name}`,
        `${published.amiss}: the agent writes it anew as soon as it hears ${published.server}`,
        'wait until resolvers have forgotten an answer with a longer TTL before you rely on a quick move',
      );
  }
  const right = await provider.mayWrite(AbortSignal.timeout(WITHIN_MS));
  if (right === null)
    found.add(
      'note',
      `dns ${provider.name}`,
      'whether it may write was not tried, as there is no way to without writing',
      'see with it yourself that it can change the name',
    );
  else if (!right.ok)
    found.add(
      'fault',
      `dns ${provider.name}`,
      `the key may not change ${names} and ${markName(dns.names[0] ?? '')}: ${right.failure.text}`,
      'give it the rights that docs/dns.md names, for these records only',
    );
  return state;
}

/** A name that points to no one server is written by the agents: to the first that they hear. */
function whereNobody({ records }: ZoneState): string {
  const addresses = [...new Set(records.flatMap((record) => record.addresses))];
  if (addresses.length === 0) return 'has no address yet';
  return `has the addresses of several servers (${addresses.join(', ')}): the agents make that the first of dns.prefer that they hear`;
}

function cureOf(failure: DnsFailure): string {
  switch (failure.is) {
    case 'wrong-key':
      return 'compare the key in the config with that of the provider';
    case 'not-found':
      return 'check dns.zone';
    case 'rate-limited':
      return 'wait, and ask less often from elsewhere';
    case 'unreachable':
    case 'timeout':
      return "check that the provider runs, its address in the config, and the firewall; an agent that can't reach it can't move the name";
    default:
      return 'see docs/dns.md for what the provider has to be like';
  }
}

async function judgeAuthorities(
  { authorities, zone, names }: DnsConfig,
  standing: ZoneState | null,
  found: FindingList,
): Promise<void> {
  await Promise.all(
    authorities.map(async (authority) => {
      const about = `name server ${authorityText(authority)}`;
      const seen = await lookAt(authority, zone, names, AbortSignal.timeout(WITHIN_MS));
      if (seen.is === 'foreign-mark') {
        found.add('fault', about, seen.reason, 'remove that record');
      } else if (seen.is !== 'seen') {
        found.add('fault', about, seen.reason, `check dns.authorities and that it serves ${zone}`);
      } else if (standing !== null) {
        const says = howBehind(standing, seen);
        const advice = 'see that changes reach it within seconds (NOTIFY, zone transfers)';
        if (says !== null) found.add('warning', about, `is behind the provider: ${says}`, advice);
      }
    }),
  );
}

/** What a name server answers otherwise than the provider; null when both have the same. */
export function howBehind(standing: ZoneState, seen: ZoneState): string | null {
  if (seen.mark?.epoch !== standing.mark?.epoch) {
    const other = seen.mark === null ? 'no epoch' : `epoch ${seen.mark.epoch}`;
    return `it has ${other}, and the provider ${standing.mark?.epoch ?? 'none'}`;
  }
  const [change] = [
    ...changesFor(standing.records, seen.records),
    ...changesFor(seen.records, standing.records),
  ];
  if (change === undefined) return null;
  const { name, type } = change;
  const answers = ({ records }: ZoneState) => {
    const record = recordIn(records, name, type);
    if (record === undefined || record.addresses.length === 0) return 'nothing';
    return `${record.addresses.join(', ')} for ${record.ttlSeconds} s`;
  };
  return `for ${name} ${type} it answers ${answers(seen)}, and the provider ${answers(standing)}`;
}

/** From here the server has to be heard where its listeners hear it; whether there is a mount is judged elsewhere. */
async function judgePublicAddresses(
  config: Config,
  dns: DnsConfig,
  { clock, random }: DnsCheckParts,
  found: FindingList,
): Promise<void> {
  const [station] = config.stations;
  const mount = station?.serve.outputs[0]?.mount ?? station?.sources[0]?.mount;
  if (mount === undefined) return;
  await Promise.all(
    config.servers.map(async (server) => {
      const judged = publicAddressOf(server, dns);
      if (judged === null || !dns.prefer.includes(server.name)) return;
      const others = [...otherAddressesOf(server, dns).values()];
      await Promise.all(
        [judged, ...others].map(async (address) => {
          const { self: agent } = config;
          const options = { clock, random, server: address, mount, agent, withinMs: PROBE_WITHIN_MS };
          const probe = await probeMount(options);
          if (probe.ok || probe.answered) return;
          const consequence =
            address === judged
              ? `this agent would find ${server.name} ill, whatever its listeners hear`
              : 'this agent would leave it out whenever it points the name there';
          found.add(
            'fault',
            `public address of ${server.name}`,
            `${hostAndPort(address)} is not reached from here (${probe.detail}): ${consequence}`,
            `check publicAddress, publicAddress6 and the firewall; where this network can't reach its own public addresses, write servers.${server.name}.publicUrl`,
          );
        }),
      );
    }),
  );
}

async function judgeCluster({ cluster }: Config, found: FindingList): Promise<void> {
  if (cluster === null) return;
  const tried = await Promise.all(
    cluster.urls.map(async (url) => ({ url, failure: await tryNats(url, cluster.login) })),
  );
  const gone = tried.filter(({ failure }) => failure !== null);
  const isLost = gone.length * 2 >= tried.length;
  for (const { url, failure } of gone) {
    found.add(
      isLost ? 'fault' : 'warning',
      `nats ${url}`,
      `can't be used: ${failure ?? ''}${isLost ? '; without most of them the name is never moved' : ''}`,
      'check that it runs with JetStream, its address, login and the firewall',
    );
  }
}
