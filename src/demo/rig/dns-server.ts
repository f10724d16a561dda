import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SustainError } from '../../platform/errors.ts';
import { freePort, freePorts } from './icecast-server.ts';
import {
  type Account,
  type RigProcess,
  STARTS_WITHIN_MS,
  startProcess,
  temporaryDirectory,
  unprivilegedAccount,
  waitUntil,
} from './process.ts';

/** A real name server on loopback. */
export interface DnsServer {
  /** Where it answers queries, over UDP and TCP. */
  readonly dnsAddress: { readonly host: string; readonly port: number };
  readonly zone: string;
  readonly pid: () => number;
  /** SIGSTOP: packets are still taken in by the kernel, and nothing ever comes back. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly stop: () => Promise<void>;
}

export interface PowerDns extends DnsServer {
  /** The HTTP API: `http://127.0.0.31:8081`. */
  readonly url: string;
  readonly apiKey: string;
}

/** One that takes updates by RFC 2136. */
export interface Bind extends DnsServer {
  readonly tsigKey: TsigKeyText;
}

export interface TsigKeyText {
  readonly name: string;
  /** In Base64. */
  readonly secret: string;
}

interface Ground {
  readonly account: Account | null;
  readonly directory: string;
  readonly write: (name: string, text: string) => string;
  readonly remove: () => void;
}

/** A folder that the server's own account may write in; name servers drop root, or should never have it. */
function prepareGround(purpose: string, accountName: string): Ground {
  const account = unprivilegedAccount(accountName);
  const directory = temporaryDirectory(purpose, account);
  return {
    account,
    directory: directory.path,
    write(name, text) {
      const path = join(directory.path, name);
      writeFileSync(path, text, { mode: 0o600 });
      if (account) chownSync(path, account.uid, account.gid);
      return path;
    },
    remove: () => directory.remove(),
  };
}

async function startNameServer(
  what: string,
  command: readonly string[],
  ground: Ground,
  answers: () => Promise<boolean>,
): Promise<RigProcess> {
  const [program = '', ...args] = command;
  const started = await startProcess({
    command: program,
    args,
    as: ground.account,
    directory: ground.directory,
  });
  const isUp = () => {
    if (!started.running()) throw new SustainError('dns-ended', `${what} ended:\n${started.lastWords()}`);
    return answers();
  };
  try {
    await waitUntil(what, STARTS_WITHIN_MS, isUp, started.lastWords);
  } catch (thrown) {
    started.signal('SIGKILL');
    await started.exited;
    ground.remove();
    throw thrown;
  }
  return started;
}

function serverOn(started: RigProcess, ground: Ground, host: string, port: number, zone: string): DnsServer {
  return {
    dnsAddress: { host, port },
    zone,
    pid: () => started.pid,
    pause: () => started.signal('SIGSTOP'),
    resume: () => started.signal('SIGCONT'),
    async stop() {
      await started.stop();
      ground.remove();
    },
  };
}

const SCHEMA = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql';

/** PowerDNS with an SQLite file of its own, its HTTP API, and one zone that has no records but SOA and NS. */
export async function startPowerDns(options: {
  readonly host: string;
  readonly zone: string;
  readonly apiKey: string;
}): Promise<PowerDns> {
  const { host, zone, apiKey } = options;
  const ground = prepareGround('pdns', 'pdns');
  const database = ground.write('zones.sqlite', '');
  execFileSync('sqlite3', [database, `.read ${SCHEMA}`]);
  const [port = 0, apiPort = 0] = await freePorts(host, 2);
  const url = `http://${host}:${apiPort}`;
  const settings = {
    launch: 'gsqlite3',
    'gsqlite3-database': database,
    'local-address': host,
    'local-port': port,
    api: 'yes',
    'api-key': apiKey,
    webserver: 'yes',
    'webserver-address': host,
    'webserver-port': apiPort,
    'webserver-allow-from': `127.0.0.0/8,${host}/24`,
    'socket-dir': ground.directory,
    'write-pid': 'no',
    'disable-syslog': 'yes',
  };
  ground.write(
    'pdns.conf',
    Object.entries(settings)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  );
  const command = ['pdns_server', `--config-dir=${ground.directory}`, '--daemon=no', '--guardian=no'];
  const zones = `${url}/api/v1/servers/localhost/zones`;
  const headers = { 'x-api-key': apiKey };
  const answers = async () => (await fetch(zones, { headers, signal: AbortSignal.timeout(1000) })).ok;
  const started = await startNameServer('PowerDNS', command, ground, answers);
  const body = JSON.stringify({ name: `${zone}.`, kind: 'Native', nameservers: [`ns.${zone}.`] });
  const made = await fetch(zones, { method: 'POST', headers, body });
  if (!made.ok) throw new SustainError('no-zone', `PowerDNS made no zone: ${await made.text()}`);
  return { ...serverOn(started, ground, host, port, zone), url, apiKey };
}

/** BIND only listens on addresses that an interface has, and of the loopback ones that is this. */
const BIND_HOST = '127.0.0.1';

/** BIND with one zone that its key may change, or as a secondary of another. */
export async function startBind(options: {
  readonly zone: string;
  readonly tsigKey: TsigKeyText;
  /** Where zone transfers come from; left out: this is the primary. */
  readonly primary?: DnsServer;
  /** Which names the key may change; left out: every name of the zone. */
  readonly mayChange?: readonly string[];
  /** Who is told of changes. */
  readonly notify?: readonly { readonly host: string; readonly port: number }[];
  readonly port?: number;
}): Promise<Bind> {
  const { zone, tsigKey, primary } = options;
  const host = BIND_HOST;
  const ground = prepareGround('bind', 'bind');
  const port = options.port ?? (await freePort(host));
  if (primary === undefined) {
    ground.write('zone', `$TTL 60\n@ SOA ns hostmaster 1 60 10 86400 60\n@ NS ns\nns A ${host}\n`);
  }
  ground.write('named.conf', namedConf({ ...options, port, directory: ground.directory }));
  // A copy, as its AppArmor profile goes by the path of the program and allows only the system's own folders.
  const program = join(ground.directory, 'named');
  copyFileSync('/usr/sbin/named', program);
  const command = [program, '-g', '-c', join(ground.directory, 'named.conf'), '-n', '1'];
  const answers = async () => dig(host, port, zone, 'SOA').length > 0;
  const started = await startNameServer('BIND', command, ground, answers);
  return { ...serverOn(started, ground, host, port, zone), tsigKey };
}

function namedConf(options: Parameters<typeof startBind>[0] & { port: number; directory: string }): string {
  const { port, zone, tsigKey, primary, directory, mayChange, notify = [] } = options;
  const host = BIND_HOST;
  const grants = mayChange?.map((name) => `grant ${tsigKey.name} name ${name}. A AAAA TXT;`) ?? [
    `grant ${tsigKey.name} zonesub ANY;`,
  ];
  const also = notify.map((other) => `${other.host} port ${other.port};`).join(' ');
  const role =
    primary === undefined
      ? `type primary; update-policy { ${grants.join(' ')} }; also-notify { ${also} }; notify explicit; notify-delay 0;`
      : `type secondary; masterfile-format text; primaries { ${primary.dnsAddress.host} port ${primary.dnsAddress.port}; };`;
  return `options {
  directory "${directory}";
  pid-file none; session-keyfile "${directory}/session.key"; lock-file none;
  listen-on port ${port} { ${host}; }; listen-on-v6 { none; };
  query-source address ${host}; transfer-source ${host}; notify-source ${host};
  recursion no; dnssec-validation no; notify-rate 1000; startup-notify-rate 1000;
};
controls { };
key "${tsigKey.name}" { algorithm hmac-sha256; secret "${tsigKey.secret}"; };
zone "${zone}" { ${role} file "${directory}/zone"; };
`;
}

/** Knot with one zone of which its key may change the addresses and the text of some names. */
export async function startKnot(options: {
  readonly host: string;
  readonly zone: string;
  readonly tsigKey: TsigKeyText;
  readonly mayChange: readonly string[];
}): Promise<Bind> {
  const { host, zone, tsigKey, mayChange } = options;
  const ground = prepareGround('knot', 'knot');
  const { directory } = ground;
  const port = await freePort(host);
  ground.write('zone', `$TTL 60\n@ SOA ns hostmaster 1 60 10 86400 60\n@ NS ns\nns A ${host}\n`);
  const conf = ground.write(
    'knot.conf',
    `server:
    rundir: "${directory}"
    listen: ${host}@${port}
database:
    storage: "${directory}"
key:
  - id: ${tsigKey.name}
    algorithm: hmac-sha256
    secret: ${tsigKey.secret}
acl:
  - id: names
    key: ${tsigKey.name}
    action: update
    update-owner: name
    update-owner-match: equal
    update-owner-name: [${mayChange.map((name) => `${name}.`).join(', ')}]
    update-type: [A, AAAA, TXT]
zone:
  - domain: ${zone}
    storage: "${directory}"
    file: zone
    acl: names
`,
  );
  const answers = async () => dig(host, port, zone, 'SOA').length > 0;
  const started = await startNameServer('Knot', ['/usr/sbin/knotd', '-c', conf], ground, answers);
  return { ...serverOn(started, ground, host, port, zone), tsigKey };
}

/** What `dig` shows, one line for each record. */
export function dig(host: string, port: number, name: string, type: string): readonly string[] {
  const args = [`@${host}`, '-p', String(port), name, type, '+short', '+time=2', '+tries=3', '+norecurse'];
  try {
    return execFileSync('dig', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(';'));
  } catch {
    return [];
  }
}
