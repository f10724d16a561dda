import type { StationConfig } from '../../config/index.ts';
import { printable } from '../../icecast/text.ts';
import { loopbackOf, netInOneLine } from '../net-blocks.ts';
import type { FindingList } from './findings.ts';
import type { AnsweringServer } from './judge.ts';

/** What the facts on one server mean for the public mounts of relay mode. */
export function judgeRelay(found: FindingList, station: StationConfig, facts: AnsweringServer): void {
  const sources = station.sources.map(({ mount }) => mount);
  const first = sources[0];
  const blocks = (mount: string, source: string) =>
    `${netInOneLine({ mount, source, ...loopbackOf(facts.server.url) })}; \`sustain icecast-config\` writes them`;
  for (const { mount } of station.serve.outputs) {
    const there = facts.mounts.find((one) => one.mount === mount);
    if (there === undefined) {
      found.add(
        'note',
        mount,
        'is not there; the agent feeds it as soon as it runs',
        `give it a net for when the agent is gone: ${blocks(mount, first ?? '/primary')}`,
      );
      continue;
    }
    const { fallback } = there;
    if (fallback === null) {
      found.add(
        'warning',
        mount,
        'has no fallback mount: when the agent dies, its listeners are thrown off',
        `write into icecast.xml ${blocks(mount, first ?? '/primary')}`,
      );
    } else if (sources.includes(fallback)) {
      found.add(
        'fault',
        mount,
        `falls back on ${printable(fallback, 80)} itself: Icecast would carry the agent's own monitor to the agent's own output, and the station would hear itself`,
        `fall back on an on-demand relay of it instead: ${blocks(mount, fallback)}`,
      );
    }
  }
}
