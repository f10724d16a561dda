import { failoverStep } from '../decide/failover/step.ts';
import { step } from '../decide/step.ts';
import { aged } from './aged.ts';
import type { DnsAgent } from './dns-world.ts';
import type { SimAgent } from './guard-agent.ts';
import type { RelayLine } from './relay-line.ts';

/** Longer than anything that recurs in a world in which nothing happens: a probe of a hung server comes every 7 s. */
const WATCH_MS = 15_000;
/** Everything that recurs is in the same phase again after this: 0.5, 1, 2.5, 5 and 7 s all go into it. */
const TURN_MS = 35_000;
/** The same with a lease, which is renewed every 2 s. */
const CLUSTER_TURN_MS = 70_000;
/** Longer than any delay that a decision knows. */
const FOR_GOOD_MS = 14 * 24 * 3_600_000;
/** From one try that found nothing to skip to the next. */
const AGAIN_AFTER_MS = 10_000;

/** Everything that decides by itself, and so may act when time passes. */
export interface Deciders {
  readonly stations: readonly { readonly agent: SimAgent; readonly relay: RelayLine | null }[];
  readonly names: readonly DnsAgent[];
}

type Snapshot = {
  readonly atMs: number;
  readonly stations: ReadonlyMap<SimAgent, SimAgent['state']>;
  readonly names: ReadonlyMap<DnsAgent, DnsAgent['state']>;
};

export interface Skipped {
  readonly byMs: number;
  /** Time alone would never change anything any more. */
  readonly isForGood: boolean;
}

const NOTHING: Skipped = { byMs: 0, isForGood: false };

/**
 * Leaves out the time in which nothing happens. The clock of the world stands still meanwhile, and what the decisions
 * remember of the past is moved back instead, so that every age they see is the true one. It goes no further than to
 * where a decision would do something by the mere passing of time, such as a restore delay that is over: decisions go
 * by what is and not by what was just now, so whatever would happen within the stretch would still be due at its end.
 */
export class Standstill {
  #first: Snapshot | null = null;
  #notBeforeMs = 0;

  /** `byMs`: how much was left out; 0 when the world has to go on step by step. */
  skip(nowMs: number, leftMs: number, happenedMs: number, deciders: Deciders): Skipped {
    const hasLease = deciders.names.some(({ policy }) => policy.mode === 'cluster');
    const turnMs = hasLease ? CLUSTER_TURN_MS : TURN_MS;
    if (leftMs < turnMs || nowMs < this.#notBeforeMs) return NOTHING;
    const first = this.#first;
    if (first === null || first.atMs < happenedMs || first.atMs > nowMs) {
      this.#first = snapshot(nowMs, deciders);
      return NOTHING;
    }
    if (nowMs - first.atMs < WATCH_MS) return NOTHING;
    const most = Math.floor(leftMs / turnMs);
    const turns = mostThat(most, (count) => isIdleAfter(count * turnMs, nowMs, first, deciders));
    const isForGood = turns === most && isIdleAfter(FOR_GOOD_MS, nowMs, first, deciders);
    this.#first = null;
    if (turns === 0) {
      this.#notBeforeMs = nowMs + AGAIN_AFTER_MS;
      return NOTHING;
    }
    const byMs = turns * turnMs;
    for (const { agent, relay } of deciders.stations) {
      agent.state = aged(agent.state, first.stations.get(agent) ?? agent.state, byMs);
      relay?.age(byMs);
    }
    for (const agent of deciders.names)
      agent.state = aged(agent.state, first.names.get(agent) ?? agent.state, byMs);
    return { byMs, isForGood };
  }
}

function snapshot(atMs: number, { stations, names }: Deciders): Snapshot {
  return {
    atMs,
    stations: new Map(stations.map(({ agent }) => [agent, agent.state])),
    names: new Map(names.map((agent) => [agent, agent.state])),
  };
}

/** Whether every decision would still leave everything as it is, had so much more time passed. */
function isIdleAfter(byMs: number, nowMs: number, first: Snapshot, { stations, names }: Deciders): boolean {
  const tick = { kind: 'tick', atMs: nowMs } as const;
  const areIdle = stations.every(({ agent, relay }) => {
    const before = first.stations.get(agent);
    if (before === undefined) return false;
    const older = aged(agent.state, before, byMs);
    const { commands, events } = step(older, tick, agent.policy);
    return commands.length === 0 && events.length === 0 && (relay?.isIdle(older, nowMs, byMs) ?? true);
  });
  if (!areIdle) return false;
  return names.every((agent) => {
    const before = first.names.get(agent);
    if (before === undefined) return false;
    const { commands, events } = failoverStep(aged(agent.state, before, byMs), tick, agent.policy);
    return events.length === 0 && commands.every(({ kind }) => kind === 'probe');
  });
}

/** The largest count up to `most` for which a property holds that, once lost, is lost for good. */
function mostThat(most: number, holds: (count: number) => boolean): number {
  if (holds(most)) return most;
  let good = 0;
  let bad = most;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (holds(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
