import type { IncidentChange } from '../domain/incidents.ts';

/** Another agent, as its sign of life shows it. */
export interface ColleagueSight {
  readonly agent: string;
  readonly seenAgoMs: number;
  /** Its words for the other agents. */
  readonly marks: ReadonlySet<string>;
}

export interface TellingSituation {
  readonly self: string;
  /** Servers in the order of the config; an agent that stands beside none (a witness) comes after them. */
  readonly order: readonly string[];
  readonly colleagues: readonly (Omit<ColleagueSight, 'marks'> & {
    /** It shows that it has told of this, or of worse. */
    readonly hasTold: boolean;
  })[];
  /** To whom the beginning of it was left; null: to nobody. */
  readonly leftTo: string | null;
  readonly is: Exclude<IncidentChange['is'], 'changed'>;
  /** Whether this agent told people when it opened. */
  readonly toldByUs: boolean;
  /** How long it has been left for a colleague to tell. */
  readonly waitedMs: number;
}

export type Telling =
  | { readonly do: 'tell' }
  | { readonly do: 'wait'; readonly forMs: number }
  | { readonly do: 'leave'; readonly to: string };

/** A sign of life is renewed every 5 s and looked for every second. */
const ALIVE_MS = 12_000;
/** So long one with precedence has to tell and to show that it did. */
const PRECEDENCE_MS = 12_000;

/**
 * Which of the agents that see an incident tells people of it. The first living one in the order of the config does, at
 * once; the others see by its sign of life that it has, and else tell themselves a little later, one after another. When
 * they can't see each other, each tells: rather twice than never.
 */
export function whoTells(situation: TellingSituation): Telling {
  const { self, order, colleagues, leftTo, is, toldByUs, waitedMs } = situation;
  // Who has begun a thread goes on with it.
  if (toldByUs) return { do: 'tell' };
  const living = colleagues.filter((one) => one.agent !== self && isAlive(one));
  const teller = living.find(({ hasTold }) => hasTold);
  if (teller !== undefined) return { do: 'leave', to: teller.agent };
  // Who began the thread has ended it, though we are later with our part: nobody knows of ours.
  const hasBegun = living.find(({ agent }) => agent === leftTo);
  if (hasBegun !== undefined && (is === 'closed' || is === 'acknowledged'))
    return { do: 'leave', to: hasBegun.agent };
  const patienceMs = precedenceMs(
    self,
    order,
    living.map(({ agent }) => agent),
  );
  // The end of what nobody of us began is told by whoever is there.
  if (is === 'closed' || waitedMs >= patienceMs) return { do: 'tell' };
  return { do: 'wait', forMs: patienceMs - waitedMs };
}

/** How long those before an agent have to tell: each in its turn, so that two that wait for a third don't both tell. */
export function precedenceMs(self: string, order: readonly string[], living: readonly string[]): number {
  const rankOf = (agent: string) => (order.includes(agent) ? order.indexOf(agent) : order.length);
  const isBefore = (agent: string) =>
    rankOf(agent) < rankOf(self) || (rankOf(agent) === rankOf(self) && agent < self);
  return living.filter(isBefore).length * PRECEDENCE_MS;
}

export const isAlive = ({ seenAgoMs }: { readonly seenAgoMs: number }): boolean => seenAgoMs <= ALIVE_MS;
