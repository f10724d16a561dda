import type { PlannedSilenceView } from '../../../domain/planned-silence.ts';
import { type Answer, get, post, remove } from './api.ts';

const EVERY_MS = 10_000;

/** As the agent takes it; its answer says what is wrong with it. */
export interface PlanWish {
  readonly day: string;
  readonly at: string;
  readonly forMs: number;
  readonly says: string;
}

/** The planned silences of one station. */
export class Plans {
  planned = $state.raw<readonly PlannedSilenceView[]>([]);
  #path = '';
  #ask: () => void = () => {};

  inForce = $derived(this.planned.filter(({ inForce }) => inForce));

  /** Returns what ends it. */
  watch(station: string): () => void {
    this.#path = `/api/v1/stations/${encodeURIComponent(station)}/planned-silence`;
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      clearTimeout(timer);
      const answer = await get<{ planned: PlannedSilenceView[] }>(this.#path);
      if (ended) return;
      if (answer.ok) this.planned = answer.body.planned;
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), EVERY_MS);
    };
    this.#ask = () => void ask();
    this.#ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }

  async plan(wish: PlanWish): Promise<Answer<unknown>> {
    const answer = await post(this.#path, wish);
    this.#ask();
    return answer;
  }

  async cancel(id: string): Promise<Answer<unknown>> {
    const answer = await remove(`${this.#path}/${encodeURIComponent(id)}`);
    this.#ask();
    return answer;
  }
}
