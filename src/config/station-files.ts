import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readConfigText } from './files.ts';
import { type Path, type Problem, pathText, shown } from './problems.ts';
import { isBranch, keysUnder, under } from './tree.ts';
import { type Locate, readYaml, type Tree } from './yaml.ts';

/** One station in a file of its own, `stations.d/NAME.yaml`: what would stand below its name in the config. */
export interface StationFile {
  readonly name: string;
  readonly file: string;
  readonly tree: Tree;
  readonly locate: Locate;
  readonly faults: readonly Problem[];
}

const FOLDER = 'stations.d';
const MOST_FILES = 1000;

/** The stations in files beside the config, by name; none where there is no such folder. */
export async function readStationFiles(configFile: string): Promise<readonly StationFile[]> {
  const folder = join(dirname(configFile), FOLDER);
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith('.yaml') && !name.startsWith('.')).sort();
  return Promise.all(files.slice(0, MOST_FILES).map((name) => readStationFile(join(folder, name))));
}

async function readStationFile(file: string): Promise<StationFile> {
  const name = basename(file, '.yaml');
  const prefix: Path = ['stations', name];
  const nothing = { name, file, tree: {}, locate: () => ({ line: 1, column: 1 }) };
  const read = await readConfigText(file);
  if (!read.ok)
    return {
      ...nothing,
      faults: [{ line: read.line, column: 1, path: pathText(prefix), message: read.message, file }],
    };
  const yaml = readYaml(read.text);
  const inPlace = (fault: Problem): Problem => ({
    ...fault,
    path: [pathText(prefix), fault.path].filter(Boolean).join('.'),
    file,
  });
  if (!yaml.ok) return { ...nothing, faults: yaml.faults.map(inPlace) };
  return { name, file, tree: yaml.tree, locate: yaml.locate, faults: yaml.faults.map(inPlace) };
}

/** The config and the stations beside it as one; a name that both have is a fault of the file. */
export function withStationFiles(
  main: { readonly tree: Tree; readonly locate: Locate; readonly faults: readonly Problem[] },
  files: readonly StationFile[],
) {
  const { tree } = main;
  if (files.length === 0 || !isBranch(tree)) return main;
  const inMain = keysUnder(tree, 'stations');
  const added = files.filter(({ name }) => !inMain.includes(name));
  const twice = files
    .filter(({ name }) => inMain.includes(name))
    .map(({ name, file }): Problem => {
      const message = `the station ${shown(name)} stands in the config as well: keep one of them`;
      return { line: 1, column: 1, path: pathText(['stations', name]), message, file };
    });
  const stations = under(tree, 'stations') ?? {};
  const merged = isBranch(stations)
    ? { ...stations, ...Object.fromEntries(added.map((one) => [one.name, one.tree])) }
    : stations;
  const byName = new Map(added.map((one) => [one.name, one]));
  const locate: Locate = (path) => {
    const [section, name, ...rest] = path;
    const own = section === 'stations' && typeof name === 'string' ? byName.get(name) : undefined;
    return own === undefined ? main.locate(path) : { ...own.locate(rest), file: own.file };
  };
  return {
    tree: { ...tree, stations: merged },
    locate,
    faults: [...main.faults, ...twice, ...files.flatMap(({ faults }) => faults)],
  };
}

/** A station that has faults is left out, so that the others can run. */
export interface LeftOut {
  readonly station: string;
  readonly faults: readonly Problem[];
}

/**
 * Of a config with faults: the stations that have them, when all faults are theirs and another station is left. Null
 * when there is nothing that could run.
 */
export function stationsAtFault(tree: Tree, faults: readonly Problem[]): readonly LeftOut[] | null {
  const names = keysUnder(tree, 'stations');
  const found = new Map<string, Problem[]>();
  for (const fault of faults) {
    const name = names.find((one) => isUnder(fault.path, pathText(['stations', one])));
    if (name === undefined) return null;
    found.set(name, [...(found.get(name) ?? []), fault]);
  }
  if (found.size === 0 || found.size >= names.length) return null;
  return [...found].map(([station, own]) => ({ station, faults: own }));
}

function isUnder(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}.`) || path.startsWith(`${parent}[`);
}

export function withoutStations(tree: Tree, names: readonly string[]): Tree {
  const stations = under(tree, 'stations');
  if (!isBranch(tree) || !isBranch(stations)) return tree;
  const kept = Object.entries(stations).filter(([name]) => !names.includes(name));
  return { ...tree, stations: Object.fromEntries(kept) };
}
