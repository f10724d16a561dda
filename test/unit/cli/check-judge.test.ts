import { describe, expect, it } from 'vitest';
import type { MountFacts, ServerFacts } from '../../../src/cli/check/facts.ts';
import { wantedOf } from '../../../src/cli/check/facts.ts';
import type { Finding } from '../../../src/cli/check/findings.ts';
import { readIcecastXml } from '../../../src/cli/check/icecast-xml.ts';
import { judgeServer } from '../../../src/cli/check/judge.ts';
import { judgeLatency } from '../../../src/cli/check/judge-latency.ts';
import { judgeIcecastXml } from '../../../src/cli/check/judge-xml.ts';
import { type Sound, soundIn } from '../../../src/cli/check/sound.ts';
import { mount } from '../../../src/domain/ids.ts';
import { configOf } from './check-support.ts';

const config = await configOf({ london: 'http://10.0.0.1:8000', dublin: 'http://10.1.0.1:8000' });
const wanted = wantedOf(config);
const [server] = config.servers;
if (server === undefined) throw new Error('no server');

const MP3: Sound = { codec: 'mp3', sampleRateHz: 44_100, channels: 2, bitrateKbps: 128, from: 'measured' };

function mountOf(name: string, changes: Partial<MountFacts> = {}, sound: Partial<Sound> = {}): MountFacts {
  const next = { '/primary': '/secondary', '/secondary': '/autodj' }[name];
  return {
    mount: mount(name),
    contentType: 'audio/mpeg',
    fallback: next === undefined ? null : mount(next),
    connectedSeconds: 60,
    connected: 0,
    maxListeners: null,
    probe: null,
    ...changes,
    sound: { ...MP3, ...sound },
  };
}

const answering = (mounts: readonly MountFacts[], version = 'Icecast 2.4.4'): ServerFacts => ({
  server,
  answers: true,
  refused: [],
  clockAheadMs: 0,
  version,
  clients: 10,
  listeners: 5,
  sources: mounts.length,
  mounts,
});

const others = [mountOf('/primary'), mountOf('/autodj')];
const findings = (facts: ServerFacts) => judgeServer(config, wanted, facts);
const brief = (found: readonly Finding[]) =>
  found.map(({ severity, about, says }) => `${severity} ${about} ${says}`);

describe('what check says of a server', () => {
  it('is nothing when all is well', () => {
    expect(findings(answering([...others, mountOf('/secondary')]))).toEqual([]);
  });

  it.each([
    [
      90_000,
      'is 1 min 30 s behind the clock of this machine: planned silences, holds and reports go wrong by as much',
    ],
    [
      -600_000,
      'is 10 min 0 s ahead of the clock of this machine: planned silences, holds and reports go wrong by as much, and signed DNS updates of one of the two may be refused',
    ],
  ])('tells that its clock is another, by %i ms', (clockAheadMs, says) => {
    const facts = answering([...others, mountOf('/secondary')]);
    expect(brief(findings({ ...facts, clockAheadMs } as ServerFacts))).toEqual([`warning clock ${says}`]);
  });

  it.each<[string, MountFacts, string]>([
    [
      'another family of formats',
      mountOf('/secondary', { contentType: 'application/ogg' }),
      'fault /secondary is application/ogg and /primary is audio/mpeg: Icecast moves nobody between these',
    ],
    [
      'another codec',
      mountOf('/secondary', { contentType: 'audio/aac' }, { codec: 'aac' }),
      'fault /secondary is aac, /primary has mp3',
    ],
    [
      'another type when nobody measured',
      mountOf('/secondary', { contentType: 'audio/aac' }, { codec: null }),
      'fault /secondary is audio/aac, /primary has mp3',
    ],
    [
      'another rate',
      mountOf('/secondary', {}, { sampleRateHz: 48_000 }),
      'fault /secondary has 48000 Hz, /primary has 44100 Hz',
    ],
    [
      'other channels',
      mountOf('/secondary', {}, { channels: 1 }),
      'fault /secondary has 1 channel(s), /primary has 2',
    ],
    [
      'another bitrate',
      mountOf('/secondary', {}, { bitrateKbps: 64 }),
      'warning /secondary has 64 kbit/s, /primary has 128',
    ],
    ['no fallback', mountOf('/secondary', { fallback: null }), 'warning /secondary has no fallback mount'],
    [
      'a fallback outside of the station',
      mountOf('/secondary', { fallback: mount('/x') }),
      'warning /secondary falls back on /x, which is no source of myfm',
    ],
    [
      'a file in place of a source',
      mountOf('/secondary', { connectedSeconds: null }),
      'warning /secondary has no source client',
    ],
    [
      'a limit with room',
      mountOf('/secondary', { maxListeners: 10, connected: 5 }),
      'warning /secondary takes at most 10 listeners',
    ],
    [
      'a limit without room',
      mountOf('/secondary', { maxListeners: 3, connected: 5 }),
      'fault /secondary takes at most 3 listeners',
    ],
    [
      'no byte',
      mountOf('/secondary', { probe: { ok: false, why: 'no-sound', detail: 'no byte came' } }),
      'fault /secondary is there but gives a listener nothing: no byte came',
    ],
    [
      'bytes that are no sound',
      mountOf('/secondary', { probe: { ok: false, why: 'no-reading', detail: 'ffmpeg finds no sound' } }),
      'fault /secondary ffmpeg finds no sound, although its type is audio/mpeg',
    ],
    [
      'an ffmpeg of our own that has no answer',
      mountOf('/secondary', { probe: { ok: false, why: 'no-answer', detail: 'ffmpeg was not started' } }),
      'warning /secondary what it is made of is not known: ffmpeg was not started',
    ],
  ])('names %s', (_, odd, says) => {
    const [found, ...more] = findings(answering([others[0] ?? odd, odd, others[1] ?? odd]));
    expect(found === undefined ? '' : brief([found])[0]).toContain(says);
    expect(more).toEqual([]);
  });

  it('is no word of a bitrate that differs as much as an estimate does', () => {
    const odd = mountOf('/secondary', {}, { bitrateKbps: 131 });
    expect(findings(answering([...others, odd]))).toEqual([]);
  });

  it('names a mount that is not there, and the one that was probably meant', () => {
    expect(brief(findings(answering(others)))).toEqual([
      'fault /secondary is not there: secondary of myfm is not connected',
    ]);
    const found = findings(answering([...others, mountOf('/Secondary.mp3')]));
    expect(found[0]?.change).toContain('there is /Secondary.mp3');
  });

  it.each([
    ['Icecast 2.4.4', []],
    ['Icecast 2.4.3', ['warning version']],
    ['Icecast 2.3.3-kh11', ['warning version']],
    ['Icecast 2.4.0-kh15', ['warning version']],
    ['Icecast 2.5.0', ['note version']],
    ['Shoutcast', ['warning version']],
    ['', ['warning version']],
  ])('judges the version "%s"', (version, expected) => {
    const found = findings(answering([...others, mountOf('/secondary')], version));
    expect(found.map(({ severity, about }) => `${severity} ${about}`)).toEqual(expected);
  });

  it.each(['unauthorised', 'refused', 'timed-out', 'overloaded', 'bad-answer'] as const)(
    'is one fault with a cure when the admin API is %s',
    (failure) => {
      const found = findings({ server, answers: false, failure, detail: 'it says no' });
      expect(found).toHaveLength(1);
      expect(found[0]?.severity).toBe('fault');
      expect(found[0]?.change).not.toBe('');
    },
  );
});

const example = `<icecast>
  <limits><clients>100</clients><sources>8</sources><source-timeout>5</source-timeout></limits>
  <authentication><source-password>s</source-password><admin-password>a</admin-password></authentication>
  <listen-socket><port>8000</port></listen-socket>
  <listen-socket><port>8443</port><ssl>1</ssl></listen-socket>
  <mount type="normal"><mount-name>/primary</mount-name><password>p</password><fallback-mount>/secondary</fallback-mount></mount>
  <mount><mount-name>/secondary</mount-name><password>p</password></mount>
  <mount><mount-name>/autodj</mount-name><password>p</password></mount>
</icecast>`;

function judgeXml(xml: string): readonly string[] {
  const read = readIcecastXml(xml);
  if (read === null) throw new Error('not read');
  const facts = answering([...others, mountOf('/secondary')]);
  const found = judgeIcecastXml(config, wanted, facts, read);
  return brief(found.filter(({ severity }) => severity !== 'note'));
}

describe('what check says of an icecast.xml', () => {
  it('is nothing when all is well', () => expect(judgeXml(example)).toEqual([]));

  it.each([
    [
      '<fallback-mount>/secondary',
      '<fallback-override>1</fallback-override><fallback-mount>/secondary',
      'fault /primary has fallback-override',
    ],
    [
      '<fallback-mount>/secondary',
      '<fallback-override>all</fallback-override><fallback-mount>/secondary',
      'fault /primary has fallback-override',
    ],
    ['<fallback-mount>/secondary', '<fallback-mount>/primary', 'fault /primary falls back on itself'],
    [
      '<sources>8',
      '<sources>2',
      'fault icecast.xml allows 2 sources, but there are 3 mounts of the stations:',
    ],
    ['<sources>8</sources>', '<sources>4</sources><x/>', null],
    [
      '<clients>100',
      '<clients>20',
      'fault icecast.xml allows 20 clients, and encoders and agents alone need up to 21',
    ],
    ['<clients>100', '<clients>25', 'warning icecast.xml allows 25 clients: after 21'],
    [
      '<source-timeout>5',
      '<source-timeout>10',
      'warning icecast.xml keeps the mount of a stalled encoder for 10 s',
    ],
    [
      '<source-timeout>5</source-timeout>',
      '',
      'warning icecast.xml keeps the mount of a stalled encoder for 10 s',
    ],
    [
      '<source-password>s',
      '<source-password>hackme',
      'warning icecast.xml has the password of the example file',
    ],
    [
      '/autodj</mount-name><password>p</password>',
      '/autodj</mount-name>',
      'warning /autodj has no password of its own',
    ],
  ])('changes with %s to %s', (from, to, says) => {
    const found = judgeXml(example.replace(from, to));
    if (says === null) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringContaining(says)]);
  });

  it('counts relays and mounts of others against the sources', () => {
    const relay = '<relay><server>x</server><mount>/r</mount><local-mount>/relayed</local-mount></relay>';
    const found = judgeXml(
      example.replace('<sources>8', '<sources>3').replace('</icecast>', `${relay}</icecast>`),
    );
    expect(found).toEqual([expect.stringContaining('3 mounts of the stations and 1 beside them')]);
  });

  it('lets the block for all other mounts count for those without one', () => {
    const block =
      '<mount type="default"><password>p</password><fallback-override>1</fallback-override></mount>';
    const without = example.replace(/<mount><mount-name>\/autodj.*<\/mount>/, block);
    expect(judgeXml(without)).toEqual([expect.stringContaining('fault /autodj has fallback-override')]);
  });

  it('does not read what was commented out', () => {
    const override = '<fallback-override>1</fallback-override>';
    expect(judgeXml(example.replace('<fallback-mount>', `<!-- ${override} --><fallback-mount>`))).toEqual([]);
  });

  it('notes a file that listens on other ports than the config says', () => {
    const read = readIcecastXml(example.replace('8000', '9000'));
    if (read === null) throw new Error('not read');
    const found = judgeIcecastXml(config, wanted, answering([]), read);
    expect(brief(found)[0]).toContain('listens on port 9000, 8443 and not on 8000');
  });

  it.each([
    ['nothing', ''],
    ['another document', '<html/>'],
    ['a document type', '<!DOCTYPE icecast [<!ENTITY x SYSTEM "file:///etc/passwd">]><icecast>&x;</icecast>'],
  ])('refuses %s', (_, text) => expect(readIcecastXml(text)).toBeNull());

  it('keeps no password of the file', () => {
    expect(JSON.stringify(readIcecastXml(example.replaceAll('>p<', '>hunter2<')))).not.toContain('hunter2');
  });
});

describe('what ffmpeg says of sound', () => {
  it.each([
    ['  Stream #0:0: Audio: mp3, 44100 Hz, stereo, fltp, 128 kb/s', 'mp3', 44_100, 2, 128],
    ['  Stream #0:0: Audio: mp3 (mp3float), 48000 Hz, mono, fltp, 64 kb/s', 'mp3', 48_000, 1, 64],
    ['  Stream #0:0: Audio: aac (LC), 44100 Hz, stereo, fltp, 131 kb/s', 'aac', 44_100, 2, 131],
    ['  Stream #0:0[0x1]: Audio: aac (HE-AAC), 44100 Hz, 5.1(side), fltp', 'aac', 44_100, 6, null],
    ['  Stream #0:0: Audio: opus, 48000 Hz, stereo, fltp', 'opus', 48_000, 2, null],
    ['  Stream #0:0(eng): Audio: vorbis, 44100 Hz, 3 channels, fltp, 160 kb/s', 'vorbis', 44_100, 3, 160],
  ])('%s is understood', (line, codec, sampleRateHz, channels, bitrateKbps) => {
    const said = `Input #0, x, from 'pipe:0':\n${line}\nStream mapping:\n  Stream #0:0 -> #0:0\n`;
    expect(soundIn(said)).toEqual({ codec, sampleRateHz, channels, bitrateKbps, from: 'measured' });
  });

  it('is nothing when there is only what it would have written', () => {
    expect(
      soundIn('pipe:0: Invalid data\nOutput #0\n  Stream #0:0: Audio: pcm_s16le, 44100 Hz, stereo\n'),
    ).toBeNull();
  });
});

describe('what check says of relay mode', () => {
  const [station] = config.stations;
  if (station === undefined) throw new Error('no station');
  const output = {
    mount: mount('/stream'),
    codec: 'mp3',
    bitrateKbps: 128,
    sampleRateHz: 44_100,
    channels: 2,
    mp3Quality: null,
  } as const;
  const relayed = {
    ...config,
    stations: [{ ...station, serve: { ...station.serve, mode: 'relay' as const, outputs: [output] } }],
  };
  const sources = [...others, mountOf('/secondary', { contentType: 'application/ogg' }, { codec: 'vorbis' })];
  const of = (stream: readonly MountFacts[]) =>
    judgeServer(relayed, wanted, answering([...sources, ...stream]));

  it('is nothing of formats, as nobody is moved, and how to give the public mount a net', () => {
    const [found, ...more] = of([]);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ severity: 'note', about: '/stream' });
    expect(found?.change).toContain('<fallback-mount>/stream-safe</fallback-mount>');
  });

  it('is no word of a net where icecast.xml was read, which has it or is told of', () => {
    const facts = answering(sources);
    expect(judgeServer(relayed, wanted, facts, { isXmlRead: true })).toEqual([]);
  });

  it('is a fault where the public mount falls back on a source itself, which makes the station hear itself', () => {
    expect(brief(of([mountOf('/stream', { fallback: mount('/primary') })]))[0]).toMatch(
      /^fault \/stream falls back on \/primary itself/,
    );
  });

  it('is a fault where it comes to a source in the end, however many mounts lie between', () => {
    const stream = [
      mountOf('/stream', { fallback: mount('/other') }),
      mountOf('/other', { fallback: mount('/primary') }),
    ];
    expect(brief(of(stream))).toEqual([
      expect.stringMatching(/^fault \/stream falls back on \/primary in the end, by \/other: /),
    ]);
  });

  it('is a warning where the fallback is not there', () => {
    expect(brief(of([mountOf('/stream', { fallback: mount('/nowhere') })]))).toEqual([
      expect.stringMatching(/^warning \/stream falls back on \/nowhere, which is not there/),
    ]);
  });

  it('names a source of the same codec for the net, and none where none has it', () => {
    const with_ = (codec: 'opus' | 'aac') => ({
      ...relayed,
      stations: [
        { ...station, serve: { ...station.serve, mode: 'relay' as const, outputs: [{ ...output, codec }] } },
      ],
    });
    const change = (codec: 'opus' | 'aac') =>
      judgeServer(with_(codec), wanted, answering(sources))[0]?.change ?? '';
    expect(change('opus')).toContain('<mount>/secondary</mount>');
    expect(change('aac')).toContain('no source is aac');
    expect(change('aac')).not.toContain('<relay>');
  });

  it('never relays over TLS', () => {
    const facts = { ...answering(sources), server: { ...server, url: 'https://10.0.0.1:8443' } };
    const [found] = judgeServer(relayed, wanted, facts);
    expect(found?.change).not.toContain('8443');
    expect(found?.change).toContain('Icecast relays nothing over TLS');
  });

  const xmlOf = (mounts: string) => {
    const read = readIcecastXml(example.replace('</icecast>', `${mounts}</icecast>`));
    if (read === null) throw new Error('not read');
    const facts = answering([...others, mountOf('/secondary')]);
    return brief(judgeIcecastXml(relayed, wanted, facts, read).filter(({ severity }) => severity !== 'note'));
  };
  const block = (name: string, fallback: string) =>
    `<mount><mount-name>${name}</mount-name><fallback-mount>${fallback}</fallback-mount><fallback-override>1</fallback-override></mount>`;

  it('is told from icecast.xml while the agent is not there to show the mount', () => {
    const relay =
      '<relay><server>127.0.0.1</server><port>8000</port><mount>/primary</mount><local-mount>/stream-safe</local-mount><on-demand>1</on-demand></relay>';
    expect(xmlOf(`${block('/stream', '/stream-safe')}${relay}`)).toEqual([]);
    expect(xmlOf(block('/stream', '/stream-safe'))).toEqual([
      expect.stringContaining('warning /stream falls back on /stream-safe, which no <relay> feeds'),
    ]);
    expect(xmlOf(block('/stream', '/primary'))).toEqual([
      expect.stringContaining('fault /stream falls back on /primary itself'),
    ]);
    expect(xmlOf(block('/stream', '/other') + block('/other', '/primary'))).toEqual([
      expect.stringContaining('fault /stream falls back on /primary in the end, by /other'),
    ]);
    expect(xmlOf('')).toEqual([expect.stringContaining('warning /stream has no fallback mount')]);
  });

  it('counts the public mounts against the sources', () => {
    const read = readIcecastXml(example.replace('<sources>8', '<sources>3'));
    if (read === null) throw new Error('not read');
    const found = brief(judgeIcecastXml(relayed, wanted, answering(sources), read));
    expect(found).toContainEqual(
      expect.stringContaining('allows 3 sources, but there are 4 mounts of the stations'),
    );
  });

  it('says what it costs in latency', async () => {
    const [found, ...more] = judgeLatency(relayed);
    expect(more).toEqual([]);
    expect(found?.says).toContain('runs 8.0 s behind the sources');
    expect(judgeLatency(config)).toEqual([]);
  });

  it('is a warning where the public mount has no net, and nothing where it has the right one', () => {
    expect(brief(of([mountOf('/stream')]))[0]).toMatch(/^warning \/stream has no fallback mount/);
    expect(of([mountOf('/stream', { fallback: mount('/stream-safe') })])).toEqual([]);
  });
});
