import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadConfigText } from '../../../src/config/index.ts';
import { hashPassword } from '../../../src/web/access/passwords.ts';
import { BLOCKS, blockText, commandsIn, PAGES, ROOT } from '../../docs-blocks.ts';
import { commandNames, optionsOf } from './reference.ts';
import { isConfig } from './ways.ts';

const blocksIn = (...languages: string[]) =>
  BLOCKS.filter(({ language }) => languages.includes(language)).map((block) => [block.key, block] as const);

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
  london: { url: "http://10.0.0.1:8000", publicAddress: 203.0.113.10, admin: { passwordFile: $CREDENTIALS_DIRECTORY/pw }, source: { passwordFile: $CREDENTIALS_DIRECTORY/pw } }
  dublin: { url: "http://10.1.0.1:8000", publicAddress: 198.51.100.10, admin: { passwordFile: $CREDENTIALS_DIRECTORY/pw }, source: { passwordFile: $CREDENTIALS_DIRECTORY/pw } }
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
  return stringify(merged(base, part));
}

/** What a secret has to look like, where its form is known. */
const formsOf = async (): Promise<Readonly<Record<string, string>>> => ({
  passwordHash: await hashPassword('a password'),
  secret: `whsec_${Buffer.alloc(32, 's').toString('base64')}`,
  ...Object.fromEntries(
    ['webhook', 'slack', 'discord', 'teams', 'heartbeat'].map((stem) => [stem, 'https://hooks.example/x']),
  ),
});

describe('configs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sustain-docs-'));
    writeFileSync(join(folder, 'pw'), 'x', { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // Only credentials are there: a secret at another path is none for the service, and so a fault of the page.
  test.each(BLOCKS.filter(isConfig).map((block) => [block.key, block] as const))(
    'in %s hold, with their secrets where the service finds them',
    async (_key, { text }) => {
      const forms = await formsOf();
      for (const [, stem = '', name = ''] of text.matchAll(/(\w+)File: \$CREDENTIALS_DIRECTORY\/([\w.-]+)/g))
        writeFileSync(join(folder, name), forms[stem] ?? 'c2VjcmV0', { mode: 0o600 });
      const env = { CREDENTIALS_DIRECTORY: folder };
      const loaded = await loadConfigText(whole(text), '/etc/sustain/sustain.yaml', env, {});
      expect(loaded.ok ? [] : loaded.faults).toEqual([]);
      expect(loaded.warnings.filter(({ path }) => /(File|Env)$/.test(path))).toEqual([]);
    },
  );
});

const SCRIPTS = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts as Record<
  string,
  string
>;

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

  test.each(shell)('in %s are known', (_key, { text }) => {
    for (const line of commandsIn(text)) {
      for (const [, name = ''] of line.matchAll(/npm run (?:--silent )?([\w:]+)/g))
        expect(Object.keys(SCRIPTS), line).toContain(name);
      const ours = oursIn(line);
      if (ours !== null) expectKnown(line, ours);
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

  test('of Liquidsoap are a script it takes', () => {
    const text = blockText('docs/how-to/encoders.md liquidsoap 1');
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
