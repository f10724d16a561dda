import { execFileSync } from 'node:child_process';

/** One place with a network of its own: what runs there has only the line to the others that `Sites` gives it. */
export interface Site {
  /** Of `ip netns`. */
  readonly namespace: string;
  readonly host: string;
}

export interface Sites<Name extends string> {
  readonly sites: Readonly<Record<Name, Site>>;
  /** Where this machine is for them, as the rest of the internet. */
  readonly outside: string;
  /** Two sites can't reach each other any more; both still reach the outside. */
  cut(one: Name, other: Name): void;
  join(one: Name, other: Name): void;
  /** A site's line is dead: nothing goes in or out. */
  unplug(site: Name): void;
  plug(site: Name): void;
  remove(): void;
}

const ip = (...args: readonly string[]) => {
  execFileSync('ip', args, { stdio: 'pipe' });
};

/** Whether this machine lets us make network namespaces: root, and a kernel that has them. */
export function hasNamespaces(): boolean {
  const name = `sustain-try-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return true;
  } catch {
    return false;
  }
}

/** Sites on one switch, each in a network namespace. Needs root. */
export function createSites<Name extends string>(names: readonly Name[]): Sites<Name> {
  const net = `10.233.${process.pid % 250}`;
  const bridge = `sus${process.pid}`;
  const removals: (() => void)[] = [];
  const remove = () => {
    for (const undo of removals.reverse()) {
      try {
        undo();
      } catch {
        // What is gone already is no trouble.
      }
    }
    removals.length = 0;
  };
  const lineOf = new Map<Name, string>();
  const sites = {} as Record<Name, Site>;
  try {
    ip('link', 'add', bridge, 'type', 'bridge');
    removals.push(() => ip('link', 'del', bridge));
    ip('addr', 'add', `${net}.1/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    for (const [index, name] of names.entries()) {
      const namespace = `sustain-${process.pid}-${name}`;
      const line = `${bridge}v${index}`;
      const host = `${net}.${index + 2}`;
      ip('netns', 'add', namespace);
      removals.push(() => ip('netns', 'del', namespace));
      ip('link', 'add', line, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
      ip('link', 'set', line, 'master', bridge, 'up');
      ip('-n', namespace, 'addr', 'add', `${host}/24`, 'dev', 'eth0');
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
      ip('-n', namespace, 'link', 'set', 'eth0', 'up');
      lineOf.set(name, line);
      sites[name] = { namespace, host };
    }
  } catch (thrown) {
    remove();
    throw thrown;
  }
  const route = (what: 'add' | 'del', from: Name, to: Name) =>
    ip('-n', sites[from].namespace, 'route', what, 'blackhole', `${sites[to].host}/32`);
  return {
    sites,
    outside: `${net}.1`,
    cut(one, other) {
      route('add', one, other);
      route('add', other, one);
    },
    join(one, other) {
      route('del', one, other);
      route('del', other, one);
    },
    unplug: (site) => ip('link', 'set', lineOf.get(site) ?? '', 'down'),
    plug: (site) => ip('link', 'set', lineOf.get(site) ?? '', 'up'),
    remove,
  };
}
