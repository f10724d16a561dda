import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import { createHook } from '../../../src/alerts/hooks/create.ts';
import { jsonOf } from '../../../src/alerts/message.ts';
import { wordsOf } from '../../../src/alerts/words.ts';
import type { HookTarget } from '../../../src/domain/alert-hooks.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { temporaryFolder } from '../history/support.ts';
import { isAlive, until } from '../platform/processes.ts';
import { message, startReceiver } from './support.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const hook = (target: HookTarget<string>) =>
  createHook({ name: 'hook', minimum: 'warning', stations: null, target }, systemClock);
const soon = () => AbortSignal.timeout(5_000);

describe('a webhook', () => {
  test('is signed so that the official library of Standard Webhooks takes it, and no other text', async () => {
    const receiver = await startReceiver();
    const { deliver } = hook({ kind: 'webhook', url: `${receiver.url}/myfm`, secret: SECRET });
    expect(await deliver([message()], soon())).toEqual({ is: 'sent' });
    const [{ headers, body, path } = { headers: {}, body: '', path: '' }] = receiver.received;
    const official = new Webhook(SECRET);
    const told = official.verify(body, headers as Record<string, string>) as { type: string; data: object };
    expect(path).toBe('/myfm');
    expect(told).toMatchObject({
      type: 'incident.opened',
      timestamp: '2027-01-15T08:00:00.000Z',
      data: { id: 'myfm-london-abc-sound', station: 'myfm', severity: 'warning', durationMs: 65_000 },
    });
    expect(() => official.verify(body.replace('warning', 'critical'), headers as never)).toThrow();
  });

  test('has the same id each time it is tried, and the time of the try', async () => {
    const receiver = await startReceiver();
    const { deliver } = hook({ kind: 'webhook', url: receiver.url, secret: SECRET });
    await deliver([message()], soon());
    await deliver([message()], soon());
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('that folds several says how many and gives each', async () => {
    const receiver = await startReceiver();
    const { deliver } = hook({ kind: 'webhook', url: receiver.url, secret: null });
    await deliver([message(), message('closed')], soon());
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      type: 'incidents.folded',
      data: { count: 2, messages: [{ type: 'incident.opened' }, { type: 'incident.closed' }] },
    });
  });

  test.each([
    [
      { status: 500, body: 'no\nway' },
      { detail: 'it answered 500: no way', forGood: false, retryAfterMs: null },
    ],
    [
      { status: 429, headers: { 'retry-after': '7' } },
      { forGood: false, retryAfterMs: 7000 },
    ],
    [{ status: 410 }, { forGood: true }],
    [{ status: 422 }, { forGood: false, isOfMessage: true }],
    [
      { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
      { detail: 'it answered 302 (redirects are not followed: write the address that it moved to)' },
    ],
  ])('that is answered with %o is not sent', async (answer, expected) => {
    const receiver = await startReceiver();
    receiver.answer = answer;
    const { deliver } = hook({ kind: 'webhook', url: receiver.url, secret: null });
    expect(await deliver([message()], soon())).toMatchObject({ is: 'failed', ...expected });
  });

  test('that is not answered ends in time, and nothing that is said has its address in it', async () => {
    const receiver = await startReceiver();
    receiver.answer = null;
    const slow = hook({ kind: 'webhook', url: `${receiver.url}/hidden`, secret: null });
    const late = await slow.deliver([message()], AbortSignal.timeout(100));
    expect(late).toMatchObject({ is: 'failed', detail: 'it did not answer in time' });
    const nobody = hook({ kind: 'webhook', url: 'http://127.0.0.1:1/hidden', secret: null });
    const unreached = await nobody.deliver([message()], soon());
    expect(JSON.stringify([late, unreached])).not.toContain('hidden');
  });
});

describe('a chat', () => {
  const bodyOf = async (kind: 'slack' | 'discord' | 'teams', title: string) => {
    const receiver = await startReceiver();
    await hook({ kind, url: receiver.url }).deliver(
      [message('opened', { title, severity: 'critical' })],
      soon(),
    );
    return receiver.received[0]?.body ?? '';
  };

  test('of Slack gets no link and calls nobody, whatever a title says', async () => {
    const body = JSON.parse(await bodyOf('slack', '<!channel> & <http://x|y>')) as { text: string };
    expect(body.text).toBe('🔴 myfm: CRITICAL: &lt;!channel&gt; &amp; &lt;http://x|y&gt;');
  });

  test('of Discord is told not to call anybody', async () => {
    const body = JSON.parse(await bodyOf('discord', '@everyone')) as Record<string, unknown>;
    expect(body).toMatchObject({ allowed_mentions: { parse: [] }, embeds: [{ color: 0xd0021b }] });
  });

  test('of Teams gets an Adaptive Card', async () => {
    const body = JSON.parse(await bodyOf('teams', 'silence')) as object;
    expect(body).toMatchObject({
      type: 'message',
      attachments: [{ content: { type: 'AdaptiveCard', body: [{ color: 'attention' }, {}, {}, {}] } }],
    });
  });

  test('of ntfy gets its topic, and how urgent it is', async () => {
    const receiver = await startReceiver();
    const ntfy = hook({ kind: 'ntfy', url: `${receiver.url}/base/my%20fm`, token: 'tk' });
    await ntfy.deliver([message('closed')], soon());
    const [{ headers, body, path } = { headers: {}, body: '{}', path: '' }] = receiver.received;
    expect(path).toBe('/base/');
    expect(headers['authorization']).toBe('Bearer tk');
    expect(JSON.parse(body)).toMatchObject({
      topic: 'my fm',
      title: 'myfm: over after 1 min 5 s: london: primary to autodj',
      priority: 3,
      message: expect.stringContaining('Listeners heard: 5.1 s of dead air on london') as string,
    });
  });
});

test('several in one say what is not over, the worst of it, and when each was', () => {
  const at = (minute: number) => Date.UTC(2026, 10, 8, 3, minute);
  const silent = message('opened', { id: 'a', title: 'primary to autodj' }, at(1));
  const down = message('opened', { id: 'b', title: 'Icecast is down', severity: 'critical' }, at(2));
  const over = message('closed', { id: 'a' }, at(3));
  expect(wordsOf([silent, down])).toMatchObject({
    title: '2 alerts in one: not over: myfm: CRITICAL: Icecast is down (and 1 more)',
    lines: [
      '• 2026-11-08 03:01:00 UTC: myfm: primary to autodj',
      '• 2026-11-08 03:02:00 UTC: myfm: CRITICAL: Icecast is down',
    ],
  });
  expect(wordsOf([silent, down, over]).title).toBe(
    '3 alerts in one: not over: myfm: CRITICAL: Icecast is down',
  );
  expect(wordsOf([silent, down, over]).mood).toBe('worse');
  expect(wordsOf([silent, over])).toMatchObject({
    title: '2 alerts in one: all of it is over',
    mood: 'good',
  });
});

test('no person reads the name that a leg has inside', () => {
  const { title } = wordsOf([message('opened', { title: 'london: myfm/secondary@london on air' })]);
  expect(title).toBe('myfm: london: secondary on london on air');
});

test('whoever is woken reads since when it lasts, and where it is written what to do', () => {
  const [, ...lines] = wordsOf([message('escalated', { codes: ['nothing-audible', 'server-down'] })]).lines;
  expect(lines).toEqual([
    'Since: 2027-01-15 07:58:55 UTC',
    'What to do: the runbook (docs/runbook.md), nothing-audible, server-down',
    'incident myfm-london-abc-sound, told by london at 2027-01-15 08:00:00 UTC',
  ]);
  expect(jsonOf(message('opened', { codes: ['server-down'] }))).toMatchObject({
    data: { codes: ['server-down'] },
  });
});

describe('a command', () => {
  const script = (text: string) => {
    const path = join(temporaryFolder(), 'page');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  test('gets the JSON on its standard input and the words in its environment; no shell reads them', async () => {
    const out = join(temporaryFolder(), 'out');
    const path = script(`cat > "$1"; printf '%s' "$SUSTAIN_TITLE" > "$1.title"`);
    const { deliver } = hook({ kind: 'command', command: [path, out] });
    expect(await deliver([message('opened', { title: '$(id) `id`' })], soon())).toEqual({ is: 'sent' });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ type: 'incident.opened' });
    expect(readFileSync(`${out}.title`, 'utf8')).toBe('myfm: $(id) `id`');
  });

  test('that gets several at once is told of the worst of them', async () => {
    const out = join(temporaryFolder(), 'out');
    const path = script(`printf '%s' "$SUSTAIN_ALERT $SUSTAIN_SEVERITY" > "$1"`);
    const { deliver } = hook({ kind: 'command', command: [path, out] });
    await deliver([message(), message('opened', { id: 'b', severity: 'critical' })], soon());
    expect(readFileSync(out, 'utf8')).toBe('folded critical');
  });

  test('that fails, hangs or is not there has not told anybody', async () => {
    const run = (command: string[], signal = soon()) =>
      hook({ kind: 'command', command }).deliver([message()], signal);
    expect(await run([script('echo "no modem" >&2; exit 3')])).toMatchObject({
      is: 'failed',
      detail: 'exited with code 3: no modem',
    });
    expect(await run([script('exec sleep 60')], AbortSignal.timeout(200))).toMatchObject({
      is: 'failed',
      detail: 'it did not end in time',
    });
    expect(await run(['/nowhere/page'])).toMatchObject({ is: 'failed' });
  });

  test('that hangs in what it started leaves none of it behind', async () => {
    const pid = join(temporaryFolder(), 'pid');
    const path = script(`sleep 60 & echo $! > ${pid}; wait`);
    const { deliver } = hook({ kind: 'command', command: [path] });
    expect(await deliver([message()], AbortSignal.timeout(500))).toMatchObject({ is: 'failed' });
    await until(() => !isAlive(Number(readFileSync(pid, 'utf8'))));
  });

  test('that tells and leaves something at work is let go', async () => {
    const pid = join(temporaryFolder(), 'pid');
    const path = script(`sleep 60 & echo $! > ${pid}`);
    expect(await hook({ kind: 'command', command: [path] }).deliver([message()], soon())).toEqual({
      is: 'sent',
    });
    const left = Number(readFileSync(pid, 'utf8'));
    expect(isAlive(left)).toBe(true);
    process.kill(left);
  });
});

describe('mail', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function mailServer(refuses: string[] = [], offersTls = false) {
    const mails: string[] = [];
    const auths: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      allowInsecureAuth: true,
      disabledCommands: offersTls ? [] : ['STARTTLS'],
      onAuth(auth, _session, done) {
        auths.push(`${auth.username} ${auth.password}`);
        done(null, { user: auth.username });
      },
      onRcptTo(address, _session, done) {
        done(
          refuses.includes(address.address)
            ? Object.assign(new Error('no such mailbox'), { responseCode: 550 })
            : undefined,
        );
      },
      onData(stream, _session, done) {
        let text = '';
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        stream.on('end', () => {
          mails.push(text.replaceAll(/\r\n[ \t]/g, ' '));
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    stops.push(() => server.close());
    const { port } = server.server.address() as { port: number };
    const target = {
      kind: 'email',
      smtp: `smtp://127.0.0.1:${port}`,
      user: null,
      password: null,
      from: 'Sustain <sustain@myfm.example>',
      to: ['studio@myfm.example'],
    } as const;
    return { mails, auths, target };
  }
  const headerOf = (mail: string, name: string) =>
    new RegExp(`^${name}: *(.*)$`, 'im').exec(mail.split('\r\n\r\n')[0] ?? '')?.[1]?.trim() ?? null;

  test('of one incident is one thread', async () => {
    const { mails, target } = await mailServer();
    const { deliver } = hook(target);
    for (const kind of ['opened', 'acknowledged', 'closed'] as const)
      expect(await deliver([message(kind)], soon())).toEqual({ is: 'sent' });
    const first = headerOf(mails[0] ?? '', 'message-id');
    expect(first).toMatch(/^<[0-9a-f]{32}@myfm.example>$/);
    expect(headerOf(mails[0] ?? '', 'references')).toBeNull();
    expect(mails.slice(1).map((mail) => headerOf(mail, 'references'))).toEqual([first, first]);
    expect(headerOf(mails[0] ?? '', 'subject')).toBe('myfm: london: primary to autodj');
    expect(headerOf(mails[2] ?? '', 'subject')).toContain('over after 1 min 5 s');
  });

  test('has no header that a title brings along', async () => {
    const { mails, target } = await mailServer();
    await hook(target).deliver([message('opened', { title: 'x\r\nBcc: all@myfm.example' })], soon());
    expect(headerOf(mails[0] ?? '', 'bcc')).toBeNull();
  });

  test('signs in where it was told to, and says what the server said', async () => {
    const { auths, target } = await mailServer(['studio@myfm.example']);
    const sent = await hook({ ...target, user: 'sustain', password: 'pw' }).deliver([message()], soon());
    expect(auths).toEqual(['sustain pw']);
    expect(sent).toMatchObject({ is: 'failed', forGood: true });
    expect(sent.is === 'failed' && sent.detail).toContain('no such mailbox');
  });

  test('that one of two does not get is sent, and says who does not get it', async () => {
    const { mails, target } = await mailServer(['boss@myfm.example']);
    const to = ['studio@myfm.example', 'boss@myfm.example'];
    const sent = await hook({ ...target, to }).deliver([message()], soon());
    expect(mails).toHaveLength(1);
    expect(sent).toEqual({ is: 'sent', but: expect.stringContaining('boss@myfm.example') as string });
    expect(JSON.stringify(sent)).toContain('no such mailbox');
  });

  test('goes to the mail server of this machine though nobody vouches for its certificate', async () => {
    const { mails, target } = await mailServer([], true);
    expect(await hook(target).deliver([message()], soon())).toEqual({ is: 'sent' });
    expect(mails).toHaveLength(1);
  });

  test('that nobody takes may be taken later', async () => {
    const { target } = await mailServer();
    const sent = await hook({ ...target, smtp: 'smtp://127.0.0.1:1' }).deliver([message()], soon());
    expect(sent).toMatchObject({ is: 'failed', forGood: false });
  });
});
