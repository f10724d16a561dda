import type { PlannedSilenceView } from '../../../domain/planned-silence.ts';
import { type Asking, askAgain } from './again.ts';
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
  /** By whose clocks a silence is planned; empty until the agent has said it. */
  timeZone = $state('');
  #path = '';
  #asking: Asking | null = null;

  inForce = $derived(this.planned.filter(({ inForce }) => inForce));

  /** Returns what ends it. */
  watch(station: string): () => void {
    this.#path = `/api/v1/stations/${encodeURIComponent(station)}/planned-silence`;
    const asking = askAgain(async (isOver) => {
      const answer = await get<{ planned: PlannedSilenceView[]; timeZone: string }>(this.#path);
      if (!answer.ok || isOver()) return;
      this.planned = answer.body.planned;
      this.timeZone = answer.body.timeZone;
    }, EVERY_MS);
    this.#asking = asking;
    return () => asking.stop();
  }

  async plan(wish: PlanWish): Promise<Answer<unknown>> {
    const answer = await post(this.#path, wish);
    this.#asking?.soon();
    return answer;
  }

  async cancel(id: string): Promise<Answer<unknown>> {
    const answer = await remove(`${this.#path}/${encodeURIComponent(id)}`);
    this.#asking?.soon();
    return answer;
  }
}
