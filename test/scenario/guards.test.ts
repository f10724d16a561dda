import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Core } from '../../src/simulate/guard-agent.ts';
import { core } from './core.ts';
import { firstMistake } from './examination.ts';
import { type Mutant, mutants } from './mutants.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const MUTANTS = fileURLToPath(new URL('../output/mutants/', import.meta.url));

/** A copy of the pure rooms with one guard broken. */
async function mutated(mutant: Mutant, index: number): Promise<Core> {
  const directory = `${MUTANTS}${process.pid}-${index}/`;
  mkdirSync(directory, { recursive: true });
  for (const room of ['domain', 'decide'])
    cpSync(`${SRC}${room}`, `${directory}${room}`, { recursive: true });
  const path = `${directory}${mutant.file}`;
  const parts = readFileSync(path, 'utf8').split(mutant.whole);
  expect(parts, `the text of the guard stands once in ${mutant.file}`).toHaveLength(2);
  writeFileSync(path, parts.join(mutant.broken));
  const { step } = (await import(`${directory}decide/step.ts`)) as Pick<Core, 'step'>;
  const { newState, memoryOf } = (await import(`${directory}decide/state.ts`)) as Omit<Core, 'step'>;
  return { step, newState, memoryOf };
}

afterAll(() => rmSync(MUTANTS, { recursive: true, force: true }));

describe('each guard is needed', () => {
  test('the decisions as they ship pass the examination', () => {
    expect(firstMistake(core)).toBeNull();
  });

  test.each(mutants.map((mutant, index) => [mutant.guard, mutant, index] as const))(
    'without "%s" the examination fails',
    async (_guard, mutant, index) => {
      expect(firstMistake(await mutated(mutant, index))).not.toBeNull();
    },
  );
});
