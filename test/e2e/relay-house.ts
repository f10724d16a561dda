import {
  createEncoder,
  createProgramme,
  type Encoder,
  type IcecastServer,
  loadMaterial,
  type Material,
  PILOTS_HZ,
  startIcecast,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import type { MusicName } from '../../src/demo/rig/material.ts';
import { type RelayAgent, type RelayAgentOptions, startRelayAgent } from './relay-support.ts';

export type SourceName = 'primary' | 'secondary' | 'autodj';

export interface RelaySource {
  readonly music: MusicName;
  readonly gainDb?: number;
  /** So much later than the studio. */
  readonly delayMs?: number;
  /** Where its encoder sends to instead of the server itself. */
  readonly through?: (server: IcecastServer) => Promise<{ readonly port: number }>;
}

export interface RelayHouseOptions extends Omit<RelayAgentOptions, 'servers' | 'sources'> {
  readonly host: string;
  readonly sources: Readonly<Record<SourceName, RelaySource>>;
  readonly clients?: number;
}

/** One Icecast with three sources, and the agent in this process that feeds `/stream` out of them. */
export interface RelayHouse {
  readonly icecast: IcecastServer;
  readonly encoders: Readonly<Record<SourceName, Encoder>>;
  /** What the primary plays. */
  readonly material: Material;
  readonly agent: RelayAgent;
  onAir(source: SourceName, withinMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const SOURCES: readonly SourceName[] = ['primary', 'secondary', 'autodj'];

export async function startRelayHouse(options: RelayHouseOptions): Promise<RelayHouse> {
  const { host, sources, clients = 60, ...agentOptions } = options;
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const icecast = await startIcecast({
      host,
      limits: { clients, sources: 8 },
      mounts: [...SOURCES, 'stream'].map((name) => ({ mount: `/${name}` })),
    });
    stops.push(() => icecast.stop());
    const start = async (name: SourceName): Promise<Encoder> => {
      const { gainDb, delayMs = 0, through } = sources[name];
      const programme = createProgramme({ name, material: await materialOf(sources[name]), delayMs });
      if (gainDb !== undefined) programme.play({ is: 'quiet-music', gainDb });
      const server = { ...icecast.source, ...(await through?.(icecast)) };
      const encoder = createEncoder({ name, programme, targets: [{ server, mount: `/${name}` }] });
      stops.push(() => encoder.kill());
      await encoder.start();
      return encoder;
    };
    const encoders = {
      primary: await start('primary'),
      secondary: await start('secondary'),
      autodj: await start('autodj'),
    };
    const agent = await startRelayAgent({ servers: { london: icecast }, ...agentOptions });
    stops.push(() => agent.stop());
    const story = () => JSON.stringify({ view: agent.relay.view, events: agent.events.slice(-4) }, null, 1);
    const isFed = async () => (await icecast.mounts()).includes('/stream');
    await waitUntil('the public mount', 60_000, isFed, story);
    return {
      icecast,
      encoders,
      material: await materialOf(sources.primary),
      agent,
      onAir: (source, withinMs = 60_000) =>
        waitUntil(
          `${source} on air`,
          withinMs,
          () => agent.relay.view.onAir === `myfm/${source}@london`,
          story,
        ),
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** The same for two sources that play the same, so that one is a copy of the other. */
function materialOf({ music }: RelaySource): Promise<Material> {
  const pilotHz = music === 'studio' ? PILOTS_HZ.primary : PILOTS_HZ.autodj;
  return loadMaterial({ music, pilotHz });
}
