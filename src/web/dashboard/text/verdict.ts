import type {
  AgentView,
  EventView,
  LegView,
  RelayStatus,
  ServerView,
  StationView,
} from '../../../domain/view.ts';
import { clock, duration, list, outputTone, outputWord, plain, type Tone, title, wordOf } from './words.ts';

/** What is on air on one server, and why. */
export interface ServerVerdict {
  readonly server: string;
  readonly tone: Tone;
  /** The largest word on the card. */
  readonly onAir: string;
  readonly says: string;
  readonly why: string;
}

/** The whole station in a sentence. */
export interface StationVerdict {
  readonly tone: Tone;
  readonly says: string;
}

const ORDER: readonly Tone[] = ['bad', 'warn', 'unknown', 'good'];
export const worst = (tones: readonly Tone[]): Tone => ORDER.find((tone) => tones.includes(tone)) ?? 'good';

export function serverVerdict(agent: AgentView, station: StationView, server: ServerView): ServerVerdict {
  const { tone, onAir, says } = judged(agent, station, server);
  return { server: server.server, tone, onAir, says, why: whyOf(agent, station, server) };
}

type Judged = Pick<ServerVerdict, 'tone' | 'onAir' | 'says'>;

function judged(agent: AgentView, station: StationView, server: ServerView): Judged {
  if (server.condition === 'down') {
    return { tone: 'bad', onAir: 'Down', says: server.detail || 'Icecast gives listeners nothing' };
  }
  const isOwn = server.server === agent.agent;
  const failed = station.alerts.find(
    ({ code, subject }) => code === 'relay-failed' && subject === server.server,
  );
  if (isOwn && station.relay !== null) return relayed(station.relay, server, station, failed?.detail ?? null);
  // Without its relay nothing feeds the public mount, whatever the sources do.
  if (isOwn && failed !== undefined) return { tone: 'bad', onAir: 'Stream down', says: failed.detail };
  const sound = ofServer(server, station);
  const heard = agent.dns?.servers.find((one) => one.server === server.server);
  if (isOwn || heard?.health !== 'ill' || sound.tone === 'bad') return sound;
  return { tone: 'bad', onAir: 'No sound', says: `listeners there get none (${heard.detail})` };
}

function ofServer(server: ServerView, station: StationView): Judged {
  const leg = server.legs.find(({ source }) => source === server.onAir);
  if (leg === undefined && station.relay !== null && server.role === 'deputy') {
    return {
      tone: 'warn',
      onAir: 'No agent',
      says: 'Icecast’s own fallback carries the listeners meanwhile',
    };
  }
  if (leg === undefined) {
    // The relay beside a server plays the sources of all of them.
    const { legs } = station.relay === null ? server : { legs: station.servers.flatMap((one) => one.legs) };
    if (legs.length > 0 && legs.every(({ condition }) => condition === 'faulty'))
      return { tone: 'bad', onAir: 'Nothing', says: 'no source has any programme' };
    return { tone: 'unknown', onAir: 'Not known yet', says: 'looking at what is on air' };
  }
  return besides(server, ofLeg(server, leg, station.relay !== null && server.role !== 'deputy'));
}

/** What our own relay plays, and whether the public mounts get it. */
function relayed(
  relay: RelayStatus,
  server: ServerView,
  station: StationView,
  failed: string | null,
): Judged {
  const isFiller = relay.onAir === null && relay.playing !== 'leg';
  const sound = isFiller ? filler(relay.playing) : ofServer(server, station);
  const unfed = relay.outputs.filter(({ state }) => state !== 'feeding');
  if (relay.playing === 'nothing' || unfed.length === 0) {
    return failed === null || sound.tone === 'bad' ? sound : { ...sound, tone: 'warn', says: failed };
  }
  const tone = worst(unfed.map(outputTone));
  const says = unfed.map((one) => `${one.mount} is ${outputWord(one)}`).join('; ');
  const isAll = unfed.length === relay.outputs.length;
  if (tone !== 'bad') return { tone, onAir: isAll ? 'Not known yet' : sound.onAir, says };
  const where = 'its listeners are where Icecast’s fallback leads';
  return { tone, onAir: isAll ? 'Stream down' : sound.onAir, says: `${says}; ${where}` };
}

function filler(playing: RelayStatus['playing']): Judged {
  switch (playing) {
    case 'emergency-file':
      return { tone: 'bad', onAir: 'Emergency file', says: 'no source has any programme' };
    case 'noise-floor':
      return {
        tone: 'bad',
        onAir: 'Nothing',
        says: 'no source has any programme, and there is no emergency file',
      };
    case 'leg':
    case 'nothing':
      return { tone: 'unknown', onAir: 'Not known yet', says: 'the relay is starting' };
  }
}

function ofLeg(server: ServerView, leg: LegView, isRelayed: boolean): Judged {
  const onAir = title(leg.source);
  const held = duration(leg.forMs);
  if (leg.condition === 'unknown') {
    return { tone: 'unknown', onAir, says: `can’t hear it: ${wordOf(leg)}` };
  }
  if (leg.condition === 'faulty') {
    const fate = isRelayed ? 'listeners are spared while the delay lasts' : 'listeners hear it';
    return { tone: 'bad', onAir, says: `${wordOf(leg)} for ${held}: ${fate}` };
  }
  const first = server.legs[0];
  if (first !== undefined && first.source !== leg.source) {
    const about =
      first.condition === 'audible'
        ? `${first.source} is back and being watched`
        : `${first.source} is ${wordOf(first)}`;
    return { tone: 'warn', onAir, says: `a stand-in: ${about}` };
  }
  return { tone: 'good', onAir, says: `sounding for ${held}` };
}

/** What else about the server is worth a look. */
function besides(server: ServerView, sound: Judged): Judged {
  if (sound.tone !== 'good' || server.condition === 'up') return sound;
  if (server.condition === 'unknown')
    return { ...sound, says: `${sound.says}; the server’s state is not known` };
  return {
    ...sound,
    tone: 'warn',
    says: `${sound.says}, but Icecast is ${server.condition}: ${server.detail}`,
  };
}

/** The event that put it on the air, as the log has it. */
export function lastSwitch(agent: AgentView, station: StationView, server: ServerView): EventView | null {
  const isRelayed = station.relay !== null && server.server === agent.agent;
  const found = station.events.findLast(({ event }) => {
    if (event.kind === 'relay-switched') return isRelayed;
    const isOnAir = ['switched', 'took-over', 'heard-on-air'].includes(event.kind);
    return isOnAir && 'server' in event && event.server === server.server;
  });
  return found ?? null;
}

function whyOf(agent: AgentView, station: StationView, server: ServerView): string {
  const hold = server.hold;
  if (hold !== null) {
    const left = duration(hold.remainingMs);
    return hold.source === null
      ? `Held by ${hold.author}: nothing changes by itself for ${left}`
      : `Put on by ${hold.author}, for ${left} more`;
  }
  const last = lastSwitch(agent, station, server);
  if (last?.event.kind === 'heard-on-air')
    return last.event.to === server.onAir ? `Since ${clock(last.time)}, as its agent says` : '';
  if (last === null || !('because' in last.event)) return '';
  return `Since ${clock(last.time)}: ${plain(last.event.because)}`;
}

export function stationVerdict(agent: AgentView, station: StationView): StationVerdict {
  const all = station.servers.map((server) => serverVerdict(agent, station, server));
  const tone = worst(all.map((one) => one.tone));
  if (tone === 'good') {
    const programmes = [...new Set(all.map(({ onAir }) => onAir))];
    const [only] = programmes;
    const where = list(all.map(({ server }) => title(server)));
    if (programmes.length === 1) return { tone, says: `${only} is on air on ${where}` };
    return {
      tone,
      says: list(all.map(({ server, onAir }) => `${title(server)} plays ${onAir.toLowerCase()}`)),
    };
  }
  const troubles = all.filter((one) => one.tone !== 'good');
  return {
    tone,
    says: troubles.map(({ server, onAir, says }) => `${title(server)}: ${onAir} – ${says}`).join('. '),
  };
}

/** One alert or incident's tone by how bad it is for listeners. */
export function alertTone(code: string): Tone {
  return ['nothing-audible', 'server-down', 'relay-failed', 'dns-no-server-well', 'dns-held'].includes(code)
    ? 'bad'
    : 'warn';
}
