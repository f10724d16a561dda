import { isInForce } from '../decide/planned-silence.ts';
import type { StationEvent } from '../domain/events.ts';
import type { AgentEvent } from '../domain/record.ts';
import type { Relay } from '../relay/relay.ts';
import type { Station } from '../station.ts';

const BECAUSE = 'the log was begun anew in the middle of it';

/** How a station stands, as the events from which a log that begins here can be read. */
export function standingOf(
  { policy, state }: Station,
  relay: Relay | null,
  atMs: number,
): readonly (StationEvent | AgentEvent)[] {
  const legs = [...state.legs.values()].map(
    ({ leg, condition }): StationEvent => ({
      kind: 'leg-changed',
      atMs,
      leg: leg.id,
      from: { is: 'unknown', sinceMs: atMs, reason: 'starting' },
      to: condition,
    }),
  );
  const onAir = [...state.desks.values()].flatMap(({ server, onAir: source, hold }): StationEvent[] => {
    if (source === null || state.servers.get(server)?.role === 'watching') return [];
    const held = hold === null ? {} : ({ held: true } as const);
    return [{ kind: 'took-over', atMs, server, source, because: BECAUSE, ...held }];
  });
  const alerts = [...state.alerts.values()].map(
    ({ code, subject, detail }): StationEvent => ({ kind: 'alert-opened', atMs, code, subject, detail }),
  );
  const { silence } = state;
  const planned = { kind: 'planned-silence', atMs, is: 'begun', detail: silence?.says ?? '' } as const;
  return [
    { kind: 'settings', atMs, policy },
    ...(isInForce(silence, atMs) ? [planned] : []),
    ...legs,
    ...onAir,
    ...(relay === null ? [] : playedBy(relay, atMs)),
    ...alerts,
  ];
}

function playedBy({ view }: Relay, atMs: number): readonly (StationEvent | AgentEvent)[] {
  const { playing, onAir, outputs } = view;
  if (playing === 'nothing') return [];
  const filler = playing === 'emergency-file' ? ({ filler: 'emergency-file' } as const) : {};
  const unfed = outputs.filter(({ state }) => state.is !== 'feeding');
  return [
    {
      kind: 'relay-switched',
      atMs,
      from: null,
      to: onAir,
      ...filler,
      trigger: 'start',
      hitless: false,
      because: BECAUSE,
    },
    ...unfed.map(({ mount }) => ({ kind: 'output-changed', atMs, mount, isFed: false }) as const),
  ];
}
