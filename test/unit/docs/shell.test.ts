import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { historyFile, openHistory, readHistory } from '../../../src/history/open.ts';
import { blockText, inShell, ROOT } from '../../docs-blocks.ts';
import { batch, recorded } from '../history/support.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-docs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]) => join(folder, ...parts);

function put(path: string, text: string, mode = 0o600): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(at(path), text, { mode });
}

/** The block with the machine's own files in a folder. */
const here = (key: string) => blockText(key).replaceAll('/etc/', `${folder}/etc/`);

describe('on a server', () => {
  test.each([
    ['docs/tutorial.md sh 4', 'SUSTAIN_SERVER', 'dublin'],
    ['docs/deploy/systemd.md sh 1', 'SUSTAIN_WITNESS', 'paris'],
  ])('%s says to a machine what it is, in a file that the unit reads', async (key, name, value) => {
    mkdirSync(at('etc/default'), { recursive: true });
    copyFileSync(join(ROOT, '.deploy/debian/default'), at('etc/default/sustain'));
    await inShell(here(key), { folder });
    expect(readFileSync(at('etc/default/sustain'), 'utf8').split('\n')).toContain(`${name}=${value}`);
    const unit = readFileSync(join(ROOT, '.deploy/systemd/sustain.service'), 'utf8');
    expect(unit).toContain('EnvironmentFile=-/etc/default/sustain');
  });

  test('brings everything to the other server, the config last, as the service starts by it', async () => {
    const secrets = ['icecast-admin', 'icecast-source', 'operator', 'viewer'];
    for (const name of secrets) put(`etc/sustain/secrets/${name}`, name);
    put('etc/sustain/icecast-dublin.xml', '<icecast/>');
    put('etc/sustain/sustain.yaml', 'server: london', 0o644);
    mkdirSync(at('dublin/etc/sustain/secrets'), { recursive: true });
    // The other server is a folder here.
    const scp = `shift; for target; do :; done; to="${folder}/dublin\${target#dublin:}"
while [ $# -gt 1 ]; do cp -p "$1" "$to"; shift; done`;
    const { calls } = await inShell(
      here('docs/tutorial.md sh 5').replaceAll(`dublin:${folder}/`, 'dublin:/'),
      {
        folder,
        programs: { scp },
      },
    );
    expect(readdirSync(at('dublin/etc/sustain/secrets')).sort()).toEqual(secrets);
    expect(statSync(at('dublin/etc/sustain/secrets/viewer')).mode & 0o777).toBe(0o600);
    expect(existsSync(at('dublin/etc/sustain/icecast-dublin.xml'))).toBe(true);
    expect(calls).toHaveLength(3);
    expect(calls[0]).toContain('/secrets/');
    expect(calls[2]).toMatch(/sustain\.yaml dublin:\/etc\/sustain\/$/);
  });

  test("leaves Debian's Icecast enabled, also when its package is configured again", async () => {
    put('etc/default/icecast2', 'USERID=icecast2\n', 0o644);
    const { calls } = await inShell(here('docs/tutorial.md sh 6'), { folder, programs: { systemctl: '' } });
    expect(calls).toEqual(['systemctl enable --now icecast2', 'systemctl restart icecast2']);
    // As its postinst asks, which otherwise disables the service.
    const asks = `. ${at('etc/default/icecast2')}; echo $ENABLE`;
    expect((await inShell(asks, { folder })).stdout.trim()).toBe('true');
  });
});

test('the container gets what the image wants: whole paths, its user, its port', async () => {
  put('sustain.yaml', 'server: london', 0o644);
  put('secrets/icecast-admin', 'x', 0o644);
  chmodSync(at('secrets'), 0o755);
  const { calls } = await inShell(blockText('docs/deploy/docker.md sh 1'), {
    folder,
    programs: { docker: '', chown: '' },
  });
  const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const user = /^USER (\d+)$/m.exec(image)?.[1];
  expect(calls[0]).toBe(`chown -R ${user}:${user} secrets`);
  expect(statSync(at('secrets/icecast-admin')).mode & 0o777).toBe(0o600);
  expect(calls[1]).toBe('docker build -t sustain .');
  const run = calls[2] ?? '';
  for (const [, source = '', target = ''] of run.matchAll(/ -v (\S+?):(\/[^: ]+)(?::ro)?/g)) {
    const isVolume = source === 'sustain-state' && image.includes(`VOLUME ["${target}"]`);
    const isFile = source.startsWith('/') && existsSync(source);
    expect([source, isVolume || isFile]).toEqual([source, true]);
  }
  expect(run.match(/ -v /g)).toHaveLength(3);
  expect(image).toContain('"--config", "/etc/sustain/sustain.yaml"');
  expect(run).toContain(`:/run/secrets:ro -e CREDENTIALS_DIRECTORY=/run/secrets`);
  expect(image).toMatch(/^EXPOSE 8080$/m);
  expect(run).toMatch(/ -p 127\.0\.0\.1:8080:8080 sustain$/);
});

test('a history is copied whole from under an agent that writes it, where cp would leave out its newest rows', async () => {
  const state = at('state');
  mkdirSync(state);
  const { store } = openHistory(state, new Date(0));
  try {
    store.apply(batch(...[1000, 2000, 3000].map((unixMs) => recorded(unixMs))));
    copyFileSync(historyFile(state), at('cp.db'));
    const block = blockText('docs/how-to/report.md sh 1').replace(
      '/var/lib/sustain/history.db',
      historyFile(state),
    );
    await inShell(block, { folder });
    const eventsIn = (path: string) =>
      inShell(`sqlite3 ${path} 'select count(*) from events'`, { folder }).then(({ stdout }) =>
        Number(stdout),
      );
    expect(await eventsIn('london.db')).toBe(3);
    expect(await eventsIn('cp.db').catch(() => 0)).toBeLessThan(3);
    expect(readHistory(at('london.db'))).toBeDefined();
  } finally {
    store.close();
  }
});
