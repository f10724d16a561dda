import { isIPv6 } from 'node:net';
import { type Context, checkServerName, type Self } from './check-context.ts';
import { shown } from './problems.ts';
import { canonicalIp, nameFault } from './schema/leaves.ts';
import { isBranch, keysUnder, lengthUnder, textUnder, under } from './tree.ts';
import type { Tree } from './yaml.ts';

/** Whether secrets are needed is said by their stem: `apiKey` for `apiKeyFile` or `apiKeyEnv`. */
interface Needs {
  readonly needed: readonly string[];
  readonly taken: readonly string[];
}

const PROVIDERS: Readonly<Record<string, Needs>> = {
  powerdns: { needed: ['url', 'apiKey'], taken: [] },
  rfc2136: { needed: ['server', 'keyName', 'key'], taken: ['keyAlgorithm'] },
  cloudflare: { needed: ['apiKey'], taken: ['url', 'zoneId'] },
  route53: { needed: ['zoneId'], taken: ['url', 'accessKeyId', 'secretKey'] },
  command: { needed: ['command'], taken: ['key'] },
};

const SECRETS = ['apiKey', 'key', 'secretKey'];

const EXAMPLES: Readonly<Record<string, string>> = {
  url: 'url: "http://127.0.0.1:8081"',
  server: 'server: "192.0.2.53:53"',
  keyName: 'keyName: sustain',
  zoneId: 'zoneId: Z0123456789ABC',
  command: 'command: [/usr/local/bin/dns]',
};

/** What has to fit together for the name of the station. */
export function checkDns(context: Context): void {
  const { tree } = context;
  if (!isBranch(under(tree, 'dns'))) return;
  checkProvider(context);
  checkNamesInZone(context);
  checkPreferred(context);
  checkAddresses(context);
  checkTimes(context);
}

const keysOf = (stem: string): readonly string[] =>
  SECRETS.includes(stem) ? [`${stem}File`, `${stem}Env`] : [stem];

function checkProvider({ tree, fault }: Context): void {
  const provider = textUnder(tree, 'dns', 'provider') ?? '';
  const needs = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined;
  if (needs === undefined) return;
  const there = keysUnder(tree, 'dns');
  for (const stem of needs.needed) {
    if (keysOf(stem).some((key) => there.includes(key)) || there.includes(stem)) continue;
    const example = EXAMPLES[stem] ?? `${stem}File: /path/of/a/file or ${stem}Env: NAME_OF_A_VARIABLE`;
    fault(['dns'], `${provider} needs ${stem}: write ${example}`);
  }
  const known = [...needs.needed, ...needs.taken].flatMap(keysOf);
  const others = Object.values(PROVIDERS).flatMap(({ needed, taken }) =>
    [...needed, ...taken].flatMap(keysOf),
  );
  for (const key of there) {
    if (others.includes(key) && !known.includes(key))
      fault(['dns', key], `is not for ${provider}: remove it`);
  }
  const hasId = there.includes('accessKeyId');
  const hasSecret = keysOf('secretKey').some((key) => there.includes(key));
  if (provider === 'route53' && hasId !== hasSecret)
    fault(['dns'], 'has half of an access key: write accessKeyId and secretKeyFile, or neither');
}

function checkNamesInZone({ tree, fault }: Context): void {
  const plain = (text: string | null) => (text ?? '').toLowerCase().replace(/\.$/, '');
  const zone = plain(textUnder(tree, 'dns', 'zone'));
  const first = new Map<string, string>();
  const check = (path: readonly (string | number)[], name: string) => {
    // What is no name has a fault of its own.
    if (!/^[a-z0-9._-]+$/.test(name)) return;
    if (zone !== '' && name !== zone && !name.endsWith(`.${zone}`))
      fault([...path], `${shown(name)} is not in the zone ${zone}: check both`);
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, path.join('.'));
    else fault([...path], `${shown(name)} stands at ${earlier} already: remove it here`);
  };
  check(['dns', 'record'], plain(textUnder(tree, 'dns', 'record')));
  for (let index = 0; index < lengthUnder(tree, 'dns', 'otherRecords'); index += 1)
    check(['dns', 'otherRecords', index], plain(textUnder(tree, 'dns', 'otherRecords', index)));
  for (const server of keysUnder(tree, 'servers')) {
    const url = textUnder(tree, 'servers', server, 'publicUrl') ?? '';
    const host = URL.canParse(url) ? plain(new URL(url).hostname) : '';
    if (first.has(host))
      fault(
        ['servers', server, 'publicUrl'],
        `has the station's own name, which leads to whatever server is on air: write the address of ${server}`,
      );
  }
}

/** The servers that the name may point to: those of `prefer`, or all. */
function preferred(tree: Tree): readonly string[] {
  const count = lengthUnder(tree, 'dns', 'prefer');
  if (count === 0) return keysUnder(tree, 'servers');
  return Array.from({ length: count }, (_, index) => textUnder(tree, 'dns', 'prefer', index) ?? '');
}

function checkPreferred({ tree, fault, warn }: Context): void {
  const first = new Map<string, number>();
  for (let index = 0; index < lengthUnder(tree, 'dns', 'prefer'); index += 1) {
    const name = textUnder(tree, 'dns', 'prefer', index);
    if (name === null) continue;
    checkServerName({ tree, fault }, ['dns', 'prefer', index], name);
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else fault(['dns', 'prefer', index], `${shown(name)} is prefer[${earlier}] too: name each server once`);
  }
  if (preferred(tree).length === 1)
    warn(['dns'], 'has only one server that the name may point to: it can never be moved');
}

function checkAddresses({ tree, fault, warn }: Context): void {
  const firstWith = new Map<string, string>();
  const ports = new Map<string, string>();
  for (const name of preferred(tree)) {
    const server = under(tree, 'servers', name);
    if (!isBranch(server)) continue;
    const own = [textUnder(server, 'publicAddress'), textUnder(server, 'publicAddress6')];
    if (own.every((address) => address === null)) {
      const message = `has no publicAddress for the DNS to answer with: write publicAddress: 203.0.113.10, or leave ${name} out of dns.prefer`;
      fault(['servers', name], message);
    }
    if (own[1] != null && !isIPv6(own[1]))
      fault(
        ['servers', name, 'publicAddress6'],
        `${shown(own[1])} is not an IPv6 address: write it as publicAddress`,
      );
    for (const written of own) {
      if (written === null) continue;
      const address = canonicalIp(written) ?? written;
      const earlier = firstWith.get(address);
      if (earlier === undefined) firstWith.set(address, name);
      else if (earlier !== name)
        fault(['servers', name], `has the public address of ${earlier}: the name could not tell them apart`);
    }
    const url = textUnder(server, 'publicUrl') ?? textUnder(server, 'url') ?? '';
    if (!URL.canParse(url)) continue;
    const { protocol, port } = new URL(url);
    ports.set(`${protocol}//${port}`, name);
  }
  if (ports.size > 1) {
    warn(
      ['dns'],
      `a name has no port, and ${[...ports.values()].join(' and ')} are reached at different ones: players that follow the name will find one of them closed`,
    );
  }
}

function checkTimes({ tree, warn }: Context): void {
  if (lengthUnder(tree, 'dns', 'authorities') === 0) {
    warn(
      ['dns'],
      'names no authorities: what the provider takes is believed, and nobody looks whether its name servers answer it',
    );
  }
}

/** What the agents share, and what a witness needs. */
export function checkCluster({ tree, fault, warn }: Context, self: Self): void {
  const cluster = under(tree, 'cluster');
  if (self.isWitness) {
    const name = self.name ?? '';
    const badName = nameFault(name);
    if (badName !== null) fault(['server'], `of ${self.saidBy} ${badName}`);
    else if (keysUnder(tree, 'servers').includes(name))
      fault(['servers', name], `is a server, and the name of a witness: give ${self.saidBy} another name`);
    for (const section of ['dns', 'cluster']) {
      if (under(tree, section) === undefined)
        fault([section], 'is missing: a witness does nothing but bear witness for the DNS, over the cluster');
    }
  }
  if (!isBranch(cluster)) return;
  if (under(tree, 'dns') === undefined)
    warn(['cluster'], 'has no use without dns: what the agents share is about where the name points');
  if (under(cluster, 'tokenFile') !== undefined && under(cluster, 'user') !== undefined)
    fault(['cluster'], 'has a token and a user: keep one of them');
  const hasPassword = ['passwordFile', 'passwordEnv'].some((key) => under(cluster, key) !== undefined);
  if ((under(cluster, 'user') !== undefined) !== hasPassword)
    fault(['cluster'], 'has half of a login: write user and passwordFile, or neither');
  const count = lengthUnder(cluster, 'nats');
  if (count > 0 && count < 3) {
    const message = `names ${count === 1 ? 'one NATS server' : 'two NATS servers'}: when one is gone nothing is agreed on, and the name stays where it is; write three, in three places`;
    warn(['cluster', 'nats'], message);
  }
}
