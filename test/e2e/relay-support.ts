import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { Agent } from '../../src/agent.ts';
import { findDecoderHost } from '../../src/audio/decoder-host-path.ts';
import { legDecoders } from '../../src/audio/shared-decoder.ts';
import { loadConfigText } from '../../src/config/index.ts';
import { type IcecastServer, temporaryDirectory } from '../../src/demo/rig/index.ts';
import type { StationEvent } from '../../src/domain/events.ts';
import { serverName, sourceName, stationName } from '../../src/domain/ids.ts';
import type { AlertView, LegView, RelayStatus } from '../../src/domain/view.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';

const LONDON = serverName('london');
const MYFM = stationName('myfm');
const FORCED_FOR_MS = 600_000;

export interface RelayAgentOptions {
  readonly servers: Readonly<Record<string, IcecastServer>>;
  readonly outputs?: readonly object[];
  readonly sources?: readonly string[];
  readonly restoreMs?: number;
  readonly tripMs?: number;
  readonly delayMs?: number;
  readonly holdDown?: string;
  readonly emergencyFile?: string;
  readonly processing?: object;
}

export type RelayEvent = Extract<StationEvent, { kind: 'relay-switched' | 'relay-aligned' }>;

/** The agent of london, in this process. */
export interface RelayAgent {
  readonly relay: { readonly view: RelayStatus };
  readonly alerts: readonly AlertView[];
  /** What it logged of its relay. */
  readonly events: readonly RelayEvent[];
  /** Asks for a source as an operator does, or lets go. */
  force(source: string | null): void;
  legOf(source: string, server?: string): LegView | null;
  stop(): Promise<void>;
}

function configText(options: RelayAgentOptions, stateDirectory: string): string {
  const tripMs = options.tripMs ?? 5_000;
  const servers = Object.entries(options.servers).map(([name, server]) => [
    name,
    {
      url: server.url,
      admin: { user: server.admin.user, passwordEnv: 'ADMIN' },
      source: { user: server.source.user, passwordEnv: 'SOURCE' },
    },
  ]);
  return JSON.stringify({
    server: LONDON,
    servers: Object.fromEntries(servers),
    stations: {
      [MYFM]: {
        sources: (options.sources ?? ['primary', 'secondary', 'autodj']).map((name) => ({
          name,
          mount: `/${name}`,
        })),
        silence: { trip: `${tripMs}ms`, restore: `${options.restoreMs ?? 10_000}ms` },
        switching: { dwell: '5s', holdDown: options.holdDown ?? '30s', holdDownMax: '5m' },
        serve: {
          mode: 'relay',
          delay: `${options.delayMs ?? tripMs + 2_000}ms`,
          outputs: options.outputs ?? [{ mount: '/stream', codec: 'mp3' }],
          stream: { name: 'My FM', genre: 'Talk', description: 'As ever' },
          ...(options.processing === undefined ? {} : { processing: options.processing }),
          ...(options.emergencyFile === undefined ? {} : { emergencyFile: options.emergencyFile }),
        },
      },
    },
    state: { directory: stateDirectory },
  });
}

/** One agent in relay mode, the same as `sustain run` starts. */
export async function startRelayAgent(options: RelayAgentOptions): Promise<RelayAgent> {
  const own = options.servers[LONDON];
  if (own === undefined) throw new Error('the agent stands beside london');
  const directory = temporaryDirectory('relay-agent', null);
  const stateDirectory = join(directory.path, 'state');
  mkdirSync(stateDirectory, { mode: 0o700 });
  const env = { ADMIN: own.admin.password, SOURCE: own.source.password };
  const loaded = await loadConfigText(configText(options, stateDirectory), '/sustain.yaml', env, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const events: RelayEvent[] = [];
  const log = pino(
    {},
    {
      write(line: string) {
        const { event, ...facts } = JSON.parse(line);
        if (event === 'relay-switched' || event === 'relay-aligned') events.push({ kind: event, ...facts });
      },
    },
  );
  const search = await findDecoderHost({ clock: systemClock });
  const parts = { ffmpegPath: 'ffmpeg', clock: systemClock, random: systemRandom };
  const agent = await Agent.start({
    config: loaded.config,
    decoders: legDecoders({
      ...parts,
      host: search.is === 'found' ? { command: search.path } : null,
      logger: log,
    }),
    ...parts,
    log,
  });
  const view = () => agent.view().stations[0];
  return {
    relay: {
      get view() {
        const relay = view()?.relay;
        if (!relay) throw new Error('the agent is not in relay mode');
        return relay;
      },
    },
    get alerts() {
      return view()?.alerts ?? [];
    },
    events,
    force(source) {
      const who = { server: LONDON, author: 'the test' };
      agent.request(
        MYFM,
        source === null
          ? { do: 'release', ...who }
          : { do: 'force', ...who, source: sourceName(source), forMs: FORCED_FOR_MS, override: true },
      );
    },
    legOf: (source, server = LONDON) =>
      view()
        ?.servers.find((one) => one.server === server)
        ?.legs.find((leg) => leg.source === source) ?? null,
    async stop() {
      await agent.stop();
      directory.remove();
    },
  };
}
