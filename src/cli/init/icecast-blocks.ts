import { blocksForServer, explained, type IcecastBlock, loopbackOf, netBlocks } from '../net-blocks.ts';
import type { InitAnswers } from './answers.ts';

const CLIENTS_PER_AGENT = 20;

/** What every Icecast of the station has to be told; the same on each. */
export function icecastBlocks(answers: InitAnswers, url: string): readonly IcecastBlock[] {
  const [first = 'primary'] = answers.sources;
  const net = { mount: '/stream', source: `/${first}`, ...loopbackOf(url) };
  return [limits(answers), ...(answers.mode === 'relay' ? netBlocks(net) : guardBlocks(answers))];
}

/** Mounts of the encoders, the public one and its net. */
export function mountsNeeded({ sources, mode }: InitAnswers): number {
  return sources.length + (mode === 'relay' ? 2 : 0);
}

function limits(answers: InitAnswers): IcecastBlock {
  const clients = 1000 + CLIENTS_PER_AGENT * answers.servers.length;
  return {
    about: '<limits>',
    because:
      'Debian allows 2 sources and 100 clients: the third encoder would be refused, and when the clients are used up the admin API locks everybody out. A stalled encoder should free its mount within 5 s',
    xml: `<limits>
    <clients>${clients}</clients>
    <sources>${mountsNeeded(answers) + 2}</sources>
    <queue-size>524288</queue-size>
    <client-timeout>30</client-timeout>
    <header-timeout>15</header-timeout>
    <source-timeout>5</source-timeout>
    <burst-on-connect>1</burst-on-connect>
    <burst-size>65535</burst-size>
</limits>`,
  };
}

function guardBlocks({ sources }: InitAnswers): IcecastBlock[] {
  return sources.map((source, index) => {
    const next = sources[index + 1];
    const fallback = next === undefined ? '' : `\n    <fallback-mount>/${next}</fallback-mount>`;
    return {
      about: `/${source}`,
      because:
        next === undefined
          ? 'the last source falls back on nothing; the agent brings listeners back, so nothing overrides'
          : `when the encoder is gone, Icecast itself carries its listeners to /${next} at once. No override: the agent brings them back when there is sound`,
      xml: `<mount type="normal">
    <mount-name>/${source}</mount-name>${fallback}
    <fallback-override>0</fallback-override>
</mount>`,
    };
  });
}

/** The file for one server, to be copied into its icecast.xml; passwords only where they are new. */
export function blocksFile(
  blocks: readonly IcecastBlock[],
  server: string,
  passwords: NewPasswords | null,
): string {
  const authentication =
    passwords === null
      ? '<!-- <authentication> stays as it is: its passwords were taken over. -->'
      : `<!-- New passwords, the same as in the secrets of Sustain. The encoders need the source password too. -->
<authentication>
    <source-password>${passwords.source}</source-password>
    <relay-password>${passwords.source}</relay-password>
    <admin-user>admin</admin-user>
    <admin-password>${passwords.admin}</admin-password>
</authentication>`;
  return `${blocksForServer(server, [authentication, ...blocks.map(explained)])}\n`;
}

export interface NewPasswords {
  readonly source: string;
  readonly admin: string;
}
