import { z } from 'zod';
import { shortestIpv6 } from '../../domain/ip-address.ts';
import { shown } from '../problems.ts';
import type { SecretRef } from '../secret.ts';
import {
  type LevelUnit,
  type Parsed,
  parseBitrate,
  parseDuration,
  parseLevel,
  parseNumber,
  parseRatio,
} from '../units.ts';

/** What a key is for, as the reference of the config says it. */
interface About {
  readonly description: string;
  /** A value that may be copied as it stands. */
  readonly example: string;
}

/** Text as written in the file; a section, a list or nothing at all in its place is told what belongs there. */
function written(example: string) {
  return z.string({
    error: ({ input }) => {
      if (input === undefined) return `is missing: write a value such as ${example}`;
      if (input === null) return `is empty: write a value such as ${example}, or remove the line`;
      return `must be one value such as ${example}, not a ${Array.isArray(input) ? 'list' : 'section'}`;
    },
  });
}

/** A value that is written as text and means something else. `extra` is what the reference shows of it. */
export function leaf<Value>(
  about: About,
  read: (text: string) => Parsed<Value>,
  extra: Record<string, unknown> = {},
) {
  return written(about.example)
    .transform((text, context): Value => {
      const parsed = read(text);
      if (parsed.ok) return parsed.value;
      context.addIssue({ code: 'custom', message: parsed.message });
      return z.NEVER;
    })
    .meta({
      description: about.description,
      example: about.example,
      ...extra,
    });
}

function within(
  read: (text: string) => Parsed<number>,
  minimum: string,
  maximum: string,
): (text: string) => Parsed<number> {
  const low = read(minimum);
  const high = read(maximum);
  if (!low.ok || !high.ok) throw new Error(`the schema has a bad range: ${minimum} to ${maximum}`);
  return (text) => {
    const parsed = read(text);
    if (!parsed.ok || (parsed.value >= low.value && parsed.value <= high.value)) return parsed;
    return {
      ok: false,
      message: `${shown(text)} is out of range: write a value from ${minimum} to ${maximum}`,
    };
  };
}

interface Ranged extends About {
  readonly minimum: string;
  readonly maximum: string;
}

/** `5s`, to ms. */
export function duration(about: Ranged) {
  const { minimum, maximum } = about;
  return leaf(about, within(parseDuration, minimum, maximum), {
    unit: 'duration: ms, s, m or h',
    range: { minimum, maximum },
  });
}

/** As `duration`, where some durations have names of their own. */
export function durationOr(names: Readonly<Record<string, number>>, about: Ranged) {
  const { minimum, maximum } = about;
  const read = within(parseDuration, minimum, maximum);
  return leaf(
    about,
    (text) => {
      const known = Object.hasOwn(names, text) ? names[text] : undefined;
      return known === undefined ? read(text) : { ok: true, value: known };
    },
    { unit: 'duration: ms, s, m or h', range: { minimum, maximum }, names: Object.keys(names) },
  );
}

/** `-50 dBFS`, to the number. */
export function level(unit: LevelUnit, about: Ranged) {
  const { minimum, maximum } = about;
  return leaf(
    about,
    within((text) => parseLevel(text, unit), minimum, maximum),
    { unit, range: { minimum, maximum } },
  );
}

/** As `level`, where some levels have names of their own. */
export function namedLevel(unit: LevelUnit, names: Readonly<Record<string, number>>, about: Ranged) {
  const { minimum, maximum } = about;
  const read = within((text) => parseLevel(text, unit), minimum, maximum);
  return leaf(
    about,
    (text) => {
      const known = Object.hasOwn(names, text) ? names[text] : undefined;
      return known === undefined ? read(text) : { ok: true, value: known };
    },
    { unit, range: { minimum, maximum }, names },
  );
}

/** `2.5:1`, to the number. */
export function ratio(about: Ranged) {
  const { minimum, maximum } = about;
  return leaf(about, within(parseRatio, minimum, maximum), { unit: 'ratio', range: { minimum, maximum } });
}

/** A number that has no unit. */
export function plainNumber(about: Ranged) {
  const { minimum, maximum } = about;
  return leaf(about, within(parseNumber, minimum, maximum), { unit: 'none', range: { minimum, maximum } });
}

/** A whole number of things. */
export function count(about: Ranged) {
  const { minimum, maximum } = about;
  const read = within(parseNumber, minimum, maximum);
  return leaf(
    about,
    (text): Parsed<number> => {
      const parsed = read(text);
      if (!parsed.ok || Number.isInteger(parsed.value)) return parsed;
      return {
        ok: false,
        message: `${shown(text)} is not a whole number: write one such as ${about.example}`,
      };
    },
    { unit: 'none', range: { minimum, maximum } },
  );
}

/** `on` or `off`, to 1 or 0. */
export function onOff(about: About) {
  return leaf(
    about,
    (text): Parsed<number> =>
      text === 'on' || text === 'off'
        ? { ok: true, value: text === 'on' ? 1 : 0 }
        : { ok: false, message: `${shown(text)} is not known here: write on or off` },
    { choices: ['on', 'off'] },
  );
}

/** `128k`, to kbit/s. */
export function bitrate(about: Ranged) {
  const { minimum, maximum } = about;
  return leaf(about, within(parseBitrate, minimum, maximum), {
    unit: 'k: kbit/s',
    range: { minimum, maximum },
  });
}

/** What is wrong with a name that people give to a server, a station or a source; null when nothing is. */
export function nameFault(text: string): string | null {
  if (/^[a-z0-9-]{1,32}$/.test(text)) return null;
  return `${shown(text)} is not a name: use a to z, 0 to 9 and -, at most 32 characters`;
}

export function name(about: About) {
  return leaf(about, (text) => {
    const message = nameFault(text);
    return message === null ? { ok: true, value: text } : { ok: false, message };
  });
}

/** One word of a few. */
export function choice<const Word extends string>(words: readonly Word[], about: About) {
  return leaf(
    about,
    (text): Parsed<Word> => {
      const value = words.find((word) => word === text);
      if (value !== undefined) return { ok: true, value };
      return {
        ok: false,
        message: `${shown(text)} is not known here: write ${listed(words)}`,
      };
    },
    { choices: words },
  );
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** `stream.myfm.example`, to lower case and without a dot at its end. */
export function dnsName(about: About) {
  return leaf(about, (text) => {
    const value = text.toLowerCase().replace(/\.$/, '');
    // The epoch's mark stands at a longer name than this, and has to fit as well.
    const isName =
      value.length <= 240 && value.includes('.') && value.split('.').every((label) => LABEL.test(label));
    if (isName) return { ok: true, value };
    return { ok: false, message: `${shown(text)} is not a DNS name: write one such as ${about.example}` };
  });
}

/** Any text of one line that isn't empty. */
export function line(about: About) {
  return leaf(about, (text) => {
    if (text.trim() === '') return { ok: false, message: `is empty: write a value such as ${about.example}` };
    if (!/\p{Cc}/u.test(text)) return { ok: true, value: text };
    return { ok: false, message: `${shown(text)} has a control character or a line break in it: remove it` };
  });
}

/** A name for Basic authentication. The fault doesn't repeat it: what follows a colon may be the password. */
export function userName(about: About) {
  return leaf(about, (text) => {
    if (text !== '' && !/[:\p{Cc}]/u.test(text)) return { ok: true, value: text };
    return { ok: false, message: `is not a user name: write one without a colon, such as ${about.example}` };
  });
}

/** `/primary`. */
export function mountPath(about: About) {
  return leaf(about, (text) => {
    const fault = mountFault(text);
    return fault === null ? { ok: true, value: text } : { ok: false, message: `${shown(text)} ${fault}` };
  });
}

/** What is wrong with a mount that people write, said after it; null when nothing is. */
export function mountFault(text: string): string | null {
  if (!text.startsWith('/')) return `does not begin with a slash: write ${shown(`/${text}`)}`;
  if (text.length < 2) return 'is not a mount: write a name after the slash, such as /primary';
  if (text.length > 128) return 'is too long for a mount: use at most 128 characters';
  if (/[?#\p{Cc}]/u.test(text)) return 'is not a mount: it has a ?, a # or a control character in it';
  if (text.startsWith('//'))
    return 'begins with two slashes, which Icecast takes for another mount: write one';
  if (text.startsWith('/admin/') || text === '/admin')
    return 'is a page of Icecast, not a mount: choose another';
  return null;
}

interface UrlRules extends About {
  readonly protocols: readonly string[];
  /** Whether something may follow the host and port. */
  readonly path: boolean;
  /** What to use instead of a user and password inside the URL. */
  readonly credentials: string;
}

/** A URL, without what would put a password into logs. The faults never repeat the text, as it may hold one. */
export function url(about: UrlRules) {
  return leaf(about, (text): Parsed<string> => {
    const fault = (message: string): Parsed<string> => ({ ok: false, message });
    if (!URL.canParse(text)) return fault(`is not a URL: write one such as ${about.example}`);
    const parsed = new URL(text);
    if (parsed.username !== '' || parsed.password !== '') {
      return fault(`holds a user or password: remove it from the URL and ${about.credentials}`);
    }
    if (!about.protocols.includes(parsed.protocol)) {
      return fault(`has the wrong protocol: write one such as ${about.example}`);
    }
    const extra = parsed.pathname.replace(/^\/$/, '') + parsed.search + parsed.hash;
    if (parsed.hostname === '') return fault(`has no host: write one such as ${about.example}`);
    if (!about.path && extra !== '') {
      return fault(`has something after the host and port: write only ${shown(originOf(parsed))}`);
    }
    return { ok: true, value: about.path ? parsed.href : originOf(parsed) };
  });
}

/** Node gives no origin for protocols that browsers don't know, such as nats. */
function originOf(parsed: URL): string {
  return `${parsed.protocol}//${parsed.host}`;
}

/** IPv6 in its shortest form, as name servers answer with it; null when it is no address. */
export function canonicalIp(text: string): string | null {
  if (z.ipv4().safeParse(text).success) return text;
  return z.ipv6().safeParse(text).success ? shortestIpv6(text) : null;
}

export function ipAddress(about: About) {
  return leaf(about, (text): Parsed<string> => {
    const value = canonicalIp(text);
    return value === null
      ? { ok: false, message: `${shown(text)} is not an IP address: write one such as ${about.example}` }
      : { ok: true, value };
  });
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`. */
export function hostAndPort(about: About) {
  return leaf(about, (text): Parsed<HostAndPort> => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3] ?? Number.NaN);
    const host = match?.[1] ?? match?.[2] ?? '';
    if (match === null || port > 65_535) {
      return {
        ok: false,
        message: `${shown(text)} is not an address and port: write one such as ${about.example}`,
      };
    }
    return { ok: true, value: { host, port } };
  });
}

/** The path of a file or folder; one that doesn't begin with a slash is beside the config file. */
export function filePath(about: About) {
  return line(about);
}

/** The pair of keys by which a secret is named: `passwordFile` or `passwordEnv`. Spread them into a section. */
export function secretKeys<const Stem extends string>(stem: Stem, what: string) {
  const file = leaf(
    {
      description: `File that holds ${what}, on its first line; $CREDENTIALS_DIRECTORY/name is one that systemd hands over.`,
      example: `/run/secrets/${stem}`,
    },
    (text): Parsed<string> => {
      // The text isn't repeated: somebody may have written the secret itself here.
      if (text.includes('/') && !/\p{Cc}/u.test(text)) return { ok: true, value: text };
      return {
        ok: false,
        message: 'is not the path of a file: write one such as /run/secrets/name or ./name',
      };
    },
  );
  const variable = leaf(
    {
      description: `Environment variable that holds ${what}.`,
      example: `SUSTAIN_${stem.toUpperCase()}`,
    },
    (text): Parsed<string> => {
      if (/^[A-Z_][A-Z0-9_]*$/.test(text)) return { ok: true, value: text };
      return {
        ok: false,
        message: 'is not the name of an environment variable: write one such as ICECAST_ADMIN',
      };
    },
  );
  return { file: file.optional(), variable: variable.optional() };
}

/** The reference that the pair of keys amounts to; that exactly one is there, the cross-checks see to. */
export function secretRef(file: string | undefined, variable: string | undefined): SecretRef | null {
  if (file !== undefined) return { from: 'file', file };
  return variable === undefined ? null : { from: 'environment', variable };
}
