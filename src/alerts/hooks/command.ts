import type { HookTarget } from '../../domain/alert-hooks.ts';
import type { Severity } from '../../domain/incidents.ts';
import { describeExit, startChild } from '../../platform/child.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Delivery, failed } from '../hook.ts';
import { type AlertMessage, foldedJson, jsonOf } from '../message.ts';
import { wordsOf } from '../words.ts';

/** A program of the station's: the JSON of a webhook on its standard input, the words in its environment. Exit 0: told. */
export function commandDelivery(
  { command }: HookTarget<string> & { kind: 'command' },
  clock: Clock,
): (messages: readonly AlertMessage[], signal: AbortSignal) => Promise<Delivery> {
  const [program = '', ...args] = command;
  return async (messages, signal) => {
    const [first] = messages;
    const { title, lines } = wordsOf(messages);
    const child = startChild({
      command: program,
      args,
      clock,
      hasChildren: true,
      env: {
        ...process.env,
        SUSTAIN_ALERT: messages.length === 1 ? (first?.kind ?? '') : 'folded',
        SUSTAIN_STATION: first?.incident.station ?? '',
        SUSTAIN_SEVERITY: worstOf(messages),
        SUSTAIN_TITLE: title,
        SUSTAIN_TEXT: lines.join('\n'),
      },
    });
    child.write(
      Buffer.from(
        `${JSON.stringify(messages.length === 1 && first !== undefined ? jsonOf(first) : foldedJson(messages))}\n`,
      ),
    );
    child.endInput();
    const end = () => void child.stop();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    const exit = await child.exited;
    signal.removeEventListener('abort', end);
    if (exit.is === 'exited' && exit.code === 0) return { is: 'sent' };
    const said = child.stderrTail().trim().split('\n').at(-1)?.slice(0, 200) ?? '';
    const why = signal.aborted ? 'it did not end in time' : describeExit(exit);
    return failed(said === '' ? why : `${why}: ${said}`);
  };
}

function worstOf(messages: readonly AlertMessage[]): Severity {
  return messages.some(({ incident }) => incident.severity === 'critical') ? 'critical' : 'warning';
}
