import { afterAll, describe, expect, test } from 'vitest';
import { type FailoverCore, failoverCore } from '../../src/simulate/dns-world.ts';
import { guardsOfCutOff } from './failover-guards-cut-off.ts';
import { guardsOfJudging } from './failover-guards-judging.ts';
import { guardsOfLeaving } from './failover-guards-leaving.ts';
import { guardsOfOrders } from './failover-guards-orders.ts';
import { guardsOfWriting } from './failover-guards-writing.ts';
import { Mutations } from './mutation.ts';

const MODULES = ['step', 'state', 'choice', 'lease-rule', 'on-air'].map(
  (name) => `decide/failover/${name}.ts`,
);
const guards = [guardsOfJudging, guardsOfCutOff, guardsOfWriting, guardsOfOrders, guardsOfLeaving]
  .flat()
  .map((guard) => [guard.guard, guard] as const);

const mutations = new Mutations('failover');
afterAll(() => mutations.remove());

describe('each guard of the DNS decision is needed', () => {
  test.each(guards)('the decision as it ships has it: %s', (_, { mistake }) => {
    expect(mistake(failoverCore)).toBeNull();
  });

  test.each(guards)('and without it a mistake is found: %s', async (_, guard) => {
    expect(guard.mistake(await mutations.load<FailoverCore>(guard, MODULES))).not.toBeNull();
  });
});
