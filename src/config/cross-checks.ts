import { safeMountOf } from '../domain/ids.ts';
import { PROCESSING_PRESETS } from '../domain/processing.ts';
import { ALERT_SECRETS, checkAlerts } from './alerts-checks.ts';
import { type Context, checkServerName, type Self } from './check-context.ts';
import { checkCluster, checkDns } from './dns-checks.ts';
import { type Path, type Problem, pathText, shown } from './problems.ts';
import { nameFault } from './schema/leaves.ts';
import { nearest } from './suggest.ts';
import { isBranch, keysUnder, lengthUnder, textUnder, under } from './tree.ts';
import { durationText, parseDuration } from './units.ts';
import type { Locate, Tree } from './yaml.ts';

export interface CrossChecked {
  readonly faults: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * What must fit together across sections. It works on the tree as written, whatever else is wrong with it, so that one
 * mistake never hides another.
 */
export function crossCheck(tree: Tree, self: Self, locate: Locate): CrossChecked {
  const faults: Problem[] = [];
  const warnings: Problem[] = [];
  const place = (path: Path, message: string): Problem => ({
    ...locate(path),
    path: pathText(path),
    message,
  });
  const context: Context = {
    tree,
    fault: (path, message) => faults.push(place(path, message)),
    warn: (path, message) => warnings.push(place(path, message)),
  };
  checkNames(context);
  checkSelf(context, self);
  checkServers(context);
  checkSecretPairs(context);
  checkStations(context);
  checkServe(context, self);
  checkMounts(context);
  checkProcessing(context);
  checkDns(context);
  checkCluster(context, self);
  checkWeb(context);
  checkAlerts(context);
  return { faults, warnings };
}

/** Here and not in the schema, which would look no further below a bad name. */
function checkNames({ tree, fault }: Context): void {
  for (const section of ['servers', 'stations']) {
    for (const name of keysUnder(tree, section)) {
      const message = nameFault(name);
      if (message !== null) fault([section, name], message);
    }
  }
}

function checkSelf({ tree, fault }: Context, self: Self): void {
  if (self.name === null) {
    if (under(tree, 'server') !== undefined) return;
    const message =
      'is missing: write the name of the server that this agent stands beside, or set SUSTAIN_SERVER';
    fault(['server'], message);
    return;
  }
  if (!self.isWitness) checkServerName({ tree, fault }, ['server'], self.name, self.saidBy);
}

function checkServers({ tree, fault, warn }: Context): void {
  const servers = under(tree, 'servers');
  if (!isBranch(servers)) return;
  const names = Object.keys(servers);
  if (names.length === 0) fault(['servers'], 'has no server: write at least one');
  if (names.length === 1) warn(['servers'], 'has only one server: there is no other to fall back on');

  const firstWith = new Map<string, string>();
  for (const name of names) {
    const isHttps = ['url', 'publicUrl'].some((key) => textUnder(servers, name, key)?.startsWith('https:'));
    if (under(tree, 'servers', name, 'tls') !== undefined && !isHttps)
      warn(
        ['servers', name, 'tls'],
        'is used for https, and neither url nor publicUrl of this server is that',
      );
    const url = textUnder(servers, name, 'url');
    if (url === null || !URL.canParse(url)) continue;
    const { protocol, host } = new URL(url);
    const first = firstWith.get(`${protocol}//${host}`);
    if (first === undefined) firstWith.set(`${protocol}//${host}`, name);
    else
      fault(['servers', name, 'url'], `is the same Icecast as servers.${first}: each server is named once`);
  }
}

/** Where secrets are named, the key without `File` or `Env`, and whether one must be there. */
function secretPlaces(tree: Tree): readonly { section: Path; stem: string; needed: boolean }[] {
  const servers = keysUnder(tree, 'servers');
  const indicesOf = (...path: Path) =>
    Array.from({ length: lengthUnder(tree, ...path) }, (_, index) => index);
  const alerts = indicesOf('alerts');
  const users = indicesOf('web', 'users');
  const places = [
    ...servers.map((name) => ({
      section: ['servers', name, 'admin'],
      stem: 'password',
      needed: true,
    })),
    ...servers.map((name) => ({
      section: ['servers', name, 'source'],
      stem: 'password',
      needed: true,
    })),
    { section: ['dns'], stem: 'apiKey', needed: false },
    { section: ['dns'], stem: 'key', needed: false },
    { section: ['dns'], stem: 'secretKey', needed: false },
    { section: ['cluster'], stem: 'password', needed: false },
    { section: ['cluster'], stem: 'token', needed: false },
    ...alerts.flatMap((index) => [
      ...ALERT_SECRETS.map((stem) => ({ section: ['alerts', index], stem, needed: false })),
      { section: ['alerts', index, 'email'], stem: 'password', needed: false },
    ]),
    { section: ['web'], stem: 'viewerToken', needed: false },
    { section: ['web'], stem: 'operatorToken', needed: false },
    ...users.map((index) => ({
      section: ['web', 'users', index],
      stem: 'passwordHash',
      needed: true,
    })),
  ];
  return places.filter(({ section }) => isBranch(under(tree, ...section)));
}

function checkSecretPairs({ tree, fault }: Context): void {
  for (const { section, stem, needed } of secretPlaces(tree)) {
    const keys = keysUnder(tree, ...section);
    const file = keys.includes(`${stem}File`);
    const variable = keys.includes(`${stem}Env`);
    if (file && variable) {
      fault(
        [...section, `${stem}Env`],
        `is a second place for the same secret: keep ${stem}File or ${stem}Env`,
      );
    }
    // An inline secret gets a fault of its own, which says the same.
    if (!file && !variable && needed && !keys.includes(stem)) {
      fault(
        section,
        `has no ${inWords(stem)}: write ${stem}File: /path/of/a/file or ${stem}Env: NAME_OF_A_VARIABLE`,
      );
    }
  }
}

const inWords = (stem: string): string => (stem === 'passwordHash' ? 'password hash' : stem);

function checkStations({ tree, fault, warn }: Context): void {
  const stations = under(tree, 'stations');
  if (!isBranch(stations)) return;
  if (Object.keys(stations).length === 0) fault(['stations'], 'has no station: write at least one');
  for (const station of Object.keys(stations)) {
    const planned: Path = ['stations', station, 'plannedSilence'];
    if (lengthUnder(tree, ...planned) > 0 && under(tree, 'stations', station, 'timeZone') === undefined)
      fault(planned, 'needs to know whose clocks are meant: write timeZone: Europe/London beside it, say');
    const path: Path = ['stations', station, 'sources'];
    const count = lengthUnder(tree, ...path);
    if (count === 1) warn(path, 'has only one source: there is nothing to fall back on when it goes wrong');
    const first = new Map<string, number>();
    for (let index = 0; index < count; index += 1) {
      const name = textUnder(tree, ...path, index, 'name');
      if (name === null) continue;
      const earlier = first.get(name);
      if (earlier === undefined) first.set(name, index);
      else
        fault([...path, index, 'name'], `is the name of sources[${earlier}] too: give each source its own`);
    }
  }
}

/** Relay mode needs somewhere to send to, the right to do so, and room before the fault is played. */
function checkServe({ tree, fault, warn }: Context, self: Self): void {
  for (const station of keysUnder(tree, 'stations')) {
    const path: Path = ['stations', station, 'serve'];
    const isRelay = textUnder(tree, ...path, 'mode') === 'relay';
    const outputs = lengthUnder(tree, ...path, 'outputs');
    if (!isRelay && outputs > 0) {
      warn(
        [...path, 'outputs'],
        'no public mount will be fed: that is done in relay mode, and the mode is guard',
      );
    }
    if (!isRelay) continue;
    if (outputs === 0) {
      fault(path, 'has no outputs to feed in relay mode: write outputs: [{ mount: /stream, codec: mp3 }]');
    }
    checkDelay({ tree, fault }, station);
    // That there is no such server is said elsewhere.
    const feeds = self.name !== null && !self.isWitness && under(tree, 'servers', self.name) !== undefined;
    if (feeds && under(tree, 'servers', self.name, 'source') === undefined) {
      fault(
        ['servers', self.name],
        'has no source to feed the outputs with: write source: { user: source, passwordFile: ... }',
      );
    }
  }
}

/** What the keys are when they aren't written, in ms. */
const USUAL_MS = { silence: 5_000, stall: 2_000 } as const;
const USUAL_MARGIN_MS = 3_000;

/** A fault that is found only after it has been played is heard. */
function checkDelay({ tree, fault }: Pick<Context, 'tree' | 'fault'>, station: string): void {
  const read = (...path: Path): number | null => {
    const text = textUnder(tree, 'stations', station, ...path);
    const parsed = text === null ? null : parseDuration(text);
    return parsed?.ok === true ? parsed.value : null;
  };
  const written = read('serve', 'delay');
  const delayMs = written ?? (read('silence', 'trip') ?? USUAL_MS.silence) + USUAL_MARGIN_MS;
  for (const key of ['silence', 'stall'] as const) {
    const tripMs = read(key, 'trip') ?? USUAL_MS[key];
    if (delayMs > tripMs) continue;
    const least = durationText(tripMs + USUAL_MARGIN_MS);
    const found = `the fault would be heard before it is found`;
    if (written !== null)
      fault(
        ['stations', station, 'serve', 'delay'],
        `is ${durationText(delayMs)}, not longer than ${key}.trip (${durationText(tripMs)}): write ${least}, or ${found}`,
      );
    else
      fault(
        ['stations', station, key, 'trip'],
        `is ${durationText(tripMs)}, and relay mode runs ${durationText(delayMs)} behind: write serve.delay: ${least}, or ${found}`,
      );
  }
}

/** Sources and outputs stand on every server, so that a mount can be used only once in the whole file. */
function checkMounts({ tree, fault }: Context): void {
  const first = new Map<string, { path: Path; mount: string }>();
  const outputs = new Set<string>();
  for (const station of keysUnder(tree, 'stations')) {
    for (const list of [['sources'], ['serve', 'outputs']]) {
      const path: Path = ['stations', station, ...list];
      for (let index = 0; index < lengthUnder(tree, ...path); index += 1) {
        const at: Path = [...path, index];
        const mount = textUnder(tree, ...at, 'mount');
        if (mount === null) continue;
        const earlier = first.get(mount)?.path;
        if (earlier === undefined) first.set(mount, { path: at, mount });
        else
          fault(
            [...at, 'mount'],
            `${shown(mount)} is the mount of ${pathText(earlier)} too: give each its own`,
          );
        if (list[0] === 'serve') outputs.add(mount);
      }
    }
  }
  for (const output of outputs) {
    const taken = first.get(safeMountOf(output));
    if (taken === undefined) continue;
    fault(
      [...taken.path, 'mount'],
      `${shown(taken.mount)} is where ${output} falls back when the agent is gone: choose another`,
    );
  }
}

/** Presets are asked for by name: those that are there, and the file's own. */
function checkProcessing({ tree, fault, warn }: Context): void {
  const own = keysUnder(tree, 'processing', 'presets');
  for (const name of own) {
    const path: Path = ['processing', 'presets', name];
    const message = nameFault(name);
    if (message !== null) fault(path, message);
    else if (PROCESSING_PRESETS.some((preset) => preset === name))
      fault(path, `${shown(name)} is the name of a preset that is there already: choose another`);
  }
  const known = [...PROCESSING_PRESETS, ...own];
  for (const station of keysUnder(tree, 'stations')) {
    const serve: Path = ['stations', station, 'serve'];
    const path: Path = [...serve, 'processing', 'preset'];
    const wanted = textUnder(tree, ...path);
    if (wanted !== null && nameFault(wanted) === null && !known.includes(wanted)) {
      const meant = nearest(wanted, known);
      const hint = meant === null ? `write one of ${known.join(', ')}` : `did you mean ${meant}?`;
      fault(path, `${shown(wanted)} is not a preset: ${hint}`);
    }
    const isProcessed = under(tree, ...serve, 'processing') !== undefined;
    if (isProcessed && textUnder(tree, ...serve, 'mode') !== 'relay')
      warn([...serve, 'processing'], 'only relay mode has the sound in its hands: nothing will be processed');
  }
}

function checkWeb({ tree, fault, warn }: Context): void {
  const first = new Map<string, number>();
  for (let index = 0; index < lengthUnder(tree, 'web', 'users'); index += 1) {
    const name = textUnder(tree, 'web', 'users', index, 'name')?.toLowerCase();
    if (name === undefined) continue;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else fault(['web', 'users', index, 'name'], `is the name of users[${earlier}] too: give each their own`);
  }
  const listen = textUnder(tree, 'web', 'listen');
  const isLocal = listen === null || /^(127\.[\d.]+|localhost|\[::1\]):/.test(listen);
  const isEncrypted = under(tree, 'web', 'tls') !== undefined || lengthUnder(tree, 'web', 'trustProxy') > 0;
  if (isLocal || isEncrypted) return;
  warn(
    ['web', 'listen'],
    'can be reached from other machines without encryption: write tls, or put a reverse proxy with TLS before it and write trustProxy, or write 127.0.0.1',
  );
}
