import type { IncidentView } from '../../../domain/history-view.ts';
import { type Asking, askAgain } from './again.ts';
import { type Answer, get, post } from './api.ts';

const EVERY_MS = 5_000;
const MOST = 30;

/** The incidents of one station, open ones and past ones, the newest first. */
export class Incidents {
  all = $state.raw<readonly IncidentView[]>([]);
  /** Why they can't be told; empty while they can. */
  problem = $state('');
  #asking: Asking | null = null;

  open = $derived(this.all.filter(({ closedAt }) => closedAt === null));
  past = $derived(this.all.filter(({ closedAt }) => closedAt !== null));

  /** Returns what ends it. */
  watch(station: string): () => void {
    const query = `station=${encodeURIComponent(station)}&limit=${MOST}`;
    const asking = askAgain(async (isOver) => {
      const answer = await get<{ incidents: IncidentView[] }>(`/api/v1/incidents?${query}`);
      if (isOver()) return;
      if (answer.ok) this.all = answer.body.incidents;
      this.problem = answer.ok || answer.status === 0 ? '' : answer.error;
    }, EVERY_MS);
    this.#asking = asking;
    return () => asking.stop();
  }

  /** Something has just happened: ask now. */
  soon(): void {
    this.#asking?.soon();
  }

  async acknowledge(id: string): Promise<Answer<unknown>> {
    const answer = await post(`/api/v1/incidents/${encodeURIComponent(id)}/acknowledge`, {});
    this.soon();
    return answer;
  }
}
