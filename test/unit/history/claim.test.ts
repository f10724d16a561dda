import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claimFolder } from '../../../src/history/claim.ts';
import { temporaryFolder } from './support.ts';

describe('the folder of an agent', () => {
  test('is for one at a time, and for the next when it is released', () => {
    const folder = join(temporaryFolder(), 'state');
    const release = claimFolder(folder);
    expect(() => claimFolder(folder)).toThrow(`another agent runs with ${folder}: stop it first`);
    release();
    expect(() => claimFolder(folder)()).not.toThrow();
  });

  test('that cannot be written keeps no agent from starting', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => claimFolder(join(file, 'state'))()).not.toThrow();
  });
});
