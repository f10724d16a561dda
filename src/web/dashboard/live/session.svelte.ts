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
  /** Which sitting this is: what was asked in another one is no answer to this one. */
  #sitting = 0;

  /** Asks whose session the browser has, if any; without an answer it is asked again. */
  async find(): Promise<void> {
    const sitting = this.#sitting;
    const answer = await get<SessionView>(PATH);
    if (sitting !== this.#sitting) return;
    if (answer.ok) this.#begin(answer.body);
    else if (answer.status === 401) this.lost();
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
    this.#end();
    this.wasLost = false;
  }

  /** The agent doesn't know us, or not any more. */
  lost(): void {
    if (this.is === 'signed-in') this.wasLost = true;
    this.#end();
  }

  #end(): void {
    this.#sitting += 1;
    this.is = 'signed-out';
    this.mayOperate = false;
  }

  #begin({ name, role, csrf }: SessionView): void {
    this.#sitting += 1;
    useCsrf(csrf);
    this.name = name;
    this.mayOperate = role === 'operator';
    this.is = 'signed-in';
    this.wasLost = false;
  }
}

export const session = new Session();
