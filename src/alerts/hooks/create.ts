import type { HookSettings } from '../../domain/alert-hooks.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Hook } from '../hook.ts';
import { commandDelivery } from './command.ts';
import { emailDelivery } from './email.ts';
import { httpDelivery } from './http.ts';

/**
 * One receiver, as its settings want it.
 * @throws SustainError `bad-webhook-secret`
 */
export function createHook({ name, minimum, stations, target }: HookSettings<string>, clock: Clock): Hook {
  const deliver =
    target.kind === 'email'
      ? emailDelivery(target)
      : target.kind === 'command'
        ? commandDelivery(target, clock)
        : httpDelivery(target, clock);
  return { name, minimum, stations, deliver };
}
