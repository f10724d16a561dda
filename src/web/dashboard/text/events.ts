import type { StationEvent } from '../../../domain/events.ts';
import type { FailoverEvent } from '../../../domain/failover.ts';
import { sentenceOf } from '../../../domain/sentences.ts';
import type { AgentView, StationView } from '../../../domain/view.ts';
import { plain, type Tone } from './words.ts';

export type Topic = 'switches' | 'sound' | 'alerts' | 'people' | 'servers';

/** One line of the log. */
export interface Line {
  readonly key: string;
  readonly time: string;
  readonly topic: Topic;
  readonly tone: Tone | null;
  readonly says: string;
  /** Null where the sentence itself says why. */
  readonly because: string | null;
}

type Said = Pick<Line, 'topic' | 'tone' | 'says' | 'because'>;

/** The newest first. */
export function logOf(agent: AgentView, station: StationView): readonly Line[] {
  const ofStation = station.events.map(({ time, event }, index) => ({
    key: `${time} ${event.kind} ${index}`,
    time,
    ...plainly(said(event)),
  }));
  const ofName = (agent.dns?.events ?? []).map(({ time, event }, index) => ({
    key: `dns ${time} ${event.kind} ${index}`,
    time,
    ...plainly(saidOfName(event)),
  }));
  return newestFirst(ofStation, ofName);
}

/** Each log in its own order, which no clock of the agent that was put back turns round. */
function newestFirst(ofStation: readonly Line[], ofName: readonly Line[]): readonly Line[] {
  const [one, other] = [[...ofStation], [...ofName]];
  const lines: Line[] = [];
  for (;;) {
    const isOther = (other.at(-1)?.time ?? '') > (one.at(-1)?.time ?? '');
    const line = isOther ? other.pop() : (one.pop() ?? other.pop());
    if (line === undefined) return lines;
    lines.push(line);
  }
}

/** An event of a log, with its time by the agent's clock. */
export interface Noted {
  readonly time: string;
  readonly event: { readonly kind: string; readonly atMs: number };
}

/** What has come behind an event, by its place; all there is where that is gone. */
export function eventsBehind<One extends Noted>(
  last: Noted | undefined,
  events: readonly One[],
): readonly One[] {
  const keyOf = ({ time, event }: Noted) => `${time} ${event.kind} ${event.atMs}`;
  const place = last === undefined ? -1 : events.map(keyOf).lastIndexOf(keyOf(last));
  return events.slice(place + 1);
}

/** As people call the legs. */
export function plainly(one: Said): Said {
  return { ...one, says: plain(one.says), because: one.because === null ? null : plain(one.because) };
}

export function said(event: StationEvent): Said {
  const says = sentenceOf(event);
  switch (event.kind) {
    case 'switched':
      return {
        topic: 'switches',
        tone: event.trigger === 'fault' ? 'warn' : null,
        says: `${event.server}: ${event.from} → ${event.to}`,
        because: event.because,
      };
    case 'relay-switched': {
      const to = event.to ?? (event.filler === undefined ? 'the noise floor' : 'the emergency file');
      const tone = event.to === null ? 'bad' : event.trigger === 'fault' ? 'warn' : null;
      const how = event.hitless ? ', in step' : '';
      return {
        topic: 'switches',
        tone,
        says: `${event.from ?? 'nothing'} → ${to}${how}`,
        because: event.because,
      };
    }
    case 'took-over':
      return {
        topic: 'switches',
        tone: null,
        says: `${event.server}: ${event.source} is on air`,
        because: event.because,
      };
    case 'leg-changed': {
      const tone = event.to.is === 'audible' ? 'good' : event.to.is === 'faulty' ? 'bad' : 'unknown';
      return { topic: 'sound', tone, says, because: event.to.is === 'faulty' ? event.to.detail : null };
    }
    case 'server-changed': {
      const tone = event.to.is === 'up' ? 'good' : event.to.is === 'down' ? 'bad' : 'warn';
      return { topic: 'servers', tone, says, because: 'detail' in event.to ? event.to.detail : null };
    }
    case 'role-changed':
      return {
        topic: 'servers',
        tone: event.to === 'deputy' ? 'warn' : null,
        says: `${event.server}: ${event.to}`,
        because: event.because,
      };
    case 'heard-on-air':
      return {
        topic: 'switches',
        tone: null,
        says: `${event.server}: ${event.from} → ${event.to}`,
        because: 'the agent beside it says so',
      };
    case 'moved':
      return {
        topic: 'switches',
        tone: null,
        says: `${event.server}: listeners from ${event.from} to ${event.to}`,
        because: event.detail,
      };
    case 'hold-changed':
      return { topic: 'people', tone: null, says, because: null };
    case 'refused':
      return {
        topic: 'people',
        tone: 'warn',
        says: `${event.server}: refused to ${event.author}`,
        because: event.detail,
      };
    case 'alert-opened':
      return {
        topic: 'alerts',
        tone: 'warn',
        says: `${event.code.replaceAll('-', ' ')} (${event.subject})`,
        because: event.detail,
      };
    case 'alert-closed':
      return { topic: 'alerts', tone: 'good', says, because: null };
    case 'relay-aligned':
      return { topic: 'sound', tone: null, says, because: null };
  }
}

function saidOfName(event: FailoverEvent): Said {
  switch (event.kind) {
    case 'dns-moving':
      return {
        topic: 'switches',
        tone: event.trigger === 'fault' ? 'warn' : null,
        says:
          event.from === event.to
            ? `DNS: ${event.to}, written anew`
            : `DNS: ${event.from ?? 'nowhere'} → ${event.to}`,
        because: event.because,
      };
    case 'dns-found':
      return {
        topic: 'switches',
        tone: null,
        says: `DNS: ${event.from ?? 'nowhere'} → ${event.to}`,
        because: 'written by another agent or by hand',
      };
    case 'dns-moved':
      return {
        topic: 'switches',
        tone: 'good',
        says: `DNS: ${event.to} is published, after ${(event.tookMs / 1000).toFixed(1)} s`,
        because: event.because ?? null,
      };
    case 'health-changed':
      return {
        topic: 'servers',
        tone:
          event.to.is === 'well'
            ? 'good'
            : event.to.is === 'ill'
              ? 'bad'
              : event.to.is === 'doubt'
                ? 'warn'
                : 'unknown',
        says: `${event.server} is ${event.to.is} for listeners`,
        because: 'detail' in event.to ? event.to.detail : null,
      };
    case 'dns-hold-changed':
      return { topic: 'people', tone: null, says: `DNS: ${event.detail} by ${event.author}`, because: null };
    case 'dns-refused':
      return {
        topic: 'people',
        tone: 'warn',
        says: `DNS: refused to ${event.author}`,
        because: event.detail,
      };
    case 'listeners-ended':
      return {
        topic: 'switches',
        tone: null,
        says: `${event.server}: listeners were let go`,
        because: event.because,
      };
    case 'dns-alert-opened':
      return {
        topic: 'alerts',
        tone: 'warn',
        says: `${event.code.replaceAll('-', ' ')} (${event.subject})`,
        because: event.detail,
      };
    case 'dns-alert-closed':
      return {
        topic: 'alerts',
        tone: 'good',
        says: `over: ${event.code.replaceAll('-', ' ')} (${event.subject})`,
        because: null,
      };
  }
}
