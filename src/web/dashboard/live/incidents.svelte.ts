import type { IncidentView } from '../../../domain/history-view.ts';
import { type Answer, get, post } from './api.ts';

const EVERY_MS = 5_000;
const MOST = 30;

/** The incidents of one station, open ones and past ones, the newest first. */
export class Incidents {
  all = $state.raw<readonly IncidentView[]>([]);
  /** Why they can't be told; empty while they can. */
  problem = $state('');
  #ask: () => void = () => {};

  open = $derived(this.all.filter(({ closedAt }) => closedAt === null));
  past = $derived(this.all.filter(({ closedAt }) => closedAt !== null));

  /** Returns what ends it. */
  watch(station: string): () => void {
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      clearTimeout(timer);
      const query = `station=${encodeURIComponent(station)}&limit=${MOST}`;
      const answer = await get<{ incidents: IncidentView[] }>(`/api/v1/incidents?${query}`);
      if (ended) return;
      if (answer.ok) this.all = answer.body.incidents;
      this.problem = answer.ok || answer.status === 0 ? '' : answer.error;
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

  /** Something has just happened: ask now. */
  soon(): void {
    this.#ask();
  }

  async acknowledge(id: string): Promise<Answer<unknown>> {
    const answer = await post(`/api/v1/incidents/${encodeURIComponent(id)}/acknowledge`, {});
    this.soon();
    return answer;
  }
}
