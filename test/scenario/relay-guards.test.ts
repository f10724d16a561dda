import { afterAll, describe, expect, test } from 'vitest';
import { choose } from '../../src/relay/choice.ts';
import { Mutations } from './mutation.ts';
import { type RelayCore, relayGuards } from './relay-guards.ts';

const mutations = new Mutations('relay');
afterAll(() => mutations.remove());

describe("each guard of the relay's choice is needed", () => {
  const guards = relayGuards.map((guard) => [guard.guard, guard] as const);

  test.each(guards)('the choice as it ships has it: %s', (_, guard) => {
    expect(guard.isRight(choose(guard.in()))).toBe(true);
  });

  test.each(guards)('and without it another choice is made: %s', async (_, guard) => {
    const broken = await mutations.load<RelayCore>(guard, ['relay/choice.ts']);
    expect(guard.isRight(broken.choose(guard.in()))).toBe(false);
  });
});
