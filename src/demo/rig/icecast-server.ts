import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SustainError } from '../../platform/errors.ts';
import { type IcecastLayout, icecastXml } from './icecast-xml.ts';
import {
  type RigProcess,
  STARTS_WITHIN_MS,
  startProcess,
  temporaryDirectory,
  unprivilegedAccount,
  waitUntil,
} from './process.ts';

export type {
  IcecastLayout,
  IcecastLimits,
  IcecastMount,
  IcecastRelay,
} from './icecast-xml.ts';

/** Where and as whom a source client or an admin may come in. */
export interface IcecastAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface IcecastListener {
  readonly id: number;
  readonly userAgent: string;
  readonly connectedSeconds: number;
}

/** A real Icecast on loopback. */
export interface IcecastServer {
  /** `http://127.0.0.21:8100`, without a slash at the end. */
  readonly url: string;
  readonly layout: IcecastLayout;
  readonly source: IcecastAddress;
  readonly admin: IcecastAddress;
  /** The id of the process that runs now, or null when it is stopped or killed. */
  readonly pid: () => number | null;
  /** TERM, waits for the end and removes the temporary files. */
  readonly stop: () => Promise<void>;
  /** SIGKILL, as a power cut: nobody is told goodbye. `restart` brings it back. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP: connections are still accepted by the kernel, and nothing ever comes. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Stops what runs and starts again with the same layout. */
  readonly restart: () => Promise<void>;
  /** Rewrites the configuration and sends HUP, as an administrator does. */
  readonly reload: (layout: Partial<IcecastLayout>) => Promise<void>;
  /** Lets somebody change the file itself, and sends HUP. */
  readonly edit: (change: (path: string) => Promise<unknown>) => Promise<void>;
  /** One GET on the admin API. */
  readonly askAdmin: (pathAndQuery: string) => Promise<{ status: number; body: string }>;
  /** Who sits on a mount now, by `listclients`; null when there is no such mount. */
  readonly listenersOf: (mount: string) => Promise<readonly IcecastListener[] | null>;
  /** Mounts that are there now, by `listmounts`. */
  readonly mounts: () => Promise<readonly string[]>;
  readonly errorLog: () => string;
  /** How often it ended by itself: 2.4.4 does crash, seldom, while several sources connect at once. */
  readonly crashes: () => number;
}

export interface IcecastOptions extends Partial<IcecastLayout> {
  readonly host: string;
  /** Without it a free port is taken. */
  readonly port?: number;
  /** The network namespace that it runs in. */
  readonly namespace?: string;
}

/** As a service manager would: a crashed Icecast is started again, and the crash is counted. */
const RESTART_AFTER_CRASH_MS = 500;
const ANSWERS_WITHIN_MS = 10_000;
const REREADS_WITHIN_MS = 10_000;

/** True when somebody listens there already. */
export function isPortTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, host, () => probe.close(() => resolve(false)));
  });
}

/** A port that nobody listened on a moment ago. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => {
        if (address && typeof address === 'object') resolve(address.port);
        else reject(new SustainError('no-port', `No free port on ${host}.`));
      });
    });
  });
}

/** Several at once, no two alike: one after the other they may be the same. */
export async function freePorts(host: string, count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort(host));
  return [...ports];
}

function layoutOf(options: IcecastOptions, port: number): IcecastLayout {
  return {
    sourcePassword: 'source-secret',
    adminUser: 'admin',
    adminPassword: 'admin-secret',
    limits: {},
    mounts: [],
    relays: [],
    ...options,
    port,
  };
}

/** The program and its configuration, started and ended as often as asked. */
interface Runner {
  readonly current: () => RigProcess | null;
  readonly configPath: string;
  readonly writeConfig: (layout: IcecastLayout) => void;
  readonly launch: (layout: IcecastLayout, answers: () => Promise<boolean>) => Promise<void>;
  /** Icecast looks once a second whether it was told to; what connects meanwhile is dealt with by settings that go. */
  readonly reread: () => Promise<void>;
  readonly end: (how: 'stop' | 'kill') => Promise<void>;
  readonly errorLog: () => string;
  readonly remove: () => void;
}

function createRunner(namespace: string | undefined, onCrash: () => void): Runner {
  const account = unprivilegedAccount('icecast2');
  const directory = temporaryDirectory('icecast', account);
  const configPath = join(directory.path, 'icecast.xml');
  let current: RigProcess | null = null;
  const errorLog = () => {
    try {
      return readFileSync(join(directory.path, 'error.log'), 'utf8');
    } catch {
      return '';
    }
  };
  const lastLogged = () => errorLog().slice(-1000);
  const writeConfig = (layout: IcecastLayout) => {
    writeFileSync(configPath, icecastXml(layout, directory.path), { mode: 0o600 });
    if (account) chownSync(configPath, account.uid, account.gid);
  };
  return {
    current: () => current,
    configPath,
    writeConfig,
    async launch(layout, answers) {
      writeConfig(layout);
      const started = await startProcess({
        command: 'icecast2',
        args: ['-c', configPath],
        as: account,
        ...(namespace === undefined ? {} : { namespace }),
      });
      current = started;
      started.exited.then(() => {
        if (current !== started) return;
        current = null;
        onCrash();
      });
      const explain = () => `${started.lastWords()}\n${lastLogged()}`;
      const isUp = async () => {
        if (!started.running()) throw new SustainError('icecast-ended', `icecast2 ended:\n${explain()}`);
        return answers();
      };
      await waitUntil(`Icecast on ${layout.host}:${layout.port}`, STARTS_WITHIN_MS, isUp, explain);
    },
    async reread() {
      const timesRead = () => errorLog().split('re-reading config').length;
      const before = timesRead();
      current?.signal('SIGHUP');
      const hasRead = () => current === null || timesRead() > before;
      await waitUntil('Icecast reading its configuration anew', REREADS_WITHIN_MS, hasRead, lastLogged);
    },
    async end(how) {
      const ending = current;
      current = null;
      if (how === 'kill') ending?.signal('SIGKILL');
      else await ending?.stop();
      await ending?.exited;
    },
    errorLog,
    remove: () => directory.remove(),
  };
}

export async function startIcecast(options: IcecastOptions): Promise<IcecastServer> {
  const { host } = options;
  const port = options.port ?? (await freePort(host));
  const url = `http://${host}:${port}`;
  let layout = layoutOf(options, port);
  let crashes = 0;
  let isOver = false;
  const runner = createRunner(options.namespace, () => {
    crashes += 1;
    if (isOver) return;
    setTimeout(() => {
      if (!isOver && runner.current() === null) launch().catch(() => undefined);
    }, RESTART_AFTER_CRASH_MS).unref();
  });

  const askAdmin = (pathAndQuery: string) => ask(url, pathAndQuery, layout.adminUser, layout.adminPassword);
  const launch = () =>
    runner.launch(layout, async () => (await askAdmin('/admin/listmounts')).status === 200);
  try {
    await launch();
  } catch (thrown) {
    isOver = true;
    await runner.end('kill');
    runner.remove();
    throw thrown;
  }
  return {
    url,
    get layout() {
      return layout;
    },
    source: { host, port, user: 'source', password: layout.sourcePassword },
    admin: { host, port, user: layout.adminUser, password: layout.adminPassword },
    pid: () => runner.current()?.pid ?? null,
    async stop() {
      isOver = true;
      // Nothing of it is kept, and an orderly end of Icecast takes more than a second.
      await runner.end('kill');
      runner.remove();
    },
    kill() {
      isOver = true;
      return runner.end('kill');
    },
    pause: () => runner.current()?.signal('SIGSTOP'),
    resume: () => runner.current()?.signal('SIGCONT'),
    async restart() {
      await runner.end('stop');
      isOver = false;
      await launch();
    },
    async reload(change) {
      layout = { ...layout, ...change };
      runner.writeConfig(layout);
      await runner.reread();
    },
    async edit(change) {
      await change(runner.configPath);
      await runner.reread();
    },
    ...adminCalls(askAdmin),
    errorLog: runner.errorLog,
    crashes: () => crashes,
  };
}

function adminCalls(askAdmin: IcecastServer['askAdmin']) {
  return {
    askAdmin,
    async listenersOf(mount: string) {
      const answer = await askAdmin(`/admin/listclients?mount=${encodeURIComponent(mount)}`);
      return answer.status === 200 ? parseListeners(answer.body) : null;
    },
    async mounts() {
      const { body } = await askAdmin('/admin/listmounts');
      return [...body.matchAll(/<source mount="([^"]*)"/g)].map((match) => unescapeXml(match[1] ?? ''));
    },
  };
}

async function ask(url: string, pathAndQuery: string, user: string, password: string) {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const response = await fetch(`${url}${pathAndQuery}`, {
    headers: {
      authorization,
      'user-agent': 'sustain-rig',
      connection: 'close',
    },
    signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
  });
  return { status: response.status, body: await response.text() };
}

function parseListeners(xml: string): readonly IcecastListener[] {
  return [...xml.matchAll(/<listener[^>]*>(.*?)<\/listener>/gs)].map(([, inside = '']) => {
    const field = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(inside)?.[1] ?? '';
    return {
      id: Number(field('ID')),
      userAgent: unescapeXml(field('UserAgent')),
      connectedSeconds: Number(field('Connected')),
    };
  });
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
