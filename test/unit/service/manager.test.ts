import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sendDatagram } from '../../../native-bindings/notify.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { type ServiceManagerOptions, serviceManager } from '../../../src/service/manager.ts';
import { manualClock } from '../platform/clocks.ts';

/** What socat or systemd would read; Python is on every Debian that builds native code. */
const READER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', chr(0), 1))
print('bound', flush=True)
s.settimeout(20)
print(s.recv(4096).decode(), flush=True)
`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sustain-notify-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Binds the socket, calls `then`, and gives what arrived. */
async function received(path: string, then: () => void): Promise<string> {
  const reader = spawn('python3', ['-c', READER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of reader.stdout) {
    const isFirst = said === '';
    said += String(chunk);
    if (isFirst) then();
  }
  return said.replace('bound\n', '').trimEnd();
}

function manager(env: Record<string, string>, extra: Partial<ServiceManagerOptions> = {}) {
  const sent: string[] = [];
  const clock = manualClock();
  const send = (_path: string, text: string) => {
    sent.push(text);
    return 0;
  };
  const made = serviceManager({ env, pid: 7, clock, log: silentLogger(), send, ...extra });
  return { made, sent, clock };
}

describe('what systemd is told', () => {
  test.each(['socket', 'abstract'])('arrives on a real %s', async (kind) => {
    const path =
      kind === 'socket' ? join(directory, 'notify') : `@sustain-test-${process.pid}-${Math.random()}`;
    const text = await received(path, () => expect(sendDatagram(path, 'READY=1\nSTATUS=ö')).toBe(0));
    expect(text).toBe('READY=1\nSTATUS=ö');
  });

  test('is lost without harm when nobody reads', () => {
    expect(sendDatagram(join(directory, 'nobody'), 'READY=1')).toBeGreaterThan(0);
    expect(sendDatagram('', 'READY=1')).toBeGreaterThan(0);
    expect(sendDatagram(`/${'x'.repeat(200)}`, 'READY=1')).toBeGreaterThan(0);
  });

  test('is nothing without systemd', () => {
    const { made, sent, clock } = manager({});
    made.ready('1 station');
    clock.advance(100_000);
    made.roundCompleted();
    made.stopping();
    expect(sent).toEqual([]);
  });

  test('says the start, a reload and the end', () => {
    const { made, sent } = manager({ NOTIFY_SOCKET: '/run/x' });
    made.ready('1 station');
    made.reloading();
    made.stopping();
    expect(sent[0]).toBe('READY=1\nSTATUS=1 station');
    expect(sent[1]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+\n/);
    expect(sent[2]).toContain('STOPPING=1');
  });
});

describe('the watchdog', () => {
  const env = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '15000000', WATCHDOG_PID: '7' };

  test('is kept quiet by completed rounds, three times within its time', () => {
    const { made, sent, clock } = manager(env);
    for (let round = 0; round < 300; round += 1) {
      made.roundCompleted();
      clock.advance(100);
    }
    expect(sent).toEqual(Array.from({ length: 6 }, () => 'WATCHDOG=1'));
  });

  test('hears nothing when no round completes, whatever else goes on', () => {
    const { made, sent, clock } = manager(env);
    made.ready('1 station');
    clock.advance(60_000);
    expect(sent.filter((text) => text.includes('WATCHDOG'))).toEqual([]);
  });

  test.each([{ NOTIFY_SOCKET: '/run/x' }, { ...env, WATCHDOG_PID: '8' }, { ...env, WATCHDOG_USEC: 'soon' }])(
    'is not fed where none is meant for us: %o',
    (other) => {
      const { made, sent } = manager(other);
      made.roundCompleted();
      expect(sent).toEqual([]);
    },
  );
});
