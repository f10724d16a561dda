import { child, parseIcecastXml, textOf } from '../../icecast/xml.ts';
import { type IcecastConfig, readIcecastXml, settingsOf } from '../check/icecast-xml.ts';
import type { InitAnswers, Suggested } from './answers.ts';
import { mountsNeeded } from './icecast-blocks.ts';

/** An icecast.xml that is there already. */
export interface Existing {
  readonly xml: IcecastConfig;
  readonly suggested: Suggested;
  /** Null where the file has none, or the one of the example. They go into files, never onto a screen. */
  readonly passwords: { readonly source: string | null; readonly admin: string | null };
}

const EXAMPLE = 'hackme';

/** Null for text that is no icecast.xml. */
export function readExisting(text: string): Existing | null {
  const xml = readIcecastXml(text);
  const document = parseIcecastXml(text);
  const root = document === null ? null : child(document, 'icecast');
  if (xml === null || root === null) return null;
  const authentication = child(root, 'authentication') ?? {};
  const password = (name: string) => {
    const found = textOf(authentication, name)?.trim() ?? '';
    return found === '' || found === EXAMPLE ? null : found;
  };
  const public_ = new Set(['stream', 'stream-safe']);
  return {
    xml,
    suggested: {
      port: xml.ports[0] ?? null,
      sources: xml.mounts
        .map(({ mount }) => (mount ?? '').replace(/^\//, ''))
        .filter((mount) => mount !== '' && !public_.has(mount)),
    },
    passwords: { source: password('source-password'), admin: password('admin-password') },
  };
}

/** A line for each thing that has to change in it, and why; what is in order is not named. */
export function changesIn({ xml, passwords }: Existing, answers: InitAnswers): string[] {
  const said: string[] = [];
  const needed =
    mountsNeeded(answers) + xml.relays.filter(({ localMount }) => localMount !== '/stream-safe').length;
  if (xml.limits.sources < needed)
    said.push(
      `<sources>${xml.limits.sources}</sources> is too few: the station has ${needed} mounts here, and the last encoder to come would be refused`,
    );
  if (xml.limits.clients < 200)
    said.push(
      `<clients>${xml.limits.clients}</clients> is few: encoders and agents count too, and when they are used up the admin API locks everybody out`,
    );
  if (xml.limits.sourceTimeoutSeconds > 5)
    said.push(
      `<source-timeout>${xml.limits.sourceTimeoutSeconds}</source-timeout> is long: until then a second encoder is refused while the first one is stalled`,
    );
  for (const [name, found] of Object.entries(passwords))
    if (found === null)
      said.push(`the ${name} password is missing or that of the example file: a new one was made`);
  for (const source of answers.sources) said.push(...changesInSource(xml, source));
  said.push(...(answers.mode === 'relay' ? changesForRelay(xml) : changesForGuard(xml, answers)));
  return said;
}

function changesInSource(xml: IcecastConfig, source: string): string[] {
  const settings = settingsOf(xml, `/${source}`);
  const said: string[] = [];
  if (settings?.fallbackOverride === true)
    said.push(
      `/${source} has fallback-override: Icecast would pull listeners back as soon as the encoder connects, silent or not, and the agent's monitors with them`,
    );
  if (settings?.fallback === `/${source}`) said.push(`/${source} falls back on itself`);
  return said;
}

function changesForGuard(xml: IcecastConfig, { sources }: InitAnswers): string[] {
  return sources.flatMap((source, index) => {
    const next = sources[index + 1];
    const fallback = settingsOf(xml, `/${source}`)?.fallback ?? null;
    if (next === undefined || fallback === `/${next}`) return [];
    const found = fallback === null ? 'has no fallback' : `falls back on ${fallback}`;
    return [`/${source} ${found}, not on /${next}: listeners would be thrown off when the encoder is gone`];
  });
}

function changesForRelay(xml: IcecastConfig): string[] {
  const said: string[] = [];
  const stream = xml.mounts.find(({ mount }) => mount === '/stream');
  if (stream?.fallback !== '/stream-safe' || !stream.fallbackOverride)
    said.push('/stream needs /stream-safe to fall back on, with override, for when the agent is gone');
  const relay = xml.relays.find(({ localMount }) => localMount === '/stream-safe');
  if (relay?.onDemand !== true) said.push('/stream-safe needs an on-demand relay of the first source');
  return said;
}
