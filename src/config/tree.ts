import type { Path } from './problems.ts';
import type { Tree } from './yaml.ts';

type Branch = { readonly [key: string]: Tree };

export function isBranch(tree: Tree | undefined): tree is Branch {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree);
}

/** What stands under a path, or undefined. */
export function under(tree: Tree | undefined, ...path: Path): Tree | undefined {
  let here = tree;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else if (isBranch(here) && typeof step === 'string') here = here[step];
    else return undefined;
  }
  return here;
}

export function textUnder(tree: Tree | undefined, ...path: Path): string | null {
  const found = under(tree, ...path);
  return typeof found === 'string' ? found : null;
}

/** The keys of the section under a path. */
export function keysUnder(tree: Tree | undefined, ...path: Path): readonly string[] {
  const found = under(tree, ...path);
  return isBranch(found) ? Object.keys(found) : [];
}

/** How many items the list under a path has. */
export function lengthUnder(tree: Tree | undefined, ...path: Path): number {
  const found = under(tree, ...path);
  return Array.isArray(found) ? found.length : 0;
}
