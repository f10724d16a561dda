import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Child, type ChildExit, type ChildOptions, startChild } from '../../../src/platform/child.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { childrenOfOurs, isAlive, misbehaving, openFds, rssMiB, until } from './processes.ts';

const started: Child[] = [];

function start(command: string, args: readonly string[], more: Partial<ChildOptions> = {}): Child {
  const child = startChild({ command, args, clock: systemClock, ...more });
  started.push(child);
  return child;
}

const startNode = (name: string, more: Partial<ChildOptions> = {}) =>
  start(process.execPath, [misbehaving(name)], more);

afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  await Promise.all(started.splice(0).map((child) => child.exited));
});

describe('a child process', () => {
  it('gets its words without a shell and what is written to it, and its exit is told once', async () => {
    let heard = '';
    const exits: ChildExit[] = [];
    const child = start('sh', ['-c', 'printf "%s|" "$0"; cat', '$(id); `id` "x'], {
      onStdout: (chunk) => {
        heard += chunk.toString();
      },
      onExit: (exit) => exits.push(exit),
    });
    child.write(Buffer.from('and this'));
    child.endInput();
    expect(await child.exited).toEqual({ is: 'exited', code: 0 });
    expect(heard).toBe('$(id); `id` "x|and this');
    expect(exits).toEqual([{ is: 'exited', code: 0 }]);
  });

  it('says with which code, or by which signal, it ended', async () => {
    const early = startNode('exits-at-once');
    expect(await early.exited).toEqual({ is: 'exited', code: 3 });
    expect(early.stderrTail()).toContain('no such codec');
    const killed = start('sleep', ['100']);
    killed.kill('SIGKILL');
    expect(await killed.exited).toEqual({ is: 'killed', signal: 'SIGKILL' });
  });

  it('that can not be started says why, as a value', async () => {
    const missing = start('/no/such/program', []);
    expect(await missing.exited).toMatchObject({ is: 'not-started', reason: 'not-found' });
    expect(missing.write(Buffer.from('x'))).toBe('closed');
    expect(await start(fileURLToPath(import.meta.url), []).exited).toMatchObject({
      reason: 'not-permitted',
    });
    expect(await start('cat', ['x'.repeat(3_000_000)]).exited).toMatchObject({ reason: 'failed' });
    expect(await start('cat', ['a\0b']).exited).toMatchObject({ is: 'not-started', reason: 'failed' });
  });

  it('that is hung is ended by TERM at once', async () => {
    const child = startNode('forever');
    await until(() => child.stderrTail().includes('ready'));
    expect(await child.stop()).toEqual({ is: 'killed', signal: 'SIGTERM' });
  });

  it('that only copies ends by itself when its stdin is closed', async () => {
    const child = start('cat', []);
    child.endInput();
    expect(await child.exited).toEqual({ is: 'exited', code: 0 });
  });

  it('that ignores TERM is killed after the grace, and no sooner', async () => {
    const child = startNode('ignores-term', { killAfterMs: 300 });
    await until(() => child.stderrTail().includes('ready'));
    const beganMs = performance.now();
    const [first, second] = await Promise.all([child.stop(), child.stop()]);
    expect(first).toEqual({ is: 'killed', signal: 'SIGKILL' });
    expect(second).toBe(first);
    expect(performance.now() - beganMs).toBeGreaterThan(290);
  });

  it('that was stopped with SIGSTOP is killed after 2 s', async () => {
    const child = startNode('ignores-term');
    await until(() => child.stderrTail().includes('ready'));
    child.kill('SIGSTOP');
    const beganMs = performance.now();
    expect(await child.stop()).toEqual({ is: 'killed', signal: 'SIGKILL' });
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });

  it('that floods stderr keeps its last 64 KiB and costs no memory', async () => {
    const child = startNode('floods-stderr');
    const complaints = () => Number(/complaint (\d+) x+\n$/.exec(child.stderrTail().slice(-200))?.[1] ?? 0);
    await until(() => complaints() > 5_000);
    const before = rssMiB();
    await until(() => complaints() > 100_000);
    expect(child.stderrTail().length).toBeLessThanOrEqual(64 * 1024);
    expect(rssMiB() - before).toBeLessThan(60);
    await child.stop();
  });

  it('that never reads its stdin tells the writer that it is full, and drains when it reads again', async () => {
    let drained = false;
    const child = start('cat', [], {
      onDrain: () => {
        drained = true;
      },
    });
    child.kill('SIGSTOP');
    // More than the kernel holds for it: Node's pipes are socket pairs with some 200 KiB.
    expect(child.write(Buffer.alloc(2 ** 20))).toBe('full');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(child.pendingBytes).toBeGreaterThan(0);
    expect(drained).toBe(false);
    child.kill('SIGCONT');
    await until(() => drained);
    expect(child.pendingBytes).toBe(0);
  });

  it('that closed its stdin or died does not break the writer', async () => {
    const child = start('true', []);
    for (let i = 0; i < 20; i += 1) {
      child.write(Buffer.alloc(64 * 1024));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await child.exited).toEqual({ is: 'exited', code: 0 });
    expect(child.write(Buffer.alloc(1))).toBe('closed');
    expect(await child.stop()).toEqual({ is: 'exited', code: 0 });
  });

  it('that closed its stdout and lives on is still ours to end', async () => {
    const child = startNode('closes-stdout', { onStdout: () => {} });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(child.pid !== null && isAlive(child.pid)).toBe(true);
    expect((await child.stop()).is).toBe('killed');
  });

  it('whose own child holds the pipes open does not keep us waiting', async () => {
    const beganMs = performance.now();
    expect(await startNode('leaves-a-grandchild', { onStdout: () => {} }).exited).toMatchObject({ code: 0 });
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });

  it('leaves no descriptor, no zombie and no memory behind in 1,000 restarts', async () => {
    const round = async (count: number) => {
      for (let i = 0; i < count; i += 1) {
        const child = startChild({
          command: i % 2 ? 'cat' : 'true',
          args: [],
          clock: systemClock,
          onStdout: () => {},
        });
        child.write(Buffer.alloc(1_000));
        if (i % 4 === 1) child.endInput();
        else if (i % 4 === 3) child.kill('SIGKILL');
        await child.exited;
      }
    };
    await round(100);
    const before = { fds: openFds(), rss: rssMiB() };
    await round(900);
    expect(openFds()).toBeLessThanOrEqual(before.fds + 1);
    expect(
      childrenOfOurs().filter((child) => child.state === 'Z' || /^(cat|true)$/.test(child.name)),
    ).toEqual([]);
    expect(rssMiB() - before.rss).toBeLessThan(40);
    expect(process.listenerCount('exit')).toBeLessThan(20);
  });
});

describe('children of an agent that ends', () => {
  let compiled = '';

  beforeAll(() => {
    compiled = mkdtempSync(join(tmpdir(), 'sustain-child-'));
    const flags = '--ignoreConfig --module nodenext --target es2023 --types node --skipLibCheck';
    const words = [...flags.split(' '), '--rewriteRelativeImportExtensions', '--outDir', compiled];
    execFileSync('node_modules/.bin/tsc', [...words, 'src/platform/child.ts']);
    writeFileSync(join(compiled, 'package.json'), '{"type":"module"}');
  });

  afterAll(() => rmSync(compiled, { recursive: true }));

  /** A small agent: it starts the command, prints the child's pid, and ends as told. */
  function agent(command: string, args: readonly string[], ending: string): Promise<number> {
    const source = `
      const { startChild } = await import(${JSON.stringify(join(compiled, 'child.js'))});
      const clock = { nowMs: () => 0, after: () => () => {}, every: () => () => {} };
      const child = startChild({ command: ${JSON.stringify(command)}, args: ${JSON.stringify(args)}, clock });
      console.log(child.pid);
      setTimeout(() => { ${ending} }, 200);`;
    return new Promise((resolve, reject) => {
      const flags = ['--input-type=module', '-e', source];
      const parent = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'ignore'] });
      let pid = 0;
      parent.stdout.on('data', (chunk: Buffer) => {
        pid = Number(chunk.toString());
      });
      parent.on('close', () => (pid > 0 ? resolve(pid) : reject(new Error('the agent said no pid'))));
    });
  }

  it('end with it when it is killed, as their stdin ends', async () => {
    const pid = await agent('cat', [], "process.kill(process.pid, 'SIGKILL')");
    await until(() => !isAlive(pid));
  });

  it('end with it when it leaves by itself or by an uncaught error, even when they hear nothing', async () => {
    const deaf: [string, string[]] = [process.execPath, [misbehaving('ignores-term')]];
    const pids = await Promise.all([
      agent(...deaf, 'process.exit(1)'),
      agent(...deaf, "throw new Error('boom')"),
    ]);
    await until(() => !pids.some(isAlive));
  });
});
