import mittModule from 'mitt';
import type { Cancel } from './clock.ts';
import { messageOf } from './errors.ts';
import type { Logger } from './logger.ts';

/** mitt's types describe its CommonJS build, where the function is `.default`; Node imports the ESM build, where it isn't. */
const mitt = mittModule as unknown as typeof mittModule.default;

/** Events by name. A listener that throws, now or later, can't hurt the emitter or the other listeners. */
export interface Bus<Events extends Record<string, unknown>> {
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void;
  on<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void | Promise<void>,
  ): Cancel;
  /** Forgets every listener. */
  close(): void;
}

export function createBus<Events extends Record<string, unknown>>(logger: Logger): Bus<Events> {
  const emitter = mitt<Events>();
  const report = (name: string, thrown: unknown) => {
    logger.error({ event: name, err: messageOf(thrown) }, 'a listener failed');
  };
  return {
    emit: (name, event) => emitter.emit(name, event),
    on(name, listener) {
      const guarded = (event: Events[typeof name]) => {
        try {
          const later = listener(event);
          if (later instanceof Promise) later.catch((thrown: unknown) => report(name, thrown));
        } catch (thrown) {
          report(name, thrown);
        }
      };
      emitter.on(name, guarded);
      return () => emitter.off(name, guarded);
    },
    close: () => emitter.all.clear(),
  };
}
