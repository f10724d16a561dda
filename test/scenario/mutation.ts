import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** A guard of the decision, and how it looks broken. The text must stand in the file exactly once. */
export interface Mutant {
  readonly guard: string;
  readonly file: string;
  readonly whole: string;
  readonly broken: string;
}

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const NATIVE = fileURLToPath(new URL('../../native-bindings', import.meta.url));
const MUTANTS = fileURLToPath(new URL('../output/mutants/', import.meta.url));

/** Copies of the rooms that decide, each with one guard broken, of one test file. */
export class Mutations {
  readonly #folder: string;
  #made = 0;

  constructor(name: string) {
    this.#folder = `${MUTANTS}${process.pid}-${name}/`;
  }

  /** Loads some modules, as named from `src/`, out of a copy in which this guard is broken. */
  async load<Modules>(mutant: Mutant, modules: readonly string[]): Promise<Modules> {
    this.#made += 1;
    const directory = `${this.#folder}${this.#made}/`;
    mkdirSync(directory, { recursive: true });
    // The rooms look for the addon beside `src`.
    if (!existsSync(`${this.#folder}native-bindings`)) symlinkSync(NATIVE, `${this.#folder}native-bindings`);
    for (const room of mutant.file.startsWith('relay/') ? ['domain', 'audio', 'relay'] : ['domain', 'decide'])
      cpSync(`${SRC}${room}`, `${directory}${room}`, { recursive: true });
    const path = `${directory}${mutant.file}`;
    const parts = readFileSync(path, 'utf8').split(mutant.whole);
    expect(parts, `the text of the guard stands once in ${mutant.file}`).toHaveLength(2);
    writeFileSync(path, parts.join(mutant.broken));
    const loaded = await Promise.all(modules.map((module) => import(`${directory}${module}`)));
    return Object.assign({}, ...loaded) as Modules;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
