import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXAMPLE_ENV, EXAMPLE_SECRET, VALID_CONFIGS } from '../../../fixtures/config/catalogue.ts';
import { loadConfigText } from '../../../src/config/index.ts';
import { inFileOrder, type Problem, pathText, printProblems, shown } from '../../../src/config/problems.ts';
import { editDistance, nearest } from '../../../src/config/suggest.ts';
import { readYaml } from '../../../src/config/yaml.ts';

const folder = fileURLToPath(new URL('../../../fixtures/config/valid/', import.meta.url));
const examples = VALID_CONFIGS.map(([name]) => readFileSync(`${folder}${name}.yaml`, 'utf8'));

/** Breaks text into words, white space and marks, so that a mutation hits what people mistype. */
const tokensOf = (text: string): string[] => text.match(/[\w./-]+|\n *| +|./gsu) ?? [];

type Mutation = readonly [kind: 'drop' | 'double' | 'replace', at: number, by: string];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.constantFrom('drop', 'double', 'replace'),
  fc.nat(),
  fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      "'",
      '\t',
      '\n',
      '*a',
      '&a',
      '!a',
      '-',
      '|',
      '%',
      '?',
      '#',
    ),
    fc.constantFrom(
      'null',
      '~',
      '5',
      '-50',
      'true',
      '__proto__',
      'constructor',
      '<<',
      '\u202e',
      EXAMPLE_SECRET,
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  ),
);

function mutate(text: string, mutations: readonly Mutation[]): string {
  const tokens = tokensOf(text);
  for (const [kind, at, by] of mutations) {
    const index = at % Math.max(1, tokens.length);
    const token = tokens[index] ?? '';
    if (kind === 'drop') tokens.splice(index, 1);
    else tokens.splice(index, 1, ...(kind === 'double' ? [token, token] : [by]));
  }
  return tokens.join('');
}

describe('a config that was mistyped', () => {
  it('is read or refused with places, and never makes the reader throw', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...examples),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        async (example, mutations) => {
          const text = mutate(example, mutations);
          const loaded = await loadConfigText(text, '/nowhere/sustain.yaml', EXAMPLE_ENV, {});
          const lines = text.split(/\r\n?|\n/).length;
          const problems = loaded.ok ? loaded.warnings : [...loaded.faults, ...loaded.warnings];
          if (!loaded.ok) expect(loaded.faults.length).toBeGreaterThan(0);
          for (const { line, column, message } of problems) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(line).toBeLessThanOrEqual(lines);
            expect(column).toBeGreaterThanOrEqual(1);
            expect(message).not.toBe('');
          }
          expect(printProblems('f', problems).split('\n').length).toBeLessThanOrEqual(
            Math.max(1, problems.length),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('names the one word that was dropped or doubled in a line of keys', async () => {
    for (const key of ['servers', 'stations', 'sources', 'name', 'mount', 'url', 'admin']) {
      const text = (examples[0] ?? '').replace(new RegExp(`\\b${key}:`), `${key}x:`);
      const loaded = await loadConfigText(text, '/sustain.yaml', EXAMPLE_ENV, {});
      const messages = loaded.ok ? [] : loaded.faults.map(({ message }) => message);
      expect(messages).toContain(`is not a key of this section: did you mean ${key}?`);
    }
  });
});

describe('hostile YAML', () => {
  const bounded = (text: string) => {
    const startedMs = performance.now();
    const result = readYaml(text);
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    return result;
  };

  it.each([
    ['brackets in brackets', `a: ${'['.repeat(300_000)}`],
    ['braces in braces', '{a: '.repeat(100_000)],
    ['lists in lists', '- '.repeat(200_000)],
    ['keys of keys', '? '.repeat(200_000)],
    [
      'sections in sections',
      Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    ],
  ])('of %s is refused before it can end the process', (_, text) => {
    const result = bounded(text);
    expect(result.ok ? [] : result.faults).toHaveLength(1);
    expect(result.ok ? '' : result.faults[0]?.message).toContain('nested more than');
  });

  it('with more values than any config has is refused', () => {
    const result = bounded(`a: [${'1,'.repeat(100_000)}]`);
    expect(result.faults.map(({ message }) => message)).toEqual([
      'is one value too many: at most 20000 are allowed',
    ]);
  });

  it('with aliases that unfold without end costs next to nothing', () => {
    const levels = Array.from({ length: 20 }, (_, n) => {
      const below = n === 0 ? 'x' : `*a${n - 1}`;
      return `b${n}: &a${n} [${Array.from({ length: 10 }, () => below).join(',')}]`;
    });
    const startedMs = performance.now();
    const result = bounded(levels.join('\n'));
    expect(result.faults.map(({ message }) => message)).toContain(
      'is one alias (*name) too many: at most 100 are allowed',
    );
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('cannot reach the prototype of anything', async () => {
    const servers = (examples[0] ?? '').replace('servers:', 'servers:\n  __proto__: { polluted: yes }');
    const text = `${servers}\n__proto__: { polluted: yes }\nconstructor: { prototype: { polluted: yes } }\n`;
    const loaded = await loadConfigText(text, '/sustain.yaml', EXAMPLE_ENV, {});
    const paths = loaded.ok ? [] : loaded.faults.map(({ path }) => path);
    expect(paths).toEqual(['servers.__proto__', '__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a fault', () => {
  const fault = (line: number, path = 'a'): Problem => ({ line, column: 1, path, message: 'is wrong' });

  it('cannot forge a second line, whatever the file calls its keys', () => {
    const path = pathText(['a\nsustain.yaml:1:1  all is well', 'b\u202e\u0007']);
    expect(printProblems('f.yaml', [fault(1, path)]).split('\n')).toHaveLength(1);
    expect(path).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('shows a long text only in part', () => expect(shown('x'.repeat(500)).length).toBeLessThan(70));

  it('stands in the order of the file, and the thousandth is only counted', () => {
    const faults = inFileOrder(Array.from({ length: 1_000 }, (_, index) => fault(1_000 - index)));
    const printed = printProblems('f.yaml', faults).split('\n');
    expect(printed[0]).toContain('f.yaml:1:1');
    expect(printed).toHaveLength(51);
    expect(printed.at(-1)).toBe('… and 950 more');
  });
});

describe('the nearest known word', () => {
  it.each([
    ['treshold', 'threshold'],
    ['tripp', 'trip'],
    ['TRIP', 'trip'],
    ['restroe', 'restore'],
  ])('to %s is %s', (word, meant) =>
    expect(nearest(word, ['threshold', 'trip', 'restore', 'sound'])).toBe(meant),
  );

  it('is none when nothing is near', () => expect(nearest('xyzzy', ['threshold', 'trip'])).toBeNull());

  it('counts a swap of neighbours as one mistake', () => {
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
