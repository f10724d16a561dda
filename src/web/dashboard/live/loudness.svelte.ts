import type { LoudnessView } from '../../../domain/view.ts';
import { get } from './api.ts';

const EVERY_MS = 10_000;

/** The last hours of one station, asked for again and again while somebody looks. */
export class Loudness {
  view = $state.raw<LoudnessView | null>(null);

  /** Returns what ends it. */
  watch(station: string, lastMs: number, points: number): () => void {
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      const query = `lastMs=${lastMs}&points=${points}`;
      const answer = await get<LoudnessView>(
        `/api/v1/stations/${encodeURIComponent(station)}/loudness?${query}`,
      );
      if (ended) return;
      if (answer.ok) this.view = answer.body;
      timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }
}
