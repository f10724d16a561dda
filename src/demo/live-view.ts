import type { StationEvent } from '../domain/events.ts';
import { sentenceOf } from '../domain/sentences.ts';
import type { AgentView, AlertView, EventView, LegView, ServerView } from '../domain/view.ts';
import { type Cancel, type Clock, systemClock } from '../platform/clock.ts';

/** Where the view is drawn: standard output, or a test's list of texts. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface LiveViewOptions {
  /** The newest state of every agent that answers; asked at every refresh, so it must not wait. */
  readonly states: () => readonly AgentView[];
  /** Lines over the tables: addresses to listen to, what the tour is doing now. */
  readonly heading: () => readonly string[];
  readonly screen?: Screen;
  readonly clock?: Clock;
}

const REFRESH_MS = 250;
const PLAIN_LINE_MS = 2000;
const EVENTS_SHOWN = 6;
const SAME_ALERT_MS = 5000;
const BAR_CELLS = 20;
const BAR_FLOOR_DBFS = -60;
const MIN_COLUMNS = 60;

type Ink = 'plain' | 'bold' | 'dim' | 'green' | 'yellow' | 'red';
const ANSI: Record<Ink, string> = {
  plain: '',
  bold: '\x1b[1m',
  dim: '\x1b[2m',
  green: '\x1b[32m',
  yellow: '\x1b[33m',
  red: '\x1b[31m',
};

interface Cell {
  readonly text: string;
  readonly ink: Ink;
}
type Line = readonly Cell[];

const cell = (text: string, ink: Ink = 'plain'): Cell => ({ text, ink });

/** On a terminal the tables stand still and change four times a second; elsewhere one line comes every two seconds. */
export function startLiveView(options: LiveViewOptions): Cancel {
  const screen: Screen = options.screen ?? process.stdout;
  const clock = options.clock ?? systemClock;
  if (screen.isTTY !== true) {
    return clock.every(PLAIN_LINE_MS, () => screen.write(`${plainLine(options.states())}\n`));
  }
  let drawnLines = 0;
  const draw = () => {
    const room = Math.max(4, (screen.rows ?? 50) - 1);
    const columns = Math.max(MIN_COLUMNS, screen.columns ?? 100);
    const lines = liveLines(options.states(), options.heading()).slice(0, room);
    const up = drawnLines > 0 ? `\x1b[${drawnLines}A` : '';
    const body = lines.map((line) => `${painted(line, columns)}\x1b[K\n`).join('');
    screen.write(`${up}\r${body}\x1b[J`);
    drawnLines = lines.length;
  };
  screen.write('\x1b[?25l');
  draw();
  const cancel = clock.every(REFRESH_MS, draw);
  return () => {
    cancel();
    draw();
    screen.write('\x1b[?25h');
  };
}

function painted(line: Line, columns: number): string {
  let room = columns;
  let text = '';
  for (const { text: whole, ink } of line) {
    const shown = [...whole].slice(0, room).join('');
    room -= [...shown].length;
    text += ink === 'plain' ? shown : `${ANSI[ink]}${shown}\x1b[0m`;
  }
  return text;
}

/** The tables as they stand now; colours apart, this is what the terminal shows. */
export function liveLines(states: readonly AgentView[], heading: readonly string[]): readonly Line[] {
  const stations = newestOfStations(states);
  const lines: Line[] = heading.map((text) => [cell(text)]);
  for (const station of stations) {
    lines.push([], [cell(station.name, 'bold')]);
    for (const { view, seenBy } of station.servers) lines.push(...serverLines(view, seenBy));
    if (station.alerts.length > 0) lines.push([]);
    for (const { code, subject, detail } of station.alerts) {
      lines.push([cell('  ! ', 'red'), cell(`${code} ${subject}: ${detail}`, 'red')]);
    }
    if (station.events.length > 0) lines.push([]);
    for (const { time, event } of station.events.slice(-EVENTS_SHOWN)) {
      lines.push([cell(`  ${clockTime(time)}  `, 'dim'), cell(sentenceOf(event))]);
    }
  }
  if (stations.length === 0) lines.push([], [cell('No agent answers.', 'yellow')]);
  return lines;
}

interface StationPicture {
  readonly name: string;
  readonly servers: readonly { readonly view: ServerView; readonly seenBy: string }[];
  readonly alerts: readonly AlertView[];
  readonly events: readonly EventView[];
}

/** Each server as the agent beside it sees it, or else as the one that is left does. */
function newestOfStations(states: readonly AgentView[]): readonly StationPicture[] {
  const names = [...new Set(states.flatMap(({ stations }) => stations.map(({ station }) => station)))];
  return names.map((name) => {
    const pictures = states.flatMap((agent) =>
      agent.stations
        .filter(({ station }) => station === name)
        .map((picture) => ({ agent: agent.agent, picture })),
    );
    const serverNames = [
      ...new Set(pictures.flatMap(({ picture }) => picture.servers.map(({ server }) => server))),
    ];
    const servers = serverNames.flatMap((server) => {
      const best = pictures.find(({ agent }) => agent === server) ?? pictures[0];
      const view = best?.picture.servers.find((candidate) => candidate.server === server);
      return best && view ? [{ view, seenBy: best.agent }] : [];
    });
    return {
      name,
      servers,
      alerts: distinct(pictures.flatMap(({ picture }) => picture.alerts)),
      events: inOrder(pictures.map(({ agent, picture }) => ({ agent, events: picture.events }))),
    };
  });
}

function distinct(alerts: readonly AlertView[]): readonly AlertView[] {
  return [...new Map(alerts.map((alert) => [`${alert.code} ${alert.subject}`, alert])).values()];
}

/**
 * What a leg or a server is like, both agents say; the one beside it counts, as in the tables. What was done, the one
 * who did it says. An alert that both raise is said once.
 */
function inOrder(pictures: readonly { agent: string; events: readonly EventView[] }[]): readonly EventView[] {
  const agents = new Set(pictures.map(({ agent }) => agent));
  const events = pictures.flatMap((picture) =>
    picture.events.filter(({ event }) => {
      const server = observedServer(event);
      return server === null || server === picture.agent || !agents.has(server);
    }),
  );
  const sorted = events.toSorted((a, b) => a.time.localeCompare(b.time));
  return sorted.filter(
    (view, index) => !sorted.slice(0, index).some((earlier) => isSameAlert(earlier, view)),
  );
}

function observedServer(event: StationEvent): string | null {
  switch (event.kind) {
    case 'leg-changed':
      return event.leg.slice(event.leg.lastIndexOf('@') + 1);
    case 'server-changed':
    case 'heard-on-air':
      return event.server;
    default:
      return null;
  }
}

function isSameAlert(earlier: EventView, later: EventView): boolean {
  const isAlert = later.event.kind === 'alert-opened' || later.event.kind === 'alert-closed';
  const apartMs = Date.parse(later.time) - Date.parse(earlier.time);
  return isAlert && apartMs < SAME_ALERT_MS && sentenceOf(earlier.event) === sentenceOf(later.event);
}

function serverLines(server: ServerView, seenBy: string): readonly Line[] {
  const ink: Ink = server.condition === 'up' ? 'green' : server.condition === 'unknown' ? 'yellow' : 'red';
  const who =
    seenBy === server.server
      ? ''
      : `  seen by ${seenBy}${server.role === 'deputy' ? ', which stands in' : ''}`;
  const hold =
    server.hold === null
      ? ''
      : `  HOLD by ${server.hold.author}, ${shortDuration(server.hold.remainingMs)} left`;
  return [
    [
      cell(`  ${server.server} `, 'bold'),
      cell(server.condition, ink),
      cell(server.detail === '' ? '' : ` (${server.detail})`),
      cell(who, 'dim'),
      cell(hold, 'yellow'),
    ],
    ...server.legs.map((leg) => legLine(leg, leg.source === server.onAir)),
  ];
}

function legLine(leg: LegView, isOnAir: boolean): Line {
  const word = leg.condition === 'audible' ? 'audible' : leg.reason || leg.condition;
  const ink: Ink = leg.condition === 'audible' ? 'green' : leg.condition === 'faulty' ? 'red' : 'yellow';
  const levelDbfs = levelOf(leg);
  return [
    cell(isOnAir ? '  ▶ ' : '    ', 'bold'),
    cell(leg.mount.padEnd(13), isOnAir ? 'bold' : 'plain'),
    cell(`${word.padEnd(13)}${shortDuration(leg.forMs).padStart(6)}  `, ink),
    ...barOf(levelDbfs),
    cell(levelInWords(leg, levelDbfs).padStart(12)),
    cell(`${(leg.listeners === null ? '-' : String(leg.listeners)).padStart(5)} listening  `),
    cell(leg.title ?? '', 'dim'),
  ];
}

/** The louder channel; null while nothing is heard. */
function levelOf(leg: LegView): number | null {
  const levels = leg.rmsDbfs.filter((dbfs) => dbfs !== null);
  return levels.length === 0 ? null : Math.max(...levels);
}

function levelInWords(leg: LegView, levelDbfs: number | null): string {
  if (levelDbfs !== null) return `${levelDbfs.toFixed(1)} dBFS`;
  return leg.rmsDbfs.length > 0 ? 'no signal' : '-';
}

function barOf(levelDbfs: number | null): readonly Cell[] {
  const share =
    levelDbfs === null ? 0 : 1 - Math.max(BAR_FLOOR_DBFS, Math.min(0, levelDbfs)) / BAR_FLOOR_DBFS;
  const lit = Math.round(share * BAR_CELLS);
  const ink: Ink = levelDbfs !== null && levelDbfs > -6 ? 'red' : 'green';
  return [cell('█'.repeat(lit), ink), cell('·'.repeat(BAR_CELLS - lit), 'dim')];
}

function shortDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

function clockTime(iso: string): string {
  return new Date(iso).toTimeString().slice(0, 8);
}

/** All servers in one line, for logs: `london up, on air primary: primary -18.2, secondary silent ...`. */
export function plainLine(states: readonly AgentView[]): string {
  const servers = newestOfStations(states).flatMap((station) => station.servers);
  if (servers.length === 0) return 'no agent answers';
  return servers.map(({ view, seenBy }) => plainServer(view, seenBy)).join(' | ');
}

function plainServer(server: ServerView, seenBy: string): string {
  const legs = server.legs.map((leg) => {
    const levelDbfs = levelOf(leg);
    const state =
      leg.condition === 'audible'
        ? `${levelDbfs === null ? '' : `${levelDbfs.toFixed(1)} dBFS`}`
        : leg.reason || leg.condition;
    return `${leg.source} ${state} (${leg.listeners ?? '-'})`;
  });
  const by = seenBy === server.server ? '' : `, seen by ${seenBy}`;
  return `${server.server} ${server.condition}${by}, on air ${server.onAir ?? 'nothing'}: ${legs.join(', ')}`;
}
