import { type Path, shown } from './problems.ts';
import { nearest } from './suggest.ts';
import { keysUnder } from './tree.ts';
import type { Tree } from './yaml.ts';

/** Who this agent is. */
export interface Self {
  readonly name: string | null;
  /** `--server`, `--witness`, `SUSTAIN_SERVER`, `SUSTAIN_WITNESS` or, empty, the key of the file. */
  readonly saidBy: string;
  /** A witness stands beside none of the servers. */
  readonly isWitness: boolean;
}

/** What a check across sections works on, and where it says what it found. */
export interface Context {
  readonly tree: Tree;
  readonly fault: (path: Path, message: string) => void;
  readonly warn: (path: Path, message: string) => void;
}

export function checkServerName(
  { tree, fault }: Pick<Context, 'tree' | 'fault'>,
  path: Path,
  name: string,
  saidBy = '',
): void {
  const known = keysUnder(tree, 'servers');
  if (known.length === 0 || known.includes(name)) return;
  const meant = nearest(name, known);
  const hint = meant === null ? `write one of ${known.join(', ')}` : `did you mean ${meant}?`;
  const from = saidBy === '' ? '' : ` (from ${saidBy})`;
  fault(path, `${shown(name)}${from} is not one of the servers: ${hint}`);
}
