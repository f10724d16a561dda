import { channelName, type LevelChannel } from '../../../domain/levels.ts';
import type { ProcessingFigures } from '../../levels/processing-frame.ts';
import { agent } from './agent.svelte.ts';
import { moved, type Needle } from './ballistics.ts';
import { watchLevels } from './levels-socket.ts';

/** Draws one channel; null: nothing is known of it now. */
export type Painter = (needle: Needle | null) => void;
type ProcessingPainter = (figures: ProcessingFigures | null) => void;

/**
 * The meters. Twenty times a second is too often for a page to be thought over again, so that frames go past Svelte:
 * each meter leaves a painter here, which is called once for each picture that the browser makes.
 */
class Meters {
  /** In the order of each station's hello. */
  channels = $state.raw<ReadonlyMap<string, readonly LevelChannel[]>>(new Map());
  isLive = $state(false);
  #stations: readonly { readonly name: string; readonly keys: readonly string[] }[] = [];
  readonly #needles = new Map<string, Needle>();
  readonly #painters = new Map<string, Set<Painter>>();
  readonly #processingPainters = new Map<ProcessingPainter, string>();
  readonly #changed = new Set<string>();
  #drawing = 0;

  /** The frames of one station; returns what ends it. */
  watch(wanted: string): () => void {
    return watchLevels(wanted, {
      hello: ({ stations }) => {
        this.channels = new Map(stations.map(({ station, channels }) => [station, channels]));
        this.#stations = stations.map(({ station, channels }) => ({
          name: station,
          keys: channels.map(channelName),
        }));
        this.isLive = true;
        agent.soon();
      },
      frame: ({ station, channels }) => {
        const keys = this.#stations[station]?.keys ?? [];
        channels.forEach((levels, index) => {
          const key = keys[index];
          if (key === undefined) return;
          const before = this.#needles.get(key) ?? null;
          if (before !== null && before.levels.condition !== levels.condition) agent.soon();
          this.#needles.set(key, moved(before, levels, performance.now()));
          this.#changed.add(key);
        });
        this.#draw();
      },
      processed: ({ station, figures }) => {
        const name = this.#stations[station]?.name;
        for (const [painter, of] of this.#processingPainters) if (of === name) painter(figures);
      },
      lost: () => {
        this.isLive = false;
        for (const painter of this.#processingPainters.keys()) painter(null);
        for (const key of this.#needles.keys()) this.#changed.add(key);
        this.#needles.clear();
        this.#draw();
      },
    });
  }

  /** Returns what takes the painter away again. */
  paint(key: string, painter: Painter): () => void {
    const painters = this.#painters.get(key) ?? new Set();
    this.#painters.set(key, painters.add(painter));
    painter(this.#needles.get(key) ?? null);
    return () => painters.delete(painter);
  }

  /** Ten times a second; returns what takes the painter away again. */
  paintProcessing(station: string, painter: ProcessingPainter): () => void {
    this.#processingPainters.set(painter, station);
    return () => this.#processingPainters.delete(painter);
  }

  #draw(): void {
    if (this.#drawing !== 0) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      for (const key of this.#changed) {
        for (const painter of this.#painters.get(key) ?? []) painter(this.#needles.get(key) ?? null);
      }
      this.#changed.clear();
    });
  }
}

export const meters = new Meters();
