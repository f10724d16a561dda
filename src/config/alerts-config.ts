import type { HookSettings, HookTarget } from '../domain/alert-hooks.ts';
import type { AlertKind } from './schema/alerts.ts';
import type { ParsedConfig } from './schema/schema.ts';
import { Secret, type SecretRef } from './secret.ts';

/** Who is told of what goes wrong. Addresses are as good as passwords and are kept like them. */
export interface AlertsConfig {
  readonly hooks: readonly HookConfig[];
  readonly heartbeats: readonly { readonly name: string; readonly url: Secret; readonly everyMs: number }[];
}

export type HookConfig = HookSettings<Secret>;

type Entry = ParsedConfig['alerts'][number];
type Reveal = (ref: SecretRef) => Secret;

/** The checks before have seen to it that each entry is of one kind and has what that needs. */
export function alertsOf({ alerts }: ParsedConfig, secret: Reveal): AlertsConfig {
  const hooks: HookConfig[] = [];
  const heartbeats: AlertsConfig['heartbeats'][number][] = [];
  const taken = new Set<string>();
  for (const [index, entry] of alerts.entries()) {
    const kind = kindOf(entry);
    // The outbox knows them by it over a restart, so that it doesn't hang on what else is in the file.
    const name = entry.name ?? (taken.has(kind) ? `${kind}-${index + 1}` : kind);
    taken.add(name);
    const { minimum, stations, everyMs } = entry;
    const url = urlOf(entry, kind, secret);
    if (kind === 'heartbeat') heartbeats.push({ name, url: needed(url), everyMs });
    else hooks.push({ name, minimum, stations, target: targetOf(entry, kind, url, secret) });
  }
  return { hooks, heartbeats };
}

function kindOf({ urls, email, command }: Entry): AlertKind {
  if (email !== null) return 'email';
  if (command !== null) return 'command';
  const kinds = Object.keys(urls) as (keyof Entry['urls'])[];
  return needed(kinds.find((kind) => urls[kind] !== null));
}

function urlOf({ urls }: Entry, kind: AlertKind, secret: Reveal): Secret | null {
  if (kind === 'email' || kind === 'command') return null;
  const url = urls[kind];
  if (url === null) return null;
  return typeof url === 'string' ? new Secret(url, `alerts: ${kind}`) : secret(url);
}

function targetOf(
  entry: Entry,
  kind: Exclude<AlertKind, 'heartbeat'>,
  url: Secret | null,
  secret: Reveal,
): HookTarget<Secret> {
  switch (kind) {
    case 'webhook':
      return { kind, url: needed(url), secret: entry.secret && secret(entry.secret) };
    case 'ntfy':
      return { kind, url: needed(url), token: entry.token && secret(entry.token) };
    case 'email': {
      const { password, ...mail } = needed(entry.email);
      return { kind, ...mail, password: password && secret(password) };
    }
    case 'command':
      return { kind, command: needed(entry.command) };
    default:
      return { kind, url: needed(url) };
  }
}

function needed<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined)
    throw new Error('an alert lacks what it needs, although the config was found to be in order');
  return value;
}
