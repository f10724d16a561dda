import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { liveLines, plainLine, startLiveView } from '../../../src/demo/live-view.ts';
import { hasPassed, heardInWords, type TourResult, tourTable } from '../../../src/demo/table.ts';
import { makeLeg, mount, serverName, sourceName, stationName } from '../../../src/domain/ids.ts';
import type { AgentView, EventView, LegView, ServerView } from '../../../src/domain/view.ts';
import type { Clock } from '../../../src/platform/clock.ts';

function legView(server: string, source: string, change: Partial<LegView> = {}): LegView {
  const leg = makeLeg(stationName('myfm'), sourceName(source), serverName(server), mount(`/${source}`));
  return {
    leg: leg.id,
    source: leg.source,
    mount: leg.mount,
    condition: 'audible',
    reason: '',
    detail: '',
    forMs: 12_000,
    listeners: 3,
    title: null,
    rmsDbfs: [-20.5, -18.2],
    truePeakDbtp: -8,
    momentaryLufs: -19,
    shortTermLufs: -20,
    faults: [],
    warnings: [],
    ...change,
  };
}

function serverView(server: string, change: Partial<ServerView> = {}): ServerView {
  return {
    server: serverName(server),
    role: 'own',
    condition: 'up',
    detail: '',
    agentSeenMs: 0,
    onAir: sourceName('autodj'),
    hold: null,
    legs: [
      legView(server, 'primary', { condition: 'faulty', reason: 'silent', rmsDbfs: [null, null] }),
      legView(server, 'autodj', { title: 'A tune' }),
    ],
    ...change,
  };
}

function eventsAt(time: string): readonly EventView[] {
  const leg = legView('london', 'primary').leg;
  return [
    {
      time,
      event: {
        kind: 'leg-changed',
        atMs: 1,
        leg,
        from: { is: 'audible', sinceMs: 0, verifiedAtMs: 1 },
        to: { is: 'faulty', sinceMs: 1, fault: 'silent', detail: '' },
      },
    },
    {
      time,
      event: {
        kind: 'alert-opened',
        atMs: 1,
        code: 'server-down',
        subject: 'paris',
        detail: 'paris is down',
      },
    },
  ];
}

function agentView(agent: string, servers: readonly ServerView[]): AgentView {
  return {
    agent: serverName(agent),
    version: '0',
    uptimeMs: 1,
    dns: null,
    servers: servers.map(({ server: name }) => ({ server: name, url: `http://${name}:8000` })),
    stations: [
      {
        station: stationName('myfm'),
        servers,
        relay: null,
        alerts: [{ code: 'backup-not-proven', subject: 'secondary@london', detail: 'nobody heard it' }],
        events: eventsAt(agent === 'london' ? '2026-11-22T09:00:00.000Z' : '2026-11-22T09:00:03.000Z'),
      },
    ],
  };
}

const both = () => [
  agentView('london', [serverView('london'), serverView('dublin', { condition: 'unknown' })]),
  agentView('dublin', [serverView('london', { condition: 'down' }), serverView('dublin')]),
];

const textOf = (states: readonly AgentView[]) =>
  liveLines(states, ['listen here']).map((line) => line.map(({ text }) => text).join(''));

describe('the live view', () => {
  it('shows each server as the agent beside it sees it', () => {
    const lines = textOf(both());
    expect(lines[0]).toBe('listen here');
    expect(lines.filter((line) => /^ {2}(london|dublin) up$/.test(line.trimEnd()))).toHaveLength(2);
  });

  it('marks what is on air, and tells a silent leg from an audible one', () => {
    const [silent, audible] = textOf(both()).filter(
      (line) => line.includes('dBFS') || line.includes('no signal'),
    );
    expect(silent).toMatch(/^ {4}\/primary +silent +12 s .*no signal +3 listening/);
    expect(audible).toMatch(/^ {2}▶ \/autodj +audible +12 s .*█.* -18\.2 dBFS +3 listening {2}A tune/);
  });

  it('shows a server by the other agent when its own is gone, and says so', () => {
    const lines = textOf([
      agentView('dublin', [serverView('london', { role: 'deputy' }), serverView('dublin')]),
    ]);
    expect(lines.join('\n')).toContain('london up  seen by dublin, which stands in');
    expect(lines.join('\n')).toContain('primary@london is silent');
  });

  it('says alerts and events of both agents once', () => {
    const text = textOf(both()).join('\n');
    expect(text.match(/nobody heard it/g)).toHaveLength(1);
    expect(text.match(/primary@london is silent/g)).toHaveLength(1);
    expect(text.match(/paris is down/g)).toHaveLength(1);
  });

  it('says when no agent answers', () => {
    expect(textOf([]).join('\n')).toContain('No agent answers');
    expect(plainLine([])).toBe('no agent answers');
  });

  it('is one line without a terminal', () => {
    expect(plainLine(both())).toBe(
      'london up, on air autodj: primary silent (3), autodj -18.2 dBFS (3) | dublin up, on air autodj: primary silent (3), autodj -18.2 dBFS (3)',
    );
  });

  it('redraws in place on a terminal, cut to its size, and gives the cursor back', () => {
    const written: string[] = [];
    const ticks: (() => void)[] = [];
    const clock: Clock = {
      nowMs: () => 0,
      wallTime: () => new Date(0),
      after: () => () => undefined,
      every(_, run) {
        ticks.push(run);
        return () => undefined;
      },
    };
    const screen = { isTTY: true, columns: 60, rows: 8, write: (text: string) => written.push(text) };
    const stop = startLiveView({ states: both, heading: () => ['x'.repeat(200)], screen, clock });
    for (const tick of ticks) tick();
    stop();
    const redraw = written[2] ?? '';
    expect(redraw.startsWith('\x1b[7A\r')).toBe(true);
    const lines = stripVTControlCharacters(redraw).replace('\r', '').split('\n');
    expect(lines).toHaveLength(8);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(60);
    expect(written.at(-1)).toBe('\x1b[?25h');
  });
});

describe('the table of the tour', () => {
  const results: readonly TourResult[] = [
    {
      broken: 'silence on both servers, for much longer than the trip delay and with clicks in it',
      findings: [
        { where: 'a listener of london', what: 'dead air', measuredMs: 5230, boundMs: 7000 },
        { where: 'london', what: 'times disconnected', measuredMs: 0, boundMs: 0, unit: 'times' },
      ],
    },
    {
      broken: 'encoder | killed',
      findings: [{ where: 'london', what: 'dead air', measuredMs: Number.POSITIVE_INFINITY, boundMs: 900 }],
    },
  ];

  it('names each fault once and marks what missed its bound', () => {
    const table = tourTable(results, 'text');
    expect(table).toMatch(/dead air, a listener of london +5\.2 s +≤ 7\.0 s +ok/);
    expect(table).toMatch(/never +≤ 900 ms +MISSED/);
    expect(table).toMatch(/times disconnected, london +0 +≤ 0 +ok/);
    expect(table.match(/silence on both/g)).toHaveLength(1);
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThan(130);
  });

  it('is a sound Markdown table too', () => {
    const lines = tourTable(results, 'markdown').split('\n');
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line.replaceAll('\\|', '').match(/\|/g)).toHaveLength(6);
  });

  it('passes only what was measured and kept', () => {
    expect(results.map(hasPassed)).toEqual([true, false]);
    expect(hasPassed({ broken: 'x', findings: [] })).toBe(false);
    expect(hasPassed({ broken: 'x', findings: results[0]?.findings ?? [], failure: 'waited in vain' })).toBe(
      false,
    );
    expect(tourTable([{ broken: 'x', findings: [], failure: 'waited in vain' }], 'text')).toContain('FAILED');
  });

  it('says in words what was heard', () => {
    const report = {
      programmes: [
        { programme: 'primary', atMs: 0, durationMs: 12_000 },
        { programme: 'silent', atMs: 12_000, durationMs: 4900 },
        { programme: 'unclear', atMs: 16_900, durationMs: 50 },
        { programme: 'autodj', atMs: 16_950, durationMs: 20_100 },
      ],
      disconnects: 0,
    };
    expect(heardInWords(report)).toBe('primary 12.0 s, dead air 4.9 s, autodj 20.1 s');
  });
});
