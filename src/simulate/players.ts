import type { ServerName } from '../domain/ids.ts';
import type { Output } from './parts.ts';
import { LONDON } from './station.ts';
import type { Change } from './station-world.ts';

/** How listeners' players and their resolvers behave. Shares from 0 to 1, durations in ms. */
export interface PlayerModel {
  readonly ttlMs: number;
  /** This share asks a resolver that keeps every answer for at least `clampMs`. */
  readonly clampedShare: number;
  readonly clampMs: number;
  /** This share asks for the name once and never again, until the listener tunes in anew. */
  readonly stickyShare: number;
  readonly sessionMs: number;
  readonly bufferMs: number;
  readonly readTimeoutMs: number;
  readonly reconnectMs: number;
}

/** One listener, the same over all the years. */
export interface Player {
  readonly ttlMs: number;
  readonly isSticky: boolean;
  /** How long before the scene its resolver asked for the name; longer than the TTL where it does not matter. */
  readonly askedAgoMs: number;
}

/** Half-open, in ms of the world. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The world of one episode as players meet it. */
export interface Scene {
  /** Where the listener is in the beginning. */
  readonly home: ServerName;
  readonly fromMs: number;
  readonly toMs: number;
  readonly outputs: ReadonlyMap<ServerName, readonly Stage[]>;
  readonly name: readonly { readonly fromMs: number; readonly server: ServerName }[];
  readonly ended: readonly { readonly atMs: number; readonly server: ServerName }[];
}

interface Stage {
  readonly fromMs: number;
  readonly is: Output['is'];
}

/** A cast of players that stands for all of them: the shares are met as nearly as their number lets them. */
export function castPlayers(count: number, model: PlayerModel, random: () => number): Player[] {
  const players = Array.from({ length: count }, (_, index) => ({
    ttlMs: model.ttlMs,
    isSticky: index < Math.round(model.stickyShare * count),
    askedAgoMs: Number.POSITIVE_INFINITY,
  }));
  for (const player of shuffled(players, random).slice(0, Math.round(model.clampedShare * count)))
    player.ttlMs = Math.max(player.ttlMs, model.clampMs);
  return players;
}

function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  return values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** An episode that begins with everybody hearing sound, on the first server unless told otherwise. */
export function sceneOf(
  changes: readonly Change[],
  fromMs: number,
  toMs: number,
  servers: readonly ServerName[],
  home: ServerName = LONDON,
): Scene {
  const outputs = new Map<ServerName, Stage[]>(
    servers.map((server) => [server, [{ fromMs: Number.NEGATIVE_INFINITY, is: 'sound' }]]),
  );
  const name = [{ fromMs: Number.NEGATIVE_INFINITY, server: home }];
  const ended: { atMs: number; server: ServerName }[] = [];
  for (const change of changes) {
    if (change.what === 'output')
      outputs.get(change.server)?.push({ fromMs: change.atMs, is: change.output.is });
    else if (change.what === 'name') name.push({ fromMs: change.atMs, server: change.server });
    else if (change.what === 'ended') ended.push(change);
  }
  return { home, fromMs, toMs, outputs, name, ended };
}

const BRINGS_BYTES: ReadonlySet<Output['is']> = new Set(['sound', 'pause', 'silent']);
const HEARD: ReadonlySet<Output['is']> = new Set(['sound', 'pause']);

/** When one player gave its listener no sound, in an episode. */
export function outagesOf(scene: Scene, player: Player, model: PlayerModel, random: () => number): Span[] {
  return new Listening(scene, player, model, random).run();
}

class Listening {
  readonly #scene: Scene;
  readonly #model: PlayerModel;
  readonly #player: Player;
  /** When its resolver last asked the authority; it asks again each time its answer has run out. */
  #askedMs: number;
  readonly #newSessionMs: number;
  readonly #outages: Span[] = [];
  #server: ServerName;
  #bufferMs: number;

  constructor(scene: Scene, player: Player, model: PlayerModel, random: () => number) {
    this.#scene = scene;
    this.#server = scene.home;
    this.#askedMs = scene.fromMs - player.askedAgoMs;
    this.#model = model;
    this.#player = player;
    // How long a session still lasts is as its whole length, when that is exponential.
    this.#newSessionMs = scene.fromMs - Math.log(1 - random()) * model.sessionMs;
    this.#bufferMs = model.bufferMs;
  }

  run(): Span[] {
    let atMs = this.#scene.fromMs;
    while (atMs < this.#scene.toMs) {
      const lost = this.#listen(atMs);
      if (lost === null) break;
      atMs = this.#comeBack(lost.atMs);
      this.#dark(lost.dryMs, atMs);
      this.#bufferMs = this.#model.bufferMs;
    }
    return this.#outages;
  }

  /** Listens from a moment on until the connection is lost: when, and when the buffer is empty. Null: to the end. */
  #listen(fromMs: number): { atMs: number; dryMs: number } | null {
    const { toMs, ended } = this.#scene;
    const endedMs = ended.find(({ server, atMs }) => server === this.#server && atMs > fromMs)?.atMs ?? toMs;
    let atMs = fromMs;
    while (atMs < endedMs) {
      const { is, untilMs } = this.#stageAt(atMs);
      const nextMs = Math.min(untilMs, endedMs);
      if (BRINGS_BYTES.has(is)) {
        if (!HEARD.has(is)) this.#dark(atMs, nextMs);
      } else if (is === 'refuses') {
        return { atMs, dryMs: atMs + this.#bufferMs };
      } else {
        const dryMs = atMs + this.#bufferMs;
        if (nextMs - atMs >= this.#model.readTimeoutMs)
          return { atMs: atMs + this.#model.readTimeoutMs, dryMs };
        this.#dark(dryMs, nextMs);
        this.#bufferMs = Math.max(0, this.#bufferMs - (nextMs - atMs));
      }
      atMs = nextMs;
    }
    return endedMs < toMs ? { atMs: endedMs, dryMs: endedMs + this.#bufferMs } : null;
  }

  /** Tries again and again from a loss on; returns when bytes come, or the end of the scene. */
  #comeBack(lostMs: number): number {
    const { reconnectMs, readTimeoutMs } = this.#model;
    let atMs = lostMs + reconnectMs;
    // Nobody else has asked the same resolver lately: it learns where the name points at this moment.
    if (atMs - this.#askedMs >= this.#player.ttlMs) this.#askedMs = atMs;
    while (atMs < this.#scene.toMs) {
      this.#server = this.#resolve(atMs);
      const { is, untilMs } = this.#stageAt(atMs);
      if (BRINGS_BYTES.has(is)) return atMs;
      if (is !== 'refuses') {
        // The connection hangs until bytes come or patience ends.
        if (untilMs < atMs + readTimeoutMs) {
          atMs = untilMs;
          continue;
        }
        atMs = this.#nextTryMs(atMs, readTimeoutMs + reconnectMs, untilMs);
      } else atMs = this.#nextTryMs(atMs, reconnectMs, untilMs);
    }
    return this.#scene.toMs;
  }

  /** The next try that can end otherwise: tries come every `everyMs`, and until `untilMs` or another answer all are in vain. */
  #nextTryMs(atMs: number, everyMs: number, untilMs: number): number {
    const changeMs = Math.min(untilMs, this.#answerChangesMs(atMs), this.#scene.toMs);
    const tries = Math.max(1, Math.ceil((changeMs - atMs) / everyMs));
    return atMs + tries * everyMs;
  }

  #answerChangesMs(atMs: number): number {
    if (this.#player.isSticky && atMs < this.#newSessionMs) return this.#newSessionMs;
    const next = this.#scene.name.find(({ fromMs }) => this.#knownMs(fromMs) > atMs);
    return next === undefined ? this.#scene.toMs : this.#knownMs(next.fromMs);
  }

  /** When the resolver learns of what became true. */
  #knownMs(trueMs: number): number {
    const { ttlMs } = this.#player;
    if (!Number.isFinite(trueMs) || ttlMs === 0) return trueMs;
    return Math.ceil((trueMs - this.#askedMs) / ttlMs) * ttlMs + this.#askedMs;
  }

  #resolve(atMs: number): ServerName {
    if (this.#player.isSticky && atMs < this.#newSessionMs) return this.#server;
    return (
      this.#scene.name.findLast(({ fromMs }) => this.#knownMs(fromMs) <= atMs)?.server ?? this.#scene.home
    );
  }

  #stageAt(atMs: number): { is: Output['is']; untilMs: number } {
    const stages = this.#scene.outputs.get(this.#server) ?? [];
    const index = stages.findLastIndex(({ fromMs }) => fromMs <= atMs);
    return {
      is: stages[index]?.is ?? 'sound',
      untilMs: stages[index + 1]?.fromMs ?? this.#scene.toMs,
    };
  }

  #dark(fromMs: number, toMs: number): void {
    const endMs = Math.min(toMs, this.#scene.toMs);
    if (endMs <= fromMs) return;
    const last = this.#outages.at(-1);
    if (last !== undefined && last.toMs >= fromMs)
      this.#outages[this.#outages.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, endMs) };
    else this.#outages.push({ fromMs, toMs: endMs });
  }
}
