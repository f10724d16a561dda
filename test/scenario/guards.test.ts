import { afterAll, describe, expect, test } from 'vitest';
import type { Core } from '../../src/simulate/guard-agent.ts';
import { core } from './core.ts';
import { questions } from './examination.ts';
import { mutants } from './mutants.ts';
import { Mutations } from './mutation.ts';

const mutations = new Mutations('guards');
afterAll(() => mutations.remove());

describe('each guard is needed', () => {
  test.each(Object.entries(questions))(
    'the decisions as they ship pass the examination: %s',
    (_name, question) => {
      expect(question(core)).toBeNull();
    },
  );

  test.each(mutants.map((mutant) => [mutant.guard, mutant] as const))(
    'without "%s" the examination fails',
    async (_guard, mutant) => {
      const broken = await mutations.load<Core>(mutant, ['decide/step.ts', 'decide/state.ts']);
      expect(questions[mutant.missedIn](broken)).not.toBeNull();
    },
  );
});
