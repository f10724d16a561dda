import type { StationEvent } from './events.ts';

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
