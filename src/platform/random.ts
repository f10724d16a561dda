import { randomBytes } from 'node:crypto';

/** Chance, injected, so that a simulation can be repeated. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A token that nobody can guess: `bytes` random bytes in hex. */
  token(bytes: number): string;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  token: (bytes) => randomBytes(bytes).toString('hex'),
};
