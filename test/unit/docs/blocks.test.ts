import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BLOCKS, type Block, blockText, commandsIn, ROOT } from '../../docs-blocks.ts';
import { isConfig, STORY, WAYS, type Way } from './ways.ts';

/** Made from the program by reference.test.ts, and held against it there. */
const isReference = ({ page }: Block): boolean => page.startsWith('docs/reference/');

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** What is wrong with how a block is said to be run or parsed. */
function faultsOf(key: string, ways: readonly Way[], text = blockText(key)): string[] {
  const lines = commandsIn(text);
  const untold = new Set(lines);
  const faults = ways.flatMap((way): string[] => {
    if ('drawing' in way) return text.includes('--') || text.includes('->') ? [] : [`${key} is no drawing`];
    if ('by' in way) {
      untold.clear();
      return read(way.by).includes(`'${key}'`) ? [] : [`${way.by} does not ask for ${key}`];
    }
    untold.delete(way.line);
    const place = way.in ?? STORY;
    return [
      ...(lines.includes(way.line) ? [] : [`${key} has no line ${way.line}`]),
      ...(read(place).includes(way.played) ? [] : [`${place} does not have: ${way.played}`]),
    ];
  });
  const isRead = ways.some((way) => 'drawing' in way);
  return [...faults, ...(isRead ? [] : [...untold].map((line) => `${key}: nothing runs ${line}`))];
}

describe('every block of the pages', () => {
  test('is run or parsed by something that is named', () => {
    const named = BLOCKS.filter((block) => !isConfig(block) && !isReference(block)).map(({ key }) => key);
    expect(named.sort()).toEqual(Object.keys(WAYS).sort());
    expect(BLOCKS.filter(isConfig).length).toBeGreaterThan(6);
  });

  test.each(Object.entries(WAYS))('%s is run or parsed by what is named', (key, ways) => {
    expect(faultsOf(key, ways)).toEqual([]);
  });

  test('is missed when nothing runs it, or when what is named does not', () => {
    const key = 'docs/deploy/systemd.md sh 2';
    const line = 'systemctl reload sustain';
    expect(faultsOf(key, [{ line, played: line }], `${line}\nrm -rf /\n`)).toEqual([
      `${key}: nothing runs rm -rf /`,
    ]);
    expect(faultsOf(key, [{ line, played: 'systemctl reload everything' }])).toEqual([
      `${STORY} does not have: systemctl reload everything`,
    ]);
    expect(faultsOf(key, [{ by: 'test/unit/version.test.ts' }])).toEqual([
      `test/unit/version.test.ts does not ask for ${key}`,
    ]);
  });
});
