import { type Answer, get, post, remove, useCsrf, whenForbidden } from './api.ts';

export interface SessionView {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
  readonly csrf: string;
}

const PATH = '/api/v1/session';

/** Who sits here. */
class Session {
  is = $state<'asking' | 'signed-out' | 'signed-in'>('asking');
  name = $state('');
  mayOperate = $state(false);
  /** It was over without anybody here having asked for that. */
  wasLost = $state(false);

  /** Asks whose session the browser has, if any; without an answer it is asked again. */
  async find(): Promise<void> {
    const answer = await get<SessionView>(PATH);
    if (answer.ok) this.#begin(answer.body);
    else if (answer.status === 401) this.#end(this.is === 'signed-in');
    else setTimeout(() => void this.find(), 1_000);
  }

  /** Another tab may have signed in somebody else meanwhile: asks whenever it could show. Returns what ends it. */
  watch(): () => void {
    const seen = () => document.visibilityState === 'visible' && void this.find();
    document.addEventListener('visibilitychange', seen);
    whenForbidden(() => void this.find());
    return () => document.removeEventListener('visibilitychange', seen);
  }

  async signIn(name: string, password: string): Promise<Answer<SessionView>> {
    const answer = await post<SessionView>(PATH, { name, password });
    if (answer.ok) this.#begin(answer.body);
    return answer;
  }

  async signOut(): Promise<void> {
    await remove(PATH);
    this.#end(false);
  }

  /** The agent doesn't know us any more. */
  lost(): void {
    this.#end(true);
  }

  #end(wasLost: boolean): void {
    this.is = 'signed-out';
    this.mayOperate = false;
    this.wasLost = wasLost;
  }

  #begin({ name, role, csrf }: SessionView): void {
    useCsrf(csrf);
    this.name = name;
    this.mayOperate = role === 'operator';
    this.is = 'signed-in';
    this.wasLost = false;
  }
}

export const session = new Session();
