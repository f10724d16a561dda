import type { LoudnessView } from '../../../domain/view.ts';
import { askAgain } from './again.ts';
import { get } from './api.ts';

const EVERY_MS = 10_000;

/** The last hours of one station, asked for again and again while somebody looks. */
export class Loudness {
  view = $state.raw<LoudnessView | null>(null);

  /** Returns what ends it. */
  watch(station: string, lastMs: number, points: number): () => void {
    const path = `/api/v1/stations/${encodeURIComponent(station)}/loudness?lastMs=${lastMs}&points=${points}`;
    const asking = askAgain(async (isOver) => {
      const answer = await get<LoudnessView>(path);
      if (answer.ok && !isOver()) this.view = answer.body;
    }, EVERY_MS);
    return () => asking.stop();
  }
}
