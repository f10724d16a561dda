import { webhookSecretBase64 } from '../domain/webhook-secret.ts';
import type { Context } from './check-context.ts';
import type { Path } from './problems.ts';
import { shown } from './problems.ts';
import { ALERT_KINDS } from './schema/alerts.ts';
import { nearest } from './suggest.ts';
import { isBranch, keysUnder, lengthUnder, textUnder, under } from './tree.ts';

/** The secrets of an alert, without `File` and `Env`. */
export const ALERT_SECRETS = ['webhook', 'secret', 'slack', 'discord', 'teams', 'ntfy', 'token', 'heartbeat'];
const ADDRESSES = ['webhook', 'slack', 'discord', 'teams', 'ntfy', 'heartbeat'];

/** What belongs to one kind only. */
const ONLY_OF: Readonly<Record<string, string>> = { secret: 'webhook', token: 'ntfy', every: 'heartbeat' };

const stemOf = (key: string): string => key.replace(/(File|Env)$/, '');

/** Each entry is of one kind, has what that needs, and nothing of another. */
export function checkAlerts({ tree, fault, warn }: Context): void {
  const names = new Map<string, number>();
  for (let index = 0; index < lengthUnder(tree, 'alerts'); index += 1) {
    const path: Path = ['alerts', index];
    if (!isBranch(under(tree, ...path))) continue;
    const keys = keysUnder(tree, ...path);
    const kinds = ALERT_KINDS.filter((kind) => keys.some((key) => stemOf(key) === kind));
    const [kind, second] = kinds;
    if (kind === undefined)
      fault(
        path,
        `tells nobody: write one of webhook, slackFile, discordFile, teamsFile, ntfy, email, command`,
      );
    if (second !== undefined) fault(path, `is a ${kind} and a ${second} at once: write an entry for each`);
    for (const key of keys) {
      const owner = ONLY_OF[stemOf(key)];
      if (owner !== undefined && kind !== undefined && !kinds.some((one) => one === owner))
        fault([...path, key], `belongs to ${owner}, and this entry is ${kind}: remove it`);
    }
    for (const stem of ['webhook', 'ntfy', 'heartbeat']) {
      const more = keys.find((key) => key !== stem && stemOf(key) === stem);
      if (keys.includes(stem) && more !== undefined)
        fault([...path, more], `is a second place for the same address: keep ${stem} or ${more}`);
    }
    checkEmail({ tree, fault, warn }, path);
    checkStations({ tree, fault }, path);
    const name = textUnder(tree, ...path, 'name');
    if (name === null) continue;
    const earlier = names.get(name);
    if (earlier === undefined) names.set(name, index);
    else fault([...path, 'name'], `is the name of alerts[${earlier}] too: give each its own`);
  }
}

function checkEmail({ tree, fault, warn }: Context, at: Path): void {
  const path = [...at, 'email'];
  const keys = keysUnder(tree, ...path);
  const hasPassword = keys.includes('passwordFile') || keys.includes('passwordEnv');
  if (keys.includes('user') !== hasPassword)
    fault(
      path,
      hasPassword
        ? 'has a password and no user: write user'
        : 'has a user and no password: write passwordFile',
    );
  for (const key of ['from', 'to'] as const) {
    const count = key === 'from' ? 1 : lengthUnder(tree, ...path, 'to');
    for (let index = 0; index < count; index += 1) {
      const place = key === 'from' ? [...path, 'from'] : [...path, 'to', index];
      const address = textUnder(tree, ...place);
      if (address !== null && !/^[^@]*[^@\s<]@[^@\s>]+>?$/.test(address))
        fault(place, `${shown(address)} is not a mail address: write one such as studio@myfm.example`);
    }
  }
  if (hasPassword && (textUnder(tree, ...path, 'smtp') ?? '').endsWith(':25'))
    warn([...path, 'smtp'], 'port 25 seldom takes a password: 587 or 465 is meant, as a rule');
}

function checkStations({ tree, fault }: Pick<Context, 'tree' | 'fault'>, path: Path): void {
  const known = keysUnder(tree, 'stations');
  for (let index = 0; index < lengthUnder(tree, ...path, 'stations'); index += 1) {
    const name = textUnder(tree, ...path, 'stations', index);
    if (name === null || known.length === 0 || known.includes(name)) continue;
    const meant = nearest(name, known);
    const hint = meant === null ? `write one of ${known.join(', ')}` : `did you mean ${meant}?`;
    fault([...path, 'stations', index], `${shown(name)} is not one of the stations: ${hint}`);
  }
}

/** What is wrong with a secret of an alert that was read; it is not repeated. */
export function alertSecretFault(stem: string, value: string): string | null {
  if (stem === 'secret' && webhookSecretBase64(value) === null)
    return 'names no key of a webhook: put whsec_ and the output of openssl rand -base64 32 there';
  if (!ADDRESSES.includes(stem)) return null;
  const isAddress = URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
  return isAddress ? null : 'names no address: put one that begins with https:// there';
}
