import { processingDifferences, processingFingerprint } from '../domain/chain-sign.ts';
import type { AlertCode } from '../domain/events.ts';
import type { Mount } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { type Desk, isVerified, misfit, mountToLeave } from './desk.ts';
import type { LegState, Legs } from './leg.ts';
import type { ServerState } from './server.ts';

/** A leg may be unknown this long before somebody is told: a watchman who can't hear is none. In ms. */
const DEAF_GRACE_MS = 30_000;
/** A backup may be faulty this long before somebody is told, in ms. */
export const BACKUP_GRACE_MS = 30_000;
/** A monitor tries a server that was down again within this, and has then heard whether a source is there. In ms. */
const RECONNECTED_WITHIN_MS = 12_000;
/** What an agent that has just been restarted left behind is gone by then. In ms. */
const TWIN_FOR_MS = 20_000;
const FAILED_MOVES = 3;
/** A change of the config comes to one server after the other, by hands that type. In ms. */
const TURNED_WITHIN_MS = 60_000;
/** Two renewals of a presence and the looks that find them, with some patience. In ms. */
const VALUES_SHOWN_WITHIN_MS = 20_000;

/** One thing that a person must know now; `key` is one per code and subject. */
export interface Alert {
  readonly key: string;
  readonly code: AlertCode;
  readonly subject: string;
  readonly detail: string;
}

const alert = (code: AlertCode, subject: string, detail: string): Alert => ({
  key: `${code} ${subject}`,
  code,
  subject,
  detail,
});

/** Everything that deserves an alert at this moment, from the state alone: what is no longer here is over. */
export function alertsOf(
  server: ServerState,
  desk: Desk,
  legs: Legs,
  nowMs: number,
  policy: StationPolicy,
): Alert[] {
  const found = [
    ...serverAlerts(server, nowMs),
    ...twinAlerts(server, nowMs, policy),
    ...chainAlerts(server, nowMs, policy),
  ];
  if (server.role === 'watching') return found;
  if (server.role === 'deputy') {
    found.push(
      alert('agent-gone', server.server, `the agent beside ${server.server} is gone; this one stands in`),
    );
  }
  if (server.condition.is !== 'up') return found;
  const seen = legs.filter((leg) => !isOfTheServer(leg, server, nowMs));
  const air =
    policy.mode === 'relay' ? noiseAlerts(server, desk, policy) : airAlerts(desk, seen, nowMs, policy);
  return [...found, ...air, ...loopAlerts(server, legs, policy), ...legAlerts(desk, seen, nowMs, policy)];
}

/** What a leg is said to lack is what its server lacked, which was told, and is back: no monitor has tried it again yet. */
function isOfTheServer({ condition }: LegState, server: ServerState, nowMs: number): boolean {
  const backAtMs = server.condition.sinceMs;
  return (
    condition.is === 'faulty' &&
    condition.fault === 'unresponsive' &&
    condition.sinceMs < backAtMs &&
    nowMs - backAtMs < RECONNECTED_WITHIN_MS
  );
}

/** Two machines with one name: each takes the other for itself, and the server that none of them is called after has no agent. */
function twinAlerts(
  { server, twinSinceMs }: ServerState,
  nowMs: number,
  { self, servers }: StationPolicy,
): Alert[] {
  const told = servers.includes(self) ? self : servers[0];
  if (server !== told || twinSinceMs === null || nowMs - twinSinceMs < TWIN_FOR_MS) return [];
  const detail = `another agent is called ${self} too: each machine needs its own SUSTAIN_SERVER (or SUSTAIN_WITNESS)`;
  return [alert('agent-twice', server, detail)];
}

/** Listeners of one server would hear another sound than those of the other, and hear it change when they are moved. */
function chainAlerts(
  { server, agentChain, chainDiffersSinceMs }: ServerState,
  nowMs: number,
  policy: StationPolicy,
): Alert[] {
  const ours = policy.processing;
  if (chainDiffersSinceMs === null || nowMs - chainDiffersSinceMs < TURNED_WITHIN_MS) return [];
  if (ours === null || agentChain === null) {
    const who = ours === null ? `the agent beside ${server} processes` : `this agent processes`;
    const other = ours === null ? 'this one does not' : `the one beside ${server} does not`;
    return [alert('processing-differs', server, `${who} the sound and ${other}: compare serve.processing`)];
  }
  const fingerprint = processingFingerprint(ours);
  const { values } = agentChain;
  // It shows its values as soon as it has seen ours: then the parameter has a name.
  if (values === null && nowMs - agentChain.sinceMs < VALUES_SHOWN_WITHIN_MS) return [];
  const which =
    values === null
      ? 'it does not show which: is it of the same version?'
      : processingDifferences(ours, values).join(', ');
  const detail = `the processing chain beside ${server} (${agentChain.fingerprint}) is another than ours (${fingerprint}): ${which}`;
  return [alert('processing-differs', server, detail)];
}

function serverAlerts({ server, condition }: ServerState, nowMs: number): Alert[] {
  switch (condition.is) {
    case 'misconfigured':
      return [
        alert(
          'admin-unauthorised',
          server,
          `${condition.detail}: check the admin user and passwordFile of ${server}`,
        ),
      ];
    case 'overloaded':
      return [
        alert('admin-overloaded', server, `${condition.detail}: raise <clients> in icecast.xml of ${server}`),
      ];
    case 'down':
      return [alert('server-down', server, condition.detail)];
    case 'unknown':
      if (nowMs - condition.sinceMs < DEAF_GRACE_MS) return [];
      return [
        alert(
          'cannot-hear',
          server,
          `the admin API of ${server} gives no answer that can be used, so nothing is proven there`,
        ),
      ];
    case 'up':
      return [];
  }
}

function airAlerts(desk: Desk, legs: Legs, nowMs: number, policy: StationPolicy): Alert[] {
  const found: Alert[] = [];
  const current = legs.find((leg) => leg.leg.source === desk.onAir);
  if (current === undefined) return found;
  if (current.condition.is === 'faulty') {
    const audible = legs.filter((leg) => leg !== current && isVerified(leg.condition, nowMs, policy));
    if (audible.length === 0) {
      const detail = `${current.leg.mount} is ${current.condition.fault} and no other source is audible: listeners stay where they are`;
      found.push(alert('nothing-audible', desk.server, detail));
    }
  }
  for (const [from, sweep] of desk.sweeps) {
    if (sweep.failures < FAILED_MOVES) continue;
    const detail = `${sweep.failures} attempts to move the listeners of ${from} to ${current.leg.mount} failed: ${sweep.lastDetail}`;
    found.push(alert('move-not-converging', `${desk.server}${from}`, detail));
  }
  return found;
}

function noiseAlerts(server: ServerState, desk: Desk, policy: StationPolicy): Alert[] {
  // Before the relay has played anything there is nothing to be told.
  if (server.server !== policy.self || desk.onAir !== null || desk.lastSwitchAtMs === null) return [];
  return [
    alert(
      'nothing-audible',
      server.server,
      'no source is audible on any server: the public mounts carry the emergency file, or a noise floor where none can be played',
    ),
  ];
}

/**
 * Where the fallback of a public mount ends at one of our own sources, Icecast carries our monitor of that source over to
 * our own output each time we connect (with its override). The monitor connects anew, and what it heard there is not
 * played; but it is the server that has to be changed.
 */
function loopAlerts({ server, fallbacks }: ServerState, legs: Legs, policy: StationPolicy): Alert[] {
  if (server !== policy.self) return [];
  return (policy.publicMounts ?? []).flatMap((mount) => {
    const net = chainFrom(mount, fallbacks);
    const carried = legs.find(
      ({ leg, carriedOffAtMs }) => carriedOffAtMs !== null && net.includes(leg.mount),
    );
    if (carried === undefined) return [];
    const source = carried.leg.mount;
    const detail =
      `${mount} falls back on ${source} itself, so Icecast carried this agent's monitor of ${source} over to ${mount}, where it heard itself; ` +
      `it has left and connected anew. In icecast.xml of ${server}, let ${mount} fall back on an on-demand relay of ${source} instead: \`sustain icecast-config\` writes the blocks`;
    return [alert('hears-itself', `${server}${mount}`, detail)];
  });
}

/** The mounts that a mount's listeners may be sent to, one after the other. */
function chainFrom(mount: Mount, fallbacks: ReadonlyMap<Mount, Mount>): readonly Mount[] {
  const chain: Mount[] = [];
  for (let next = fallbacks.get(mount); next !== undefined; next = fallbacks.get(next)) {
    if (chain.includes(next)) break;
    chain.push(next);
  }
  return chain;
}

/** The backup is proven, not presumed: told before it is needed. */
function legAlerts(desk: Desk, legs: Legs, nowMs: number, policy: StationPolicy): Alert[] {
  const found: Alert[] = [];
  const current = legs.find((leg) => leg.leg.source === desk.onAir);
  for (const leg of legs) {
    if (leg.found.length > 0 && leg.missing === null) {
      const detail = `the meter finds ${leg.found.join(' and ')} in the sound of ${leg.leg.mount}`;
      found.push(alert('programme-fault', leg.leg.id, detail));
    }
    if (leg.condition.is === 'unknown' && nowMs - leg.condition.sinceMs >= DEAF_GRACE_MS) {
      const detail = `this agent can't say how ${leg.leg.mount} sounds (${leg.condition.reason}), so it would not act on it`;
      found.push(alert('cannot-hear', leg.leg.id, detail));
    }
    if (leg === current) continue;
    const unfit =
      current === undefined || policy.mode === 'relay' ? null : misfit(mountToLeave(current), leg.view);
    if (unfit !== null && leg.missing === null) found.push(alert(unfit.is, leg.leg.id, unfit.detail));
    const { condition } = leg;
    if (condition.is !== 'faulty' || nowMs - condition.sinceMs < BACKUP_GRACE_MS) continue;
    found.push(
      alert(
        'backup-not-proven',
        leg.leg.id,
        `${leg.leg.mount} is ${condition.fault} (${condition.detail}): it can't be used`,
      ),
    );
  }
  return found;
}
