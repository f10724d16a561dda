import { beatOnce } from '../../alerts/heartbeat.ts';
import { testMessage } from '../../alerts/message.ts';
import { type Config, type Environment, loadConfig, printProblems } from '../../config/index.ts';
import { stationName } from '../../domain/ids.ts';
import { type Clock, systemClock } from '../../platform/clock.ts';
import { hookOf } from '../../wiring/hooks.ts';

export interface AlertsCheckOptions {
  readonly config: string;
  readonly server?: string | undefined;
  readonly json?: boolean | undefined;
  readonly env?: Environment;
  readonly clock?: Clock;
  readonly print?: (text: string) => void;
}

const WITHIN_MS = 30_000;

interface Tested {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** `sustain check --alerts`: a test through each receiver. 0: all took it; 1: one did not; 2: the config has faults. */
export async function checkAlerts(options: AlertsCheckOptions): Promise<0 | 1 | 2> {
  const print = options.print ?? ((text) => process.stdout.write(`${text}\n`));
  const loaded = await loadConfig(options.config, options.env ?? process.env, { server: options.server });
  if (!loaded.ok) {
    print(
      options.json === true
        ? JSON.stringify({ ok: false, config: { faults: loaded.faults } }, null, 2)
        : printProblems(options.config, loaded.faults),
    );
    return 2;
  }
  const tested = await testAll(loaded.config, options.clock ?? systemClock);
  const ok = tested.every((one) => one.ok);
  if (options.json === true) print(JSON.stringify({ ok, alerts: tested }, null, 2));
  else if (tested.length === 0) print('The config has no alerts: nobody is told when something goes wrong.');
  else
    print(
      tested.map(({ name, ok: sent, detail }) => `${sent ? 'ok  ' : 'FAIL'}  ${name}: ${detail}`).join('\n'),
    );
  return ok ? 0 : 1;
}

async function testAll(config: Config, clock: Clock): Promise<Tested[]> {
  const { hooks, heartbeats } = config.alerts;
  const station = config.stations[0]?.name ?? stationName('test');
  const message = testMessage(config.self, station, clock.wallTime().getTime());
  return Promise.all([
    ...hooks.map(async (hook): Promise<Tested> => {
      const of = hook.stations?.[0];
      const one = of === undefined ? message : testMessage(config.self, stationName(of), message.unixMs);
      const delivery = await hookOf(hook, clock).deliver([one], AbortSignal.timeout(WITHIN_MS));
      const because = delivery.is === 'sent' ? (delivery.but ?? null) : delivery.detail;
      return {
        name: hook.name,
        ok: because === null,
        detail: because ?? `took the test ${one.id}: look whether it is there`,
      };
    }),
    ...heartbeats.map(async ({ name, url }): Promise<Tested> => {
      const detail = await beatOnce(url.reveal());
      return { name, ok: detail === null, detail: detail ?? 'took a beat' };
    }),
  ]);
}
