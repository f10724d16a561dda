import { counted } from '../../domain/counted.ts';
import { printable } from '../../icecast/text.ts';
import type { MountFacts, ServerFacts, Wanted } from './facts.ts';
import { type Finding, worstFirst } from './findings.ts';

/** Columns as wide as their widest cell, two spaces between them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, [...cell].length);
  }
  const line = (row: readonly string[]) =>
    row.map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - [...cell].length)).join('  ');
  return rows.map((row) => `  ${line(row)}`.trimEnd()).join('\n');
}

const HEAD = [
  'station',
  'source',
  'mount',
  'there',
  'type',
  'codec',
  'rate',
  'channels',
  'bitrate',
  'fallback',
  'connected',
  'limit',
];

function mountRow({ station, source, mount }: Wanted, there: MountFacts | undefined): readonly string[] {
  const name = printable(mount, 60);
  if (there === undefined) return [station, source, name, 'NO'];
  const { sound } = there;
  const or = (value: number | string | null, unit = '') => (value === null ? '?' : `${value}${unit}`);
  return [
    station,
    source,
    name,
    'yes',
    printable(there.contentType, 40),
    or(sound.codec),
    or(sound.sampleRateHz, ' Hz'),
    or(sound.channels),
    or(sound.bitrateKbps === null ? null : Math.round(sound.bitrateKbps), 'k'),
    there.fallback === null ? 'none' : printable(there.fallback, 60),
    String(there.connected),
    there.maxListeners === null ? 'none' : String(there.maxListeners),
  ];
}

function serverText(facts: ServerFacts, wanted: readonly Wanted[]): string {
  const { server } = facts;
  const head = `${server.name}  ${server.url}`;
  if (!facts.answers) {
    const reachable = ['refused', 'timed-out', 'name-not-found'].includes(facts.failure) ? 'NO' : 'yes';
    const password = facts.failure === 'unauthorised' ? 'WRONG' : 'not known';
    return `${head}\n${table([
      ['reachable', reachable],
      ['admin password', `${password} (${server.admin.password.origin})`],
    ])}`;
  }
  const rows = wanted.map((one) =>
    mountRow(
      one,
      facts.mounts.find(({ mount }) => mount === one.mount),
    ),
  );
  return [
    head,
    table([
      ['reachable', `yes, ${printable(facts.version, 60)}`],
      ['admin password', `right (${server.admin.password.origin})`],
      ['clients now', `${facts.clients}, ${facts.sources} of them sources, ${facts.listeners} listeners`],
    ]),
    '',
    table([HEAD, ...rows]),
  ].join('\n');
}

function findingText({ severity, server, about, says, change }: Finding): string {
  const place = server === null ? about : `${server} ${about}`;
  return `${severity.toUpperCase().padEnd(7)}  ${place}: ${says}\n         -> ${change}`;
}

/** The whole report for a person; warnings of the config stand before it. */
export function reportText(
  servers: readonly ServerFacts[],
  wanted: readonly Wanted[],
  findings: readonly Finding[],
  configWarnings: number,
): string {
  const parts = servers.map((facts) => serverText(facts, wanted));
  const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  const faults = count('fault');
  const warnings = counted(count('warning') + configWarnings, 'warning');
  parts.push(worstFirst(findings).map(findingText).join('\n'));
  parts.push(
    faults === 0
      ? `Nothing stands in the way (${warnings}).`
      : `${counted(faults, 'fault')} to put right (${warnings}).`,
  );
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The same for a script. */
export function reportJson(servers: readonly ServerFacts[], findings: readonly Finding[]): object {
  return {
    ok: findings.every(({ severity }) => severity !== 'fault'),
    servers: servers.map((facts) => {
      const { name, url } = facts.server;
      if (!facts.answers) return { name, url, answers: false, failure: facts.failure, detail: facts.detail };
      const { version, clockAheadMs, clients, listeners, sources } = facts;
      const mounts = facts.mounts.map(({ probe, ...mount }) => mount);
      return { name, url, answers: true, version, clockAheadMs, clients, listeners, sources, mounts };
    }),
    findings: worstFirst(findings),
  };
}
