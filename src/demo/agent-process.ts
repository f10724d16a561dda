import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MP3_DECODER } from '../audio/decoder-host-path.ts';
import type { AgentView } from '../domain/view.ts';
import { SustainError } from '../platform/errors.ts';
import { type RigProcess, STARTS_WITHIN_MS, startProcess, waitUntil } from './rig/process.ts';

const LOG_LINES = 5000;
const ANSWERS_WITHIN_MS = 10_000;

export interface AgentProcessOptions {
  readonly server: string;
  /** It stands beside no server, and `server` is what it is called. */
  readonly isWitness?: boolean;
  readonly configPath: string;
  readonly webUrl: string;
  readonly viewerToken: string;
  readonly operatorToken: string;
  /** The network namespace that it runs in. */
  readonly namespace?: string;
  /** Another build of the command, for tests of what a broken one would do. */
  readonly cli?: string;
}

/** One `sustain run`, as it is started beside an Icecast. */
export interface AgentProcess {
  readonly server: string;
  /** Where its page is, and what lets an operator in. */
  readonly webUrl: string;
  readonly operatorToken: string;
  readonly pid: () => number | null;
  /** Resolves when it knows what is on air beside it; with `ready: false` as soon as it answers at all. */
  start(options?: { ready: boolean }): Promise<void>;
  /** SIGTERM; resolves with the ms it took to end. */
  stop(): Promise<number>;
  kill(): Promise<void>;
  /** SIGHUP: read the config again. */
  hangUp(): void;
  pause(): void;
  resume(): void;
  state(): Promise<AgentView>;
  /** An operator's request: the status of the answer. */
  ask(path: string, body: object): Promise<number>;
  /** The same with the whole answer, or what there is to get for everybody. */
  call(path: string, body?: object): Promise<{ readonly status: number; readonly text: string }>;
  /** Everything it logged since its first start, parsed. */
  log(): readonly Record<string, unknown>[];
}

/** Of our environment an agent gets who decodes, so that a bench or a test may choose. */
function decoderOfOurs(): Record<string, string> {
  const wanted = process.env[MP3_DECODER];
  return wanted === undefined ? {} : { [MP3_DECODER]: wanted };
}

/**
 * As `.deploy/debian/sustain` and the Dockerfile start Node: a small nursery of V8's is enough for what the agent makes,
 * what it does ten times a second is to be compiled well within seconds, and its threads need no heaps of their own.
 */
const AS_INSTALLED = {
  args: ['--max-semi-space-size=4', '--interrupt-budget=20000'],
  env: { MALLOC_ARENA_MAX: '1' },
};

export function createAgentProcess(options: AgentProcessOptions): AgentProcess {
  const { server, configPath, webUrl } = options;
  const self = options.isWitness === true ? ['--witness', server] : ['--server', server];
  const lines: Record<string, unknown>[] = [];
  let current: RigProcess | null = null;

  const call = async (path: string, token: string, body?: object): Promise<Response> =>
    fetch(`${webUrl}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
    });

  return {
    server,
    webUrl,
    operatorToken: options.operatorToken,
    pid: () => current?.pid ?? null,
    async start({ ready } = { ready: true }) {
      const started = await startProcess({
        command: process.execPath,
        args: [...AS_INSTALLED.args, options.cli ?? cliPath(), 'run', '--config', configPath, ...self],
        stdout: 'pipe',
        env: { ...AS_INSTALLED.env, ...decoderOfOurs() },
        ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
      });
      current = started;
      collect(started, lines);
      await waitUntil(
        `the agent beside ${server}`,
        STARTS_WITHIN_MS,
        async () => {
          if (!started.running())
            throw new SustainError('agent-ended', `the agent ended: ${started.lastWords()}`);
          const path = ready ? '/readyz' : '/healthz';
          return (await fetch(`${webUrl}${path}`, { signal: AbortSignal.timeout(1000) })).status === 200;
        },
        () =>
          `${started.lastWords()}\n${lines
            .slice(-8)
            .map((line) => JSON.stringify(line))
            .join('\n')}`,
      );
    },
    async stop() {
      const ending = current;
      current = null;
      const fromMs = performance.now();
      ending?.signal('SIGCONT');
      ending?.signal('SIGTERM');
      await ending?.exited;
      return performance.now() - fromMs;
    },
    async kill() {
      const ending = current;
      current = null;
      ending?.signal('SIGKILL');
      await ending?.exited;
    },
    hangUp: () => current?.signal('SIGHUP'),
    pause: () => current?.signal('SIGSTOP'),
    resume: () => current?.signal('SIGCONT'),
    async state() {
      const response = await call('/api/v1/state', options.viewerToken);
      if (response.status !== 200)
        throw new SustainError('no-state', `the agent beside ${server} answered ${response.status}`);
      return (await response.json()) as AgentView;
    },
    ask: async (path, body) => (await call(path, options.operatorToken, body)).status,
    async call(path, body) {
      const answer = await call(path, options.operatorToken, body);
      return { status: answer.status, text: await answer.text() };
    },
    log: () => lines,
  };
}

/** The built command, found from wherever this file runs (dist/ or, in tests, src/). */
function cliPath(): string {
  for (let at = fileURLToPath(new URL('.', import.meta.url)); at !== '/'; at = join(at, '..')) {
    try {
      readFileSync(join(at, 'package.json'));
      return join(at, 'dist/src/cli/main.js');
    } catch {
      // Not yet the package's own folder.
    }
  }
  throw new SustainError('no-package', 'The folder of the package was not found.');
}

function collect(started: RigProcess, lines: Record<string, unknown>[]): void {
  let rest = '';
  started.stdout?.setEncoding('utf8');
  started.stdout?.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      try {
        lines.push(JSON.parse(part) as Record<string, unknown>);
      } catch {
        lines.push({ text: part });
      }
    }
    if (lines.length > LOG_LINES) lines.splice(0, lines.length - LOG_LINES);
  });
}
