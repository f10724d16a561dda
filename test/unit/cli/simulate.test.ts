import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/cli/exit-codes.ts';
import { simulate } from '../../../src/cli/simulate.ts';
import { usualCauses } from '../../../src/simulate/faults.ts';
import { DUBLIN, LONDON } from '../../../src/simulate/station.ts';

let directory: string;
let rates: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sustain-simulate-'));
  rates = join(directory, 'rates.yaml');
  writeFileSync(rates, only('icecast-crash', 6));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function only(cause: string, perYear: number): string {
  const lines = usualCauses([LONDON, DUBLIN]).map(
    ({ id }) => `  ${id}: { perYear: ${id === cause ? perYear : 0} }`,
  );
  return `faults:\n${lines.join('\n')}\n`;
}

async function run(options: Parameters<typeof simulate>[0], interrupted?: AbortSignal) {
  const printed: string[] = [];
  const said: string[] = [];
  const code = await simulate(options, {
    env: {},
    terminal: { write: (text) => said.push(text) },
    print: (text) => printed.push(text),
    ...(interrupted === undefined ? {} : { interrupted }),
  });
  return { code, printed: printed.join(''), said: said.join('') };
}

describe('sustain simulate', () => {
  it('says how a station fares with Sustain and without, as JSON and as a plot', async () => {
    const plot = join(directory, 'out.svg');
    const { code, printed } = await run({ years: '2', seed: '3', rates, json: true, plot });
    expect(code).toBe(EXIT.ok);
    const { keepers, years, seed } = JSON.parse(printed);
    expect({ years, seed }).toEqual({ years: 2, seed: 3 });
    expect(keepers.map(({ name }: { name: string }) => name)).toEqual([
      'sustain',
      'one-server',
      'dns-check',
      'fallback',
    ]);
    const [sustain, oneServer, check, fallback] = keepers;
    expect(sustain.availability.mean).toBeGreaterThan(fallback.availability.mean);
    expect(sustain.outageMinutes).toBeGreaterThan(0);
    expect(sustain.outageMinutes).toBe(sustain.outageMinutesByCause['icecast-crash']);
    expect(sustain.perYear.moves).toBeGreaterThan(0);
    expect(check.perYear.moves).toBeGreaterThan(0);
    expect(oneServer.perYear.moves + fallback.perYear.moves).toBe(0);
    const drawn = readFileSync(plot, 'utf8');
    expect(drawn).toContain('Icecast crashes and is restarted');
    expect(drawn.match(/<rect/g)?.length).toBeGreaterThan(5);
  });

  it.each([
    ['link-cut', 4, 'moves', 'the sites cannot see each other'],
    ['pause', 12, 'switches', 'a pause in the programme'],
  ] as const)('tells that %s is what false acts came of', async (cause, perYear, what, words) => {
    const alone = join(directory, `${cause}.yaml`);
    writeFileSync(alone, only(cause, perYear));
    const { printed } = await run({ years: '3', seed: '3', rates: alone, json: true });
    const [sustain] = JSON.parse(printed).keepers;
    const [moves, switches] = [sustain.perYear.falseMoves, sustain.perYear.falseSwitches];
    expect(what === 'moves' ? moves : switches).toBeGreaterThan(0);
    expect(sustain.perYear.falseMovesByCause).toEqual(moves > 0 ? { [cause]: moves } : {});
    expect(sustain.perYear.falseSwitchesByCause).toEqual(switches > 0 ? { [cause]: switches } : {});
    const table = (await run({ years: '3', seed: '3', rates: alone })).printed;
    const blocks = table.split('\n\n');
    const head = `False ${what === 'moves' ? 'moves of the name' : what} a year by what went wrong:`;
    expect(blocks[blocks.indexOf(head) + 1]).toContain(words);
    expect(blocks.filter((block) => block.startsWith('False'))).toHaveLength(1);
  });

  it('refuses a plot that could not be written before the years begin, and a station of no config', async () => {
    const plot = join(directory, 'no-such-folder', 'out.svg');
    const { code, printed, said } = await run({ years: '100000', seed: '3', rates, plot });
    expect({ code, printed }).toEqual({ code: EXIT.unusable, printed: '' });
    expect(said).toContain(`--plot ${plot}: ENOENT`);
    const stationed = await run({ years: '100000', rates, station: 'myfm' });
    expect(stationed.code).toBe(EXIT.unusable);
    expect(stationed.said).toContain('--station myfm: a station is one of a config: write --config too');
  });

  it('says what came of it although the plot could not be written in the end', async () => {
    const { code, printed, said } = await run({
      years: '1',
      seed: '3',
      rates,
      json: true,
      plot: '/dev/full',
    });
    expect(code).toBe(EXIT.failed);
    expect(JSON.parse(printed)).toMatchObject({ years: 1 });
    expect(said).toContain('ENOSPC');
    expect(existsSync('/dev/full')).toBe(true);
  });

  it('leaves a plot of before where it is, and no empty one, when the years are broken off', async () => {
    const [old, fresh] = [join(directory, 'old.svg'), join(directory, 'fresh.svg')];
    writeFileSync(old, '<svg>of yesterday</svg>');
    for (const plot of [old, fresh])
      expect((await run({ years: '100000', rates, plot }, AbortSignal.abort())).code).toBe(EXIT.failed);
    expect(readFileSync(old, 'utf8')).toBe('<svg>of yesterday</svg>');
    expect(existsSync(fresh)).toBe(false);
  });

  it('gives the same years for the same seed', async () => {
    const once = await run({ years: '1', seed: '4', rates, json: true });
    expect((await run({ years: '1', seed: '4', rates, json: true })).printed).toBe(once.printed);
  });

  it('prints a table for people', async () => {
    const { printed } = await run({ years: '1', rates });
    expect(printed).toContain('Sustain on two servers');
    expect(printed).toMatch(/Icecast crashes and is restarted +12×/);
  });

  it.each([
    [{ years: '0' }, '--years 0: write a whole number from 1'],
    [{ years: 'many' }, '--years many'],
    [{ seed: '-1' }, '--seed -1'],
    [{ rates: '/nowhere/rates.yaml' }, '/nowhere/rates.yaml'],
    [{ config: '/nowhere/sustain.yaml' }, '/nowhere/sustain.yaml'],
  ])('refuses %j and says why', async (options, why) => {
    const { code, said, printed } = await run(options);
    expect(code).toBe(EXIT.unusable);
    expect(said).toContain(why);
    expect(printed).toBe('');
  });

  it('says nothing of years that it was not let finish', async () => {
    const ended = new AbortController();
    ended.abort();
    const { code, said, printed } = await run({ years: '1000', rates }, ended.signal);
    expect(code).toBe(EXIT.failed);
    expect(said).toContain('stopped before all years were over');
    expect(printed).toBe('');
  });
});
