import {
  blocksForServer,
  escaped,
  explained,
  type IcecastBlock,
  loopbackOf,
  netBlocks,
  remark,
} from '../net-blocks.ts';
import { type InitAnswers, type InitServer, PUBLIC_MOUNT } from './answers.ts';
import type { Existing } from './existing.ts';

const CLIENTS_PER_AGENT = 20;
const LONGEST_SOURCE_TIMEOUT = 5;

/** What an Icecast of the station has to be told. `existing`: its own icecast.xml, where that was read. */
export function icecastBlocks(
  answers: InitAnswers,
  { url }: InitServer,
  existing: Existing | null,
): readonly IcecastBlock[] {
  const source = answers.sources[0]?.mount ?? '/primary';
  const net = { mount: PUBLIC_MOUNT, source, ...loopbackOf(url) };
  return [
    ...limits(answers, existing),
    ...(answers.mode === 'relay' ? netBlocks(net) : guardBlocks(answers, existing)),
  ];
}

/** Mounts of the encoders, the public one and its net. */
export function mountsNeeded({ sources, mode }: InitAnswers): number {
  return sources.length + (mode === 'relay' ? 2 : 0);
}

/** None where the limits that are there do. What is larger there stays so. */
function limits(answers: InitAnswers, existing: Existing | null): readonly IcecastBlock[] {
  const there = existing?.limits ?? new Map<string, number>();
  const most = (name: string, ours: number) => Math.max(ours, there.get(name) ?? 0);
  const timeout = there.get('source-timeout') ?? 0;
  const needed = {
    clients: most('clients', 1000 + CLIENTS_PER_AGENT * answers.servers.length),
    sources: most('sources', mountsNeeded(answers) + 2),
    'source-timeout': timeout >= 1 ? Math.min(timeout, LONGEST_SOURCE_TIMEOUT) : LONGEST_SOURCE_TIMEOUT,
  };
  if (Object.entries(needed).every(([name, value]) => there.get(name) === value)) return [];
  const usual = { 'client-timeout': 30, 'header-timeout': 15, 'burst-on-connect': 1, 'burst-size': 65_535 };
  const all = {
    ...usual,
    ...Object.fromEntries(there),
    ...needed,
    'queue-size': most('queue-size', 524_288),
  };
  const larger = existing === null ? '. Where yours allows more, let it' : '';
  return [
    {
      about: '<limits>',
      because: `Debian allows 2 sources and 100 clients: the third encoder would be refused, and when the clients are used up the admin API locks everybody out. A stalled encoder should free its mount within 5 s${larger}`,
      xml: [
        '<limits>',
        ...Object.entries(all).map(([name, value]) => `    <${name}>${value}</${name}>`),
        '</limits>',
      ].join('\n'),
    },
  ];
}

function guardBlocks({ sources }: InitAnswers, existing: Existing | null): IcecastBlock[] {
  return sources.map(({ mount }, index) => {
    const next = sources[index + 1];
    const fallback =
      next === undefined ? '' : `\n    <fallback-mount>${escaped(next.mount)}</fallback-mount>`;
    const there = existing?.xml.mounts.find((one) => one.mount === mount);
    const kept =
      there?.hasPassword === true
        ? '. Keep the <password> that is in yours, or its encoder will be refused'
        : '';
    const because =
      next === undefined
        ? 'the last source falls back on nothing; the agent brings listeners back, so nothing overrides'
        : `when the encoder is gone, Icecast itself carries its listeners to ${next.mount} at once. No override: the agent brings them back when there is sound`;
    return {
      about: mount,
      because: because + kept,
      xml: `<mount type="normal">
    <mount-name>${escaped(mount)}</mount-name>${fallback}
    <fallback-override>0</fallback-override>
</mount>`,
    };
  });
}

/** The file for one server, to be copied into its icecast.xml. `passwords`: null where it has those of the config already. */
export function blocksFile(
  blocks: readonly IcecastBlock[],
  { name, adminUser }: InitServer,
  passwords: Passwords | null,
): string {
  const authentication =
    passwords === null
      ? remark('<authentication> stays as it is: its passwords were taken over')
      : `${remark(`The passwords that lie in the secrets of Sustain: the config has them for ${name}. The encoders need the source password too`)}
<authentication>
    <source-password>${escaped(passwords.source)}</source-password>
    <relay-password>${escaped(passwords.source)}</relay-password>
    <admin-user>${escaped(adminUser)}</admin-user>
    <admin-password>${escaped(passwords.admin)}</admin-password>
</authentication>`;
  return `${blocksForServer(name, [authentication, ...blocks.map(explained)])}\n`;
}

export interface Passwords {
  readonly source: string;
  readonly admin: string;
}
