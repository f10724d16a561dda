import { safeMountOf } from '../../domain/ids.ts';
import { child, countOf, parseIcecastXml, textOf } from '../../icecast/xml.ts';
import { type IcecastConfig, readIcecastXml, settingsOf } from '../check/icecast-xml.ts';
import { type InitAnswers, NOTHING_SUGGESTED, PUBLIC_MOUNT, type Suggested } from './answers.ts';
import { mountsNeeded } from './icecast-blocks.ts';

/** An icecast.xml that is there already: that of the server that this machine is. */
export interface Existing {
  readonly xml: IcecastConfig;
  /** All that `<limits>` says, by name. */
  readonly limits: ReadonlyMap<string, number>;
  readonly suggested: Suggested;
  /** Null where the file has none, or the one of the example. They go into files, never onto a screen. */
  readonly passwords: { readonly source: string | null; readonly admin: string | null };
}

const EXAMPLE = 'hackme';
const SAFE_MOUNT = safeMountOf(PUBLIC_MOUNT);

/** Null for text that is no icecast.xml. */
export function readExisting(text: string): Existing | null {
  const xml = readIcecastXml(text);
  const document = parseIcecastXml(text);
  const root = document === null ? null : child(document, 'icecast');
  if (xml === null || root === null) return null;
  const authentication = child(root, 'authentication') ?? {};
  const limits = child(root, 'limits') ?? {};
  const said = (name: string) => textOf(authentication, name)?.trim() ?? '';
  const password = (name: string) => (said(name) === EXAMPLE ? null : said(name) || null);
  return {
    xml,
    limits: new Map(
      Object.keys(limits).flatMap((name) => {
        const count = countOf(limits, name);
        return count === null ? [] : [[name, count] as const];
      }),
    ),
    suggested: {
      port: xml.ports[0] ?? null,
      mounts: xml.mounts.flatMap((one) => {
        const { mount } = one;
        const isOurs = mount === SAFE_MOUNT || (mount === PUBLIC_MOUNT && one.fallback === SAFE_MOUNT);
        return mount === null || mount === '' || isOurs ? [] : [mount];
      }),
      adminUser: said('admin-user') || NOTHING_SUGGESTED.adminUser,
    },
    passwords: { source: password('source-password'), admin: password('admin-password') },
  };
}

/** A line for each thing that has to change in it, and why; what is in order is not named. */
export function changesIn({ xml, passwords }: Existing, answers: InitAnswers): string[] {
  const said: string[] = [];
  const needed =
    mountsNeeded(answers) + xml.relays.filter(({ localMount }) => localMount !== SAFE_MOUNT).length;
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
  for (const { mount } of answers.sources) said.push(...changesInSource(xml, mount));
  said.push(...(answers.mode === 'relay' ? changesForRelay(xml, answers) : changesForGuard(xml, answers)));
  return said;
}

function changesInSource(xml: IcecastConfig, mount: string): string[] {
  const settings = settingsOf(xml, mount);
  const said: string[] = [];
  if (settings?.fallbackOverride === true)
    said.push(
      `${mount} has fallback-override: Icecast would pull listeners back as soon as the encoder connects, silent or not, and the agent's monitors with them`,
    );
  if (settings?.fallback === mount) said.push(`${mount} falls back on itself`);
  return said;
}

function changesForGuard(xml: IcecastConfig, { sources }: InitAnswers): string[] {
  return sources.flatMap(({ mount }, index) => {
    const next = sources[index + 1];
    const fallback = settingsOf(xml, mount)?.fallback ?? null;
    if (next === undefined || fallback === next.mount) return [];
    const found = fallback === null ? 'has no fallback' : `falls back on ${fallback}`;
    return [
      `${mount} ${found}, not on ${next.mount}: listeners would be thrown off when the encoder is gone`,
    ];
  });
}

function changesForRelay(xml: IcecastConfig, { sources }: InitAnswers): string[] {
  const said: string[] = [];
  const stream = xml.mounts.find(({ mount }) => mount === PUBLIC_MOUNT);
  const isOurs = stream?.fallback === SAFE_MOUNT;
  if (stream !== undefined && !isOurs) {
    const free = sources.find(({ mount }) => xml.mounts.every((one) => one.mount !== mount));
    const to = free === undefined ? 'another mount, which `sources` then has to name as well' : free.mount;
    said.push(
      `${PUBLIC_MOUNT} is in it already. An encoder that sends there has to move to ${to} before the agent starts: the agent feeds ${PUBLIC_MOUNT} itself, and Icecast takes one source for a mount. Listeners stay on ${PUBLIC_MOUNT}`,
    );
  }
  if (stream?.hasPassword === true)
    said.push(
      `${PUBLIC_MOUNT} has a <password> of its own: take it out (and its <username>), as the agent feeds ${PUBLIC_MOUNT} with the source password, or give the agent that one, as servers.NAME.source in the config`,
    );
  if (!isOurs || !stream.fallbackOverride)
    said.push(
      `${PUBLIC_MOUNT} needs ${SAFE_MOUNT} to fall back on, with override, for when the agent is gone`,
    );
  const relay = xml.relays.find(({ localMount }) => localMount === SAFE_MOUNT);
  if (relay?.onDemand !== true) said.push(`${SAFE_MOUNT} needs an on-demand relay of the first source`);
  return said;
}
