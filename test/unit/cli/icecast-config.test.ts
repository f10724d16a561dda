import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readIcecastXml } from '../../../src/cli/check/icecast-xml.ts';
import { withNets } from '../../../src/cli/icecast-config/into-xml.ts';
import { runIcecastConfig } from '../../../src/cli/icecast-config.ts';
import { loopbackOf, netBlocks } from '../../../src/cli/net-blocks.ts';

const NET = { mount: '/stream', source: '/primary', host: '127.0.0.1', port: 8000, isPortGuess: false };

const OLD = `<icecast>
  <limits><sources>8</sources></limits>
  <!-- <mount><mount-name>/stream</mount-name></mount> -->
  <mount type="normal">
    <mount-name>/stream</mount-name>
    <password>secret &amp; odd</password>
    <fallback-mount>/primary</fallback-mount>
    <fallback-override>1</fallback-override>
    <max-listeners>500</max-listeners>
  </mount>
  <mount><mount-name>/primary</mount-name></mount>
</icecast>
`;

describe('the net in an icecast.xml that is there', () => {
  it('replaces the looping fallback of the mount and adds the relay; everything else stays', () => {
    const edited = withNets(OLD, [NET]);
    const xml = readIcecastXml(edited?.text ?? '');
    expect(xml?.mounts).toMatchObject([
      {
        mount: '/stream',
        fallback: '/stream-safe',
        fallbackOverride: true,
        hasPassword: true,
        maxListeners: 500,
      },
      { mount: '/primary', fallback: null },
    ]);
    expect(xml?.relays).toEqual([{ localMount: '/stream-safe', onDemand: true }]);
    expect(edited?.text).toContain('<!-- <mount><mount-name>/stream</mount-name></mount> -->');
    expect(edited?.text).toContain('secret &amp; odd');
    expect(edited?.changes).toHaveLength(2);
  });

  it('changes nothing the second time', () => {
    const once = withNets(OLD, [NET])?.text ?? '';
    expect(withNets(once, [NET])).toEqual({ text: once, changes: [] });
  });

  it('follows a source or a port that is another one now', () => {
    const once = withNets(OLD, [NET])?.text ?? '';
    const twice = withNets(once, [{ ...NET, port: 9000 }]);
    expect(twice?.changes).toEqual(['<relay> for /stream-safe: replaced']);
    expect(twice?.text.match(/<relay>/g)).toHaveLength(1);
    expect(twice?.text).toContain('<port>9000</port>');
  });

  it('adds the mount where there is none, and gives up on what is no icecast.xml', () => {
    const edited = withNets('<icecast>\n</icecast>', [NET, { ...NET, mount: '/hq' }]);
    expect(readIcecastXml(edited?.text ?? '')?.mounts.map(({ mount }) => mount)).toEqual(['/stream', '/hq']);
    expect(withNets('<icecast>', [NET])).toBeNull();
  });
});

describe('where a server reaches itself', () => {
  it('is never the port of TLS, over which Icecast relays nothing', () => {
    expect(loopbackOf('http://10.0.0.1:8010')).toMatchObject({ port: 8010, isPortGuess: false });
    expect(loopbackOf('https://10.0.0.1:8443')).toMatchObject({ port: 8000, isPortGuess: true });
    expect(loopbackOf('https://10.0.0.1:8443', [8443, 8002])).toMatchObject({
      port: 8002,
      isPortGuess: false,
    });
    expect(loopbackOf('https://10.0.0.1', [443])).toMatchObject({ isPortGuess: true });
    const [, relay] = netBlocks({ mount: '/stream', source: '/primary', ...loopbackOf('https://10.0.0.1') });
    expect(relay?.because).toContain('Icecast relays nothing over TLS');
  });
});

describe('sustain icecast-config', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sustain-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function run(into?: string, mode = 'relay') {
    const config = join(folder, 'sustain.yaml');
    const serve =
      mode === 'relay'
        ? '{ mode: relay, outputs: [ { mount: /stream, codec: mp3 }, { mount: /stream.opus, codec: opus } ] }'
        : '{ mode: guard }';
    writeFileSync(
      config,
      `server: london
servers: { london: { url: "http://127.0.0.1:9", admin: { passwordEnv: SECRET }, source: { passwordEnv: SECRET } } }
stations:
  myfm: { sources: [ { name: primary, mount: /primary } ], serve: ${serve} }
`,
    );
    const said: string[] = [];
    const code = await runIcecastConfig({
      config,
      into,
      env: { SECRET: 'secret' },
      print: (text) => said.push(text),
    });
    return { code, text: said.join('\n') };
  }

  it('prints the blocks, and says which mount can have no net and what it took for granted', async () => {
    const { code, text } = await run();
    expect(code).toBe(0);
    expect(text).toContain('<local-mount>/stream-safe</local-mount>');
    expect(text).toContain('could not be asked: /primary is taken for MP3');
    expect(text).toContain('/stream.opus gets no net');
    expect(text).not.toContain('secret');
  });

  it('writes them into a file and keeps what it was, with the mode that it had', async () => {
    const path = join(folder, 'icecast.xml');
    writeFileSync(path, OLD, { mode: 0o640 });
    const { code, text } = await run(path);
    expect(code).toBe(0);
    expect(text).toContain('systemctl reload icecast2');
    expect(readFileSync(path, 'utf8')).toContain('<local-mount>/stream-safe</local-mount>');
    expect(readFileSync(`${path}.before-sustain`, 'utf8')).toBe(OLD);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect((await run(path)).text).toContain('has it all already');
  });

  it('writes nothing into what is no icecast.xml, or where there is nothing to be written', async () => {
    const path = join(folder, 'other.xml');
    writeFileSync(path, '<other/>');
    expect((await run(path)).code).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('<other/>');
    expect((await run(join(folder, 'none.xml'))).text).toContain("can't be changed");
    expect(await run(undefined, 'guard')).toMatchObject({ code: 2 });
  });

  it('advises another user only where that would help', async () => {
    const path = join(folder, 'icecast.xml');
    writeFileSync(path, OLD);
    // What the file was can't be kept under the name of a folder.
    mkdirSync(`${path}.before-sustain`);
    const { code, text } = await run(path);
    expect(code).toBe(1);
    expect(text).toMatch(/Nothing was written\.$/);
    expect((await run(join(folder, 'none.xml'))).text).toMatch(/ENOENT.*Nothing was written\.$/);
    expect(readFileSync(path, 'utf8')).toBe(OLD);
  });
});
