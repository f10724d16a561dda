import { safeMountOf } from '../../domain/ids.ts';
import { escaped, mountBlock, type Net, relayBlock } from '../net-blocks.ts';

/** The text with a net under each mount, everything else left as it is; and what was done, a line each. */
export interface Edited {
  readonly text: string;
  readonly changes: readonly string[];
}

/** Null for a text without `</icecast>`. */
export function withNets(text: string, nets: readonly Net[]): Edited | null {
  let edited: Edited = { text, changes: [] };
  for (const net of nets) {
    for (const change of [withMount, withRelay]) {
      const next = change(edited.text, net);
      if (next === null) return null;
      edited = { text: next.text, changes: [...edited.changes, ...next.changes] };
    }
  }
  return edited;
}

function withMount(text: string, net: Net): Edited | null {
  const there = blockOf(text, 'mount', 'mount-name', net.mount);
  if (there === null) return added(text, mountBlock(net), `<mount> of ${net.mount}: added`);
  const before = text.slice(there.from, there.to);
  const safe = safeMountOf(net.mount);
  if (valueIn(before, 'fallback-mount') === safe && valueIn(before, 'fallback-override') === '1') {
    return { text, changes: [] };
  }
  const stripped = before.replaceAll(/[ \t]*<(fallback-mount|fallback-override)>[^<]*<\/\1>[ \t]*\n?/g, '');
  const lines = `\n    <fallback-mount>${escaped(safe)}</fallback-mount>\n    <fallback-override>1</fallback-override>`;
  const after = stripped.replace(/<\/mount-name>/, `</mount-name>${lines}`);
  const change = `<mount> of ${net.mount}: falls back on ${safe}, with override`;
  return { text: text.slice(0, there.from) + after + text.slice(there.to), changes: [change] };
}

function withRelay(text: string, net: Net): Edited | null {
  const safe = safeMountOf(net.mount);
  const there = blockOf(text, 'relay', 'local-mount', safe);
  const block = relayBlock(net);
  if (there === null) return added(text, block, `<relay> for ${safe}: added`);
  const flat = (xml: string) => xml.replaceAll(/\s+/g, '');
  if (flat(text.slice(there.from, there.to)) === flat(block)) return { text, changes: [] };
  const replaced = text.slice(0, there.from) + block + text.slice(there.to);
  return { text: replaced, changes: [`<relay> for ${safe}: replaced`] };
}

function added(text: string, block: string, change: string): Edited | null {
  const end = withoutComments(text).lastIndexOf('</icecast>');
  if (end < 0) return null;
  const indented = block.replaceAll(/^/gm, '    ');
  return { text: `${text.slice(0, end)}${indented}\n${text.slice(end)}`, changes: [change] };
}

/** Where the `<name>` stands whose `<key>` is `value`; what is commented out isn't there. */
function blockOf(
  text: string,
  name: string,
  key: string,
  value: string,
): { from: number; to: number } | null {
  const live = withoutComments(text);
  for (const match of live.matchAll(new RegExp(`<${name}(\\s[^>]*)?>[\\s\\S]*?</${name}>`, 'g'))) {
    // Other blocks hold a `<mount>` too, with a name and no blocks in it.
    if (valueIn(match[0], key) === value) return { from: match.index, to: match.index + match[0].length };
  }
  return null;
}

function valueIn(block: string, key: string): string | null {
  const found = new RegExp(`<${key}>\\s*([^<]*?)\\s*</${key}>`).exec(withoutComments(block))?.[1];
  return found?.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&') ?? null;
}

/** Comments as blanks, so that every place in the text stays the same. */
const withoutComments = (text: string): string =>
  text.replaceAll(/<!--[\s\S]*?-->/g, (comment) => ' '.repeat(comment.length));
