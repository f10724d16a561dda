import { memoryOf, newState } from '../../src/decide/state.ts';
import { step } from '../../src/decide/step.ts';
import type { Core } from '../../src/simulate/guard-agent.ts';

/** The decisions as they ship. */
export const core: Core = { step, newState, memoryOf };
