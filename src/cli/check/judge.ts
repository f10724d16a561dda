import type { Config, StationConfig } from '../../config/index.ts';
import { FUDGE_SECONDS } from '../../dns/wire/tsig.ts';
import { lengthText } from '../../domain/lengths.ts';
import { formatKindOf } from '../../icecast/format.ts';
import { printable } from '../../icecast/text.ts';
import type { MountFacts, ServerFacts, Wanted } from './facts.ts';
import { type Finding, FindingList } from './findings.ts';
import { judgeRelay } from './judge-relay.ts';
import type { Probe } from './sound.ts';

export type AnsweringServer = Extract<ServerFacts, { answers: true }>;
type SilentServer = Extract<ServerFacts, { answers: false }>;

/** What the facts on one server mean for the agent. */
export function judgeServer(
  config: Config,
  wanted: readonly Wanted[],
  facts: ServerFacts,
  { isXmlRead = false }: { readonly isXmlRead?: boolean } = {},
): readonly Finding[] {
  const found = new FindingList(facts.server.name);
  if (!facts.answers) {
    judgeSilence(found, facts);
    return found.all;
  }
  judgeVersion(found, facts.version);
  judgeClock(found, facts.clockAheadMs);
  judgeFeeding(found, facts);
  for (const one of wanted) judgeMount(found, one, facts);
  for (const station of config.stations) {
    // In relay mode nobody is moved, so mounts need neither be alike nor have room for one another's listeners.
    if (station.serve.mode === 'relay') {
      judgeRelay(found, station, facts, isXmlRead);
      continue;
    }
    judgeFormats(found, station, facts);
    judgeFallbacks(found, station, facts);
    judgeRoom(found, station, facts);
  }
  return found.all;
}

function judgeFeeding(found: FindingList, { server: { source }, refused }: AnsweringServer): void {
  for (const mount of refused)
    found.add(
      'fault',
      mount,
      `refuses the password of user ${source?.user}, which came from ${source?.password.origin}: the agent could not feed it`,
      'compare it with <source-password> in icecast.xml, or with the <username> and <password> of its <mount> where that has its own',
    );
}

function judgeSilence(found: FindingList, { server, failure, detail }: SilentServer): void {
  const { user, password } = server.admin;
  const says =
    failure === 'unauthorised'
      ? `refuses the password of user ${user}, which came from ${password.origin}`
      : detail;
  found.add('fault', 'admin API', says, cureOf(failure, server.url));
}

function cureOf(failure: SilentServer['failure'], url: string): string {
  switch (failure) {
    case 'unauthorised':
      return "compare it with <admin-user> and <admin-password> in the server's icecast.xml";
    case 'name-not-found':
      return `check the name in ${url} and this machine's resolver`;
    case 'refused':
      return `check that Icecast runs, that ${url} is right, and the firewall`;
    case 'timed-out':
      return 'check the address and the firewall; if a listener gets no sound either, restart Icecast';
    case 'overloaded':
      return 'raise <clients> in <limits> of icecast.xml, and keep room for the agents';
    case 'bad-answer':
      return url.startsWith('https:')
        ? `check that ${url} is Icecast itself, and that its certificate is for this host and from an authority that Node.js knows, or that tls.caFile names`
        : `check that ${url} is Icecast itself and no proxy or web server`;
  }
}

const NEWEST_TESTED = 2_04_04;

function judgeVersion(found: FindingList, version: string): void {
  const shown = printable(version, 60);
  const numbers = /^Icecast (\d+)\.(\d+)\.(\d+)(.*)$/.exec(version);
  const [, major, minor, patch, rest] = numbers ?? [];
  const rank = Number(major) * 1_00_00 + Number(minor) * 1_00 + Number(patch);
  if (numbers === null) {
    found.add('warning', 'version', `calls itself "${shown}", which is not known`, 'use Icecast 2.4.4');
  } else if (rank < NEWEST_TESTED) {
    const says = `is ${shown}, which has known security faults`;
    found.add('warning', 'version', says, 'upgrade to Icecast 2.4.4');
  } else if (rank > NEWEST_TESTED || rest !== '') {
    const says = `is ${shown}; Sustain is tested with 2.4.4`;
    found.add('note', 'version', says, 'nothing, but try a switch before relying on it');
  }
}

function judgeClock(found: FindingList, aheadMs: number): void {
  if (aheadMs === 0) return;
  const by = lengthText(Math.abs(aheadMs));
  const bites =
    Math.abs(aheadMs) > FUDGE_SECONDS * 1_000
      ? 'planned silences, holds and reports go wrong by as much, and signed DNS updates of one of the two may be refused'
      : 'planned silences, holds and reports go wrong by as much';
  found.add(
    'warning',
    'clock',
    `is ${by} ${aheadMs > 0 ? 'behind' : 'ahead of'} the clock of this machine: ${bites}`,
    'let NTP set both (timedatectl says whether it does)',
  );
}

function judgeMount(found: FindingList, wanted: Wanted, facts: AnsweringServer): void {
  const { mount, station, source } = wanted;
  const there = facts.mounts.find((one) => one.mount === mount);
  if (there === undefined) {
    const alike = facts.mounts.find((one) => sameButForSpelling(one.mount, mount));
    const change =
      alike === undefined
        ? "start its encoder; check the encoder's server, mount and password"
        : `there is ${printable(alike.mount, 80)}: write the same mount at the encoder and in the config`;
    found.add('fault', mount, `is not there: ${source} of ${station} is not connected`, change);
    return;
  }
  if (there.connectedSeconds === null) {
    found.add(
      'warning',
      mount,
      'has no source client: it is a file that Icecast plays',
      'connect an encoder: files are sent without any pace, and players hoard minutes of them',
    );
  }
  if (there.probe?.ok === false) judgeProbe(found, there, there.probe);
}

const sameButForSpelling = (one: string, other: string): boolean => {
  const bare = (mount: string) => mount.toLowerCase().replace(/\.(mp3|aac|ogg|opus|flac)$/, '');
  return bare(one) === bare(other);
};

function judgeProbe(found: FindingList, there: MountFacts, { why, detail }: Probe & { ok: false }): void {
  if (why === 'no-answer') {
    found.add(
      'warning',
      there.mount,
      `what it is made of is not known: ${detail}`,
      'run `sustain check` again; when it stays, look at what else runs here, and whether `ffmpeg -version` works',
    );
  } else if (why === 'no-sound') {
    found.add(
      'fault',
      there.mount,
      `is there but gives a listener nothing: ${detail}`,
      'check that its encoder is alive, and that listeners need no login',
    );
  } else {
    found.add(
      'fault',
      there.mount,
      `${detail}, although its type is ${printable(there.contentType, 60)}`,
      'set the content type of the encoder to what it sends',
    );
  }
}

interface Source {
  readonly mount: string;
  readonly facts: MountFacts;
}

function presentSources(station: StationConfig, facts: AnsweringServer): readonly Source[] {
  return station.sources.flatMap(({ mount }) => {
    const there = facts.mounts.find((one) => one.mount === mount);
    return there === undefined ? [] : [{ mount, facts: there }];
  });
}

/** Listeners are moved between all sources of a station, so that all must sound alike to a player. */
function judgeFormats(found: FindingList, station: StationConfig, facts: AnsweringServer): void {
  const [first, ...others] = presentSources(station, facts);
  if (first === undefined) return;
  for (const { mount, facts: there } of others) {
    const against = `${first.mount} has`;
    const type = printable(there.contentType, 60);
    const firstType = printable(first.facts.contentType, 60);
    if (formatKindOf(there.contentType) !== formatKindOf(first.facts.contentType)) {
      found.add(
        'fault',
        mount,
        `is ${type} and ${first.mount} is ${firstType}: Icecast moves nobody between these, and says it did`,
        'encode both the same',
      );
      continue;
    }
    const { codec, sampleRateHz, channels, bitrateKbps } = there.sound;
    const its = first.facts.sound;
    if (differ(codec, its.codec) || (codec === null && type.toLowerCase() !== firstType.toLowerCase())) {
      const has = codec === null ? type : codec;
      found.add(
        'fault',
        mount,
        `is ${has}, ${against} ${its.codec ?? firstType}: players of moved listeners break`,
        'encode both the same',
      );
    }
    if (differ(sampleRateHz, its.sampleRateHz)) {
      found.add(
        'fault',
        mount,
        `has ${sampleRateHz} Hz, ${against} ${its.sampleRateHz} Hz: players of moved listeners stop or play at the wrong speed`,
        'set the same sample rate at both encoders',
      );
    }
    if (differ(channels, its.channels)) {
      found.add(
        'fault',
        mount,
        `has ${channels} channel(s), ${against} ${its.channels}: players of moved listeners break`,
        'set the same number of channels at both encoders',
      );
    }
    if (
      bitrateKbps !== null &&
      its.bitrateKbps !== null &&
      Math.abs(bitrateKbps / its.bitrateKbps - 1) > 0.1
    ) {
      found.add(
        'warning',
        mount,
        `has ${bitrateKbps} kbit/s, ${against} ${its.bitrateKbps}: a lower rate fills the players' buffers later`,
        'set the same bitrate at both encoders',
      );
    }
  }
}

/** True when both are known and not the same. */
function differ<Value>(one: Value | null, other: Value | null): boolean {
  return one !== null && other !== null && one !== other;
}

/** When the agent is gone too, Icecast's own fallback is what is left. */
function judgeFallbacks(found: FindingList, station: StationConfig, facts: AnsweringServer): void {
  const mounts = station.sources.map(({ mount }) => mount);
  for (const [index, mount] of mounts.entries()) {
    const there = facts.mounts.find((one) => one.mount === mount);
    const next = mounts[index + 1];
    if (there === undefined) continue;
    if (there.fallback === null && next !== undefined) {
      found.add(
        'warning',
        mount,
        'has no fallback mount: if its encoder goes while no agent is there, its listeners are thrown off',
        `write <fallback-mount>${next}</fallback-mount> into its <mount> of icecast.xml`,
      );
    }
    if (there.fallback !== null && !mounts.includes(there.fallback)) {
      found.add(
        'warning',
        mount,
        `falls back on ${printable(there.fallback, 80)}, which is no source of ${station.name}`,
        'name a source of the station, or add this one as a source',
      );
    }
  }
}

/** Whoever is moved to a full mount is cut off without a word. */
function judgeRoom(found: FindingList, station: StationConfig, facts: AnsweringServer): void {
  const sources = presentSources(station, facts);
  const connected = sources.reduce((sum, source) => sum + source.facts.connected, 0);
  for (const { mount, facts: there } of sources) {
    if (there.maxListeners === null) continue;
    const full = connected > there.maxListeners;
    const says = `takes at most ${there.maxListeners} listeners, and ${connected} are connected to ${station.name} here now: whoever is moved to a full mount is cut off`;
    found.add(
      full ? 'fault' : 'warning',
      mount,
      says,
      'remove <max-listeners> from its <mount> of icecast.xml',
    );
  }
}
