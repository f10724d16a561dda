import type { StationEvent } from './events.ts';
import type { FailoverEvent } from './failover.ts';
import { lengthText } from './lengths.ts';
import type { AgentEvent, RecordedEvent } from './record.ts';
import type { StreamView } from './view.ts';

/** One event as a person would say it. */
export function sentenceOf(event: StationEvent): string {
  switch (event.kind) {
    case 'leg-changed': {
      const to = event.to.is === 'faulty' ? event.to.fault : event.to.is;
      return `${event.leg} is ${to}`;
    }
    case 'server-changed':
      return `${event.server} is ${event.to.is}`;
    case 'role-changed':
      return `${event.server}: ${event.to}, because ${event.because}`;
    case 'took-over':
      return `${event.server}: ${event.source} is on air (${event.because})`;
    case 'switched':
      return `${event.server}: ${event.from} to ${event.to}, because ${event.because}`;
    case 'heard-on-air':
      return `${event.server}: ${event.from} to ${event.to}, as the agent beside it says`;
    case 'moved':
      return `${event.server}: ${event.from} to ${event.to}: ${event.detail}`;
    case 'hold-changed':
      return `${event.server}: ${event.detail} by ${event.author}`;
    case 'refused':
      return `${event.server}: refused to ${event.author}: ${event.detail}`;
    case 'relay-switched':
      return `on air: ${event.to ?? (event.filler === undefined ? 'the noise floor' : 'the emergency file')} instead of ${event.from ?? 'nothing'}, because ${event.because}`;
    case 'relay-aligned':
      return `${event.leg}: ${event.detail}`;
    case 'alert-opened':
      return `alert ${event.code}: ${event.detail}`;
    case 'alert-closed':
      return `over: ${event.code} (${event.subject})`;
  }
}

/** One event of the DNS decision as a person would say it. */
export function failoverSentence(event: FailoverEvent): string {
  switch (event.kind) {
    case 'health-changed': {
      const { to } = event;
      const why =
        to.is === 'ill' ? ` (${to.illness}: ${to.detail})` : to.is === 'doubt' ? ` (${to.detail})` : '';
      return `${event.server} is ${to.is === 'doubt' ? 'in doubt' : to.is} for listeners${why}`;
    }
    case 'dns-moving':
      if (event.from === event.to)
        return `the name stays on ${event.to} and is written anew: ${event.because}`;
      return `the name goes ${event.from === null ? '' : `from ${event.from} `}to ${event.to}: ${event.because}`;
    case 'dns-found':
      return `the name points to ${event.to}${event.from === null ? '' : ` and no longer to ${event.from}`}, by another's hand`;
    case 'dns-moved':
      return `every authority answers with ${event.to}, after ${(event.tookMs / 1000).toFixed(1)} s${event.because === undefined ? '' : `: ${event.because}`}`;
    case 'dns-hold-changed':
      return `the DNS: ${event.detail} by ${event.author}`;
    case 'dns-refused':
      return `refused ${event.author}: ${event.detail}`;
    case 'listeners-ended':
      return `listeners still on ${event.server} are ended, so that they come back by name`;
    case 'dns-alert-opened':
      return `alert: ${event.detail}`;
    case 'dns-alert-closed':
      return `over: ${event.detail}`;
  }
}

/** What an agent did or found of itself, as a person would say it. */
export function agentSentence(event: AgentEvent): string {
  switch (event.kind) {
    case 'agent-started':
      return `the agent beside ${event.agent} started (${event.version})`;
    case 'agent-stopped':
      return `the agent beside ${event.agent} stopped`;
    case 'settings':
      return `settings of ${event.policy.station}: silence under ${event.policy.silence.thresholdDbfs} dBFS for ${event.policy.silence.tripMs / 1000} s`;
    case 'command-sent':
      return `${commandWords(event.command)}, because ${event.command.because}`;
    case 'command-ended':
      return `${event.id} is ${event.outcome.is}: ${event.outcome.detail}`;
    case 'acknowledged':
      return `acknowledged by ${event.author}${event.on === undefined ? '' : `, as ${event.on} says`}`;
    case 'planned-silence':
      return `planned silence ${event.is}: ${event.detail}`;
    case 'agent-alert-opened':
      return `alert ${event.code}: ${event.detail}`;
    case 'agent-alert-closed':
      return `over: ${event.detail}`;
    case 'output-changed':
      return `${event.mount} is ${event.isFed ? 'fed' : 'not fed'}`;
    case 'events-lost':
      return `${event.count} events were lost, as the disk took none`;
    case 'time-missed':
      if (event.is === 'stood-still') return `this agent stood still for ${lengthText(event.forMs)}`;
      return event.forMs < 0
        ? `the clock of this machine was put back by ${lengthText(-event.forMs)}`
        : `the clock of this machine was put forward by ${lengthText(event.forMs)}, or it slept`;
  }
}

function commandWords(command: (AgentEvent & { kind: 'command-sent' })['command']): string {
  return command.kind === 'move-listeners'
    ? `${command.server}: move listeners from ${command.from} to ${command.to}`
    : `${command.leg}: connect the monitor anew`;
}

/** Anything that is written down, in words. */
export function recordedSentence(event: RecordedEvent): string {
  switch (event.kind) {
    case 'health-changed':
    case 'dns-moving':
    case 'dns-found':
    case 'dns-moved':
    case 'dns-hold-changed':
    case 'dns-refused':
    case 'listeners-ended':
    case 'dns-alert-opened':
    case 'dns-alert-closed':
      return failoverSentence(event);
    case 'agent-started':
    case 'agent-stopped':
    case 'settings':
    case 'command-sent':
    case 'command-ended':
    case 'acknowledged':
    case 'planned-silence':
    case 'agent-alert-opened':
    case 'agent-alert-closed':
    case 'output-changed':
    case 'events-lost':
    case 'time-missed':
      return agentSentence(event);
    default:
      return sentenceOf(event);
  }
}

/** Why two public streams could not be compared; `here` is that of the agent's own server. */
export const WHY_NOT_COMPARED: Readonly<Record<NonNullable<StreamView['why']>, string>> = {
  'not-heard-here': 'too little came from here',
  'not-heard-there': 'too little came from there',
  'silent-here': 'there is silence here',
  'silent-there': 'there is silence there',
  repeats: 'the sound repeats itself and fits in several places',
};
