import type { Hook } from '../alerts/hook.ts';
import { createHook } from '../alerts/hooks/create.ts';
import type { AlertsConfig, HookConfig } from '../config/index.ts';
import type { HookTarget } from '../domain/alert-hooks.ts';
import type { Clock } from '../platform/clock.ts';

/** A receiver of alerts as the config names it; from here on its secrets are plain. */
export function hookOf({ target, ...rest }: HookConfig, clock: Clock): Hook {
  return createHook({ ...rest, target: revealed(target) }, clock);
}

export const hooksOf = ({ hooks }: AlertsConfig, clock: Clock): readonly Hook[] =>
  hooks.map((hook) => hookOf(hook, clock));

function revealed(target: HookConfig['target']): HookTarget<string> {
  switch (target.kind) {
    case 'webhook':
      return { kind: 'webhook', url: target.url.reveal(), secret: target.secret?.reveal() ?? null };
    case 'ntfy':
      return { kind: 'ntfy', url: target.url.reveal(), token: target.token?.reveal() ?? null };
    case 'email':
      return { ...target, password: target.password?.reveal() ?? null };
    case 'command':
      return target;
    default:
      return { kind: target.kind, url: target.url.reveal() };
  }
}
