import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SustainError } from '../../platform/errors.ts';
import { freePorts } from './icecast-server.ts';
import { type RigProcess, STARTS_WITHIN_MS, startProcess, temporaryDirectory, waitUntil } from './process.ts';

/** One real NATS server with JetStream. */
export interface NatsNode {
  /** `nats://127.0.0.71:4222`. */
  readonly url: string;
  readonly name: string;
  readonly running: () => boolean;
  /** SIGKILL, as a power cut. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP: connections stay open, and nothing comes. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Starts again on what it had stored. */
  readonly restart: () => Promise<void>;
}

export interface NatsCluster {
  readonly nodes: readonly NatsNode[];
  readonly urls: readonly string[];
  /** The node that leads the bucket's replicas now: the one whose loss is felt most. Null while there is none. */
  readonly leaderOf: (bucket: string) => Promise<NatsNode | null>;
  readonly stop: () => Promise<void>;
}

interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly routePort: number;
  readonly monitorPort: number;
}

/** NATS servers on loopback addresses of their own, as in three places; one, or a cluster of three. */
export async function startNats(options: {
  readonly nodes: 1 | 3;
  /** Node n is on this address plus n: `127.0.0.71`, `127.0.0.72`, … */
  readonly firstHost?: string;
}): Promise<NatsCluster> {
  const { nodes: count, firstHost = '127.0.0.71' } = options;
  const directory = temporaryDirectory('nats', null);
  const [net = '', last = '71'] = firstHost.split(/\.(?=\d+$)/);
  const places: Place[] = [];
  for (let index = 0; index < count; index += 1) {
    const host = `${net}.${Number(last) + index}`;
    const [port = 0, routePort = 0, monitorPort = 0] = await freePorts(host, 3);
    places.push({ name: `node${index + 1}`, host, port, routePort, monitorPort });
  }
  const nodes = places.map((place) => createNode(place, places, directory.path));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    directory.remove();
  };
  try {
    await Promise.all(nodes.map((node) => node.restart()));
    await waitUntil('NATS JetStream', STARTS_WITHIN_MS, async () => (await metaSize(places)) === count);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    nodes,
    urls: nodes.map((node) => node.url),
    async leaderOf(bucket) {
      const leader = await streamLeader(places, nodes, `KV_${bucket}`);
      return nodes.find((node) => node.name === leader) ?? null;
    },
    stop,
  };
}

function createNode(place: Place, places: readonly Place[], directory: string): NatsNode {
  const { name, host, port } = place;
  const config = join(directory, `${name}.conf`);
  writeFileSync(config, nodeConf(place, places, directory));
  let current: RigProcess | null = null;
  return {
    url: `nats://${host}:${port}`,
    name,
    running: () => current?.running() === true,
    async kill() {
      current?.signal('SIGKILL');
      await current?.exited;
    },
    pause: () => current?.signal('SIGSTOP'),
    resume: () => current?.signal('SIGCONT'),
    async restart() {
      if (current?.running()) throw new SustainError('already-running', `${name} is running`);
      const started = await startProcess({ command: 'nats-server', args: ['-c', config], directory });
      current = started;
      await waitUntil(`NATS ${name}`, STARTS_WITHIN_MS, async () => {
        if (!started.running()) throw new SustainError('nats-ended', `NATS ended:\n${started.lastWords()}`);
        return (await askMonitor(place, 'varz')) !== null;
      });
    },
  };
}

function nodeConf(place: Place, places: readonly Place[], directory: string): string {
  const { name, host, port, routePort, monitorPort } = place;
  const routes = places.map((other) => `nats://${other.host}:${other.routePort}`).join(', ');
  const cluster =
    places.length === 1 ? '' : `cluster { name: rig, listen: "${host}:${routePort}", routes: [${routes}] }\n`;
  return `server_name: ${name}
listen: "${host}:${port}"
http: "${host}:${monitorPort}"
jetstream { store_dir: "${directory}/${name}", max_mem: 64M, max_file: 64M }
${cluster}`;
}

async function askMonitor(place: Place, page: string): Promise<Record<string, unknown> | null> {
  try {
    const response = await fetch(`http://${place.host}:${place.monitorPort}/${page}`, {
      signal: AbortSignal.timeout(1000),
    });
    return Object.fromEntries(Object.entries((await response.json()) ?? {}));
  } catch {
    return null;
  }
}

/** How many servers have a common leader; a server alone has no use for one. */
async function metaSize(places: readonly Place[]): Promise<number> {
  if (places.length === 1) return 1;
  const pages = await Promise.all(places.map((place) => askMonitor(place, 'jsz')));
  return pages.filter((page) => JSON.stringify(page?.['meta_cluster'] ?? '').includes('"leader"')).length;
}

async function streamLeader(
  places: readonly Place[],
  nodes: readonly NatsNode[],
  stream: string,
): Promise<string | null> {
  for (const [index, place] of places.entries()) {
    if (!nodes[index]?.running()) continue;
    const page = JSON.stringify(await askMonitor(place, 'jsz?streams=true&accounts=true'));
    const found = new RegExp(`"name":"${stream}".*?"leader":"(node\\d)"`).exec(page)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}
