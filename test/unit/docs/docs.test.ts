import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { configJsonSchema, loadConfigText } from '../../../src/config/index.ts';
import { parseIcecastXml } from '../../../src/icecast/xml.ts';
import { commandNames, optionsOf } from './reference.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

function markdownUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...markdownUnder('docs')].map(
  (path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }),
);

interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

const BLOCKS: Block[] = PAGES.flatMap(({ path, text }) =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map((match) => ({
    page: path,
    language: match[1] ?? '',
    text: match[2] ?? '',
  })),
);
const blocksIn = (...languages: string[]) =>
  BLOCKS.filter(({ language }) => languages.includes(language)).map(
    (block, index) => [`${block.page} ${index + 1}`, block] as const,
  );

/** As GitHub makes anchors of headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('links', () => {
  test.each(PAGES.map((page) => [page.path, page] as const))('of %s lead somewhere', (_path, page) => {
    const dead = [...page.text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^(https?:|mailto:)/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page.path : join(dirname(page.path), file);
        if (relative('.', path).startsWith('..') || !existsSync(join(ROOT, path))) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(join(ROOT, path), 'utf8')).includes(anchor);
      });
    expect(dead).toEqual([]);
  });
});

type Tree = { [key: string]: Tree } | Tree[] | string | null;

const BASE = `server: london
servers:
  london: { url: "http://10.0.0.1:8000", publicAddress: 203.0.113.10, admin: { passwordFile: ./pw }, source: { passwordFile: ./pw } }
  dublin: { url: "http://10.1.0.1:8000", publicAddress: 198.51.100.10, admin: { passwordFile: ./pw }, source: { passwordFile: ./pw } }
stations:
  myfm:
    sources: [ { name: primary, mount: /primary }, { name: secondary, mount: /secondary } ]
`;

/** What a page leaves out. */
const ELLIPSIS = ['…', '...', '<...>'];

function merged(base: Tree | undefined, part: Tree): Tree {
  if (typeof part === 'string' && ELLIPSIS.includes(part)) return base ?? part;
  const isSection = (tree: Tree | undefined): tree is { [key: string]: Tree } =>
    typeof tree === 'object' && tree !== null && !Array.isArray(tree);
  if (!isSection(base) || !isSection(part)) return part;
  const entries = Object.entries(part).map(([key, value]) => [key, merged(base[key], value)] as const);
  return { ...base, ...Object.fromEntries(entries) };
}

/** A part of a config put where it belongs into a whole one. */
function whole(text: string): string {
  const part = parse(text, { schema: 'failsafe' }) as Record<string, Tree>;
  const base = parse(BASE, { schema: 'failsafe' }) as Record<string, Tree>;
  return stringify('sources' in part ? { ...base, stations: { part } } : merged(base, part));
}

/** A file of another kind, such as the rates of `sustain simulate`, shares no key with the config. */
function isOfConfig({ text }: Block): boolean {
  const known = Object.keys(configJsonSchema().properties ?? {});
  const keys = Object.keys((parse(text, { schema: 'failsafe' }) as object | null) ?? {});
  return keys.some((key) => known.includes(key) || key === 'sources');
}

describe('configs', () => {
  test.each(blocksIn('yaml').filter(([, block]) => isOfConfig(block)))(
    'in %s hold',
    async (_where, { text }) => {
      const loaded = await loadConfigText(whole(text), '/etc/sustain/sustain.yaml', { PW: 'x' }, {});
      // Only the secrets of the example are not here.
      const faults = loaded.ok
        ? []
        : loaded.faults.filter(
            ({ message }) => !/does not exist|CREDENTIALS_DIRECTORY is not set/.test(message),
          );
      expect(faults).toEqual([]);
    },
  );

  test.each(blocksIn('xml'))('for Icecast in %s are XML', (_where, { text }) => {
    expect(parseIcecastXml(`<icecast>${text}</icecast>`)).not.toBeNull();
  });
});

const SCRIPTS = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts as Record<
  string,
  string
>;

/** Commands of Debian, npm and systemd that a page may name; those of our own are looked at word by word. */
const OTHERS =
  /^(apt-get|systemctl|curl|echo|ffmpeg|docker|node|npm|npx|git|cd|cp|TOKEN=|export|sudo|dig|journalctl|SUSTAIN_|liquidsoap|nsupdate|tsig-keygen|pdnsutil|printf|cat|chmod|install|openssl|kill|mkdir|psql|sqlite3|promtool|jq|python3|tar|for|do|done|while|nats-server|rndc|named-checkconf|nats|butt|scp|chown)/;

/** Lines of a shell block, continued ones joined, without comments. */
function commandsIn(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/\s+#\s.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('commands', () => {
  const shell = blocksIn('sh', 'bash', 'shell');

  /** What follows `sustain` in a line; null when it is no command of ours. */
  const oursIn = (line: string) =>
    /^(?:sustain|node dist\/src\/cli\/main\.js|npm run demo --)(?: (.*))?$/.exec(line)?.[1] ?? null;

  function expectKnown(line: string, rest: string): void {
    const words = rest.split(/\s+[|<>&].*$/)[0]?.split(/\s+/) ?? [];
    const [command = ''] = line.startsWith('npm run demo') ? ['demo'] : words;
    expect([...commandNames(), '--version', '--help'], line).toContain(command);
    const known = command.startsWith('-') ? [] : optionsOf(command);
    for (const word of words.slice(1)) {
      const [option = ''] = word.split('=');
      if (/^--?[a-z]/.test(option)) expect(known, line).toContain(option);
    }
  }

  test.each(shell)('in %s are known', (_where, { text }) => {
    for (const line of commandsIn(text)) {
      for (const [, name = ''] of line.matchAll(/npm run (?:--silent )?([\w:]+)/g))
        expect(Object.keys(SCRIPTS), line).toContain(name);
      const ours = oursIn(line);
      if (ours === null) expect(line).toMatch(OTHERS);
      else expectKnown(line, ours);
    }
  });

  test.each(PAGES.map((page) => [page.path, page] as const))(
    'of ours in the sentences of %s are known',
    (_path, { text }) => {
      const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '');
      for (const [, span = ''] of prose.matchAll(/`([^`\n]+)`/g)) {
        const ours = oursIn(span);
        if (ours !== null && /^[a-z-]/.test(ours)) expectKnown(span, ours);
      }
    },
  );

  test.each(blocksIn('liquidsoap'))('of Liquidsoap in %s are a script it takes', (_where, { text }) => {
    const folder = mkdtempSync(join(tmpdir(), 'sustain-docs-'));
    try {
      chmodSync(folder, 0o755);
      const script = join(folder, 'radio.liq');
      writeFileSync(script, text.replace('/srv/music', folder));
      const checked = spawnSync('liquidsoap', ['--check', script], {
        encoding: 'utf8',
        ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
        env: { PATH: process.env['PATH'], HOME: '/tmp' },
      });
      expect(`${checked.stdout}${checked.stderr}`).not.toMatch(/rror/);
      expect(checked.status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the runbook', () => {
  test('has a page for every alert of the agent and of the rules for Prometheus, and no other', () => {
    const codes = ['events', 'failover', 'record'].flatMap((name) => {
      const source = readFileSync(join(ROOT, `src/domain/${name}.ts`), 'utf8');
      const union = /export type (?:Failover|Agent)?AlertCode =([\s\S]*?);/.exec(source)?.[1] ?? '';
      return [...union.matchAll(/'([a-z-]+)'/g)].map((match) => match[1] ?? '');
    });
    const runbook = PAGES.find(({ path }) => path === 'docs/runbook.md')?.text ?? '';
    const pages = [...runbook.matchAll(/^## (\S+)$/gm)].map((match) => match[1] ?? '');
    const rules = parse(readFileSync(join(ROOT, 'docs/monitoring/prometheus-rules.yaml'), 'utf8')) as {
      groups: { rules: { alert: string }[] }[];
    };
    const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
    expect(codes.length).toBeGreaterThan(20);
    expect(alerts.length).toBeGreaterThan(10);
    expect([...pages].sort()).toEqual([...codes, ...alerts].sort());
  });
});

describe('the unit of systemd', () => {
  test('is exposed to less than 1.5, as systemd itself counts', () => {
    const unit = join(ROOT, '.deploy/systemd/sustain.service');
    const analysed = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=15', unit], {
      encoding: 'utf8',
    });
    expect(analysed.stdout).toMatch(/Overall exposure level for sustain\.service: \d/);
    expect(analysed.status, analysed.stdout.split('\n').at(-2)).toBe(0);
  });
});

describe('what ships', () => {
  test('is what the list of licences says', () => {
    const made = spawnSync(
      process.execPath,
      ['-e', "import('./.dev/bom.mjs').then((bom) => process.stdout.write(bom.licenceList()))"],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect(readFileSync(join(ROOT, 'docs/licences.md'), 'utf8'), 'run `npm run bom`').toBe(made.stdout);
  });
});
