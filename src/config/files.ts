import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { shown } from './problems.ts';
import { Secret, type SecretRef } from './secret.ts';

export const LARGEST_CONFIG_BYTES = 1024 * 1024;
const LARGEST_SECRET_BYTES = 4096;
/** All authorities of a Linux are some 250 KiB. */
const LARGEST_AUTHORITIES_BYTES = 1024 * 1024;

/** Reads bytes as UTF-8 and refuses what isn't, instead of carrying on with marks of damage in it. */
export type TextRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly line: number };

export async function readConfigText(file: string): Promise<TextRead> {
  const read = await readBytes(file, LARGEST_CONFIG_BYTES);
  if (!read.ok) return { ok: false, message: `the file ${read.message}`, line: 1 };
  return decodeConfig(read.bytes);
}

export function decodeConfig(bytes: Uint8Array): TextRead {
  const refuse = (message: string, line = 1): TextRead => ({
    ok: false,
    message,
    line,
  });
  if (bytes.length > LARGEST_CONFIG_BYTES)
    return refuse('the file is larger than 1 MiB: is it the right one?');
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return refuse('the file is in UTF-16: save it as UTF-8');
  }
  const text = new TextDecoder('utf-8').decode(bytes);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('is not UTF-8 text: save the file as UTF-8', lineOf(text, text.indexOf('\ufffd')));
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is what this is for.
  const control = text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/);
  if (control >= 0) return refuse('has a control character in it: remove it', lineOf(text, control));
  return { ok: true, text };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, Math.max(0, offset)).split('\n').length;
}

export interface Environment {
  readonly [name: string]: string | undefined;
  readonly SUSTAIN_SERVER?: string | undefined;
  readonly SUSTAIN_WITNESS?: string | undefined;
  readonly CREDENTIALS_DIRECTORY?: string | undefined;
}

export type SecretRead =
  | {
      readonly ok: true;
      readonly secret: Secret;
      readonly warning: string | null;
    }
  | { readonly ok: false; readonly message: string };

/** Reads one secret. Paths that don't begin with a slash are beside the config file. */
export async function readSecret(ref: SecretRef, configFile: string, env: Environment): Promise<SecretRead> {
  if (ref.from === 'environment') {
    const value = env[ref.variable];
    if (value === undefined || value === '') {
      const state = value === undefined ? 'not set' : 'empty';
      return {
        ok: false,
        message: `the environment variable ${ref.variable} is ${state}: put the secret into it`,
      };
    }
    if (/\p{Cc}/u.test(value)) {
      return {
        ok: false,
        message: `the environment variable ${ref.variable} holds a line break or another control character: leave only the secret`,
      };
    }
    return {
      ok: true,
      secret: new Secret(value, `the environment variable ${ref.variable}`),
      warning: null,
    };
  }
  const place = secretPlace(ref.file, configFile, env);
  if (!place.ok) return place;
  const { file } = place;
  const read = await readBytes(file, LARGEST_SECRET_BYTES);
  if (!read.ok) return { ok: false, message: `the file ${shown(file)} ${read.message}` };
  const text = Buffer.from(read.bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (text === '')
    return {
      ok: false,
      message: `the file ${shown(file)} is empty: write the secret into it`,
    };
  if (/\p{Cc}/u.test(text)) {
    return {
      ok: false,
      message: `the file ${shown(file)} holds more than one line of text: leave only the secret`,
    };
  }
  const isOpen = (read.mode & 0o004) !== 0;
  const asked = { file, isCredential: ref.file.startsWith(CREDENTIALS), isOpen };
  return { ok: true, secret: new Secret(text, `the file ${file}`), warning: warningOf(asked, configFile) };
}

/** The config that the unit of systemd runs with, as a user of its own whom no file belongs to. */
const OF_THE_SERVICE = '/etc/sustain/sustain.yaml';

/** What is wrong with a secret that could be read: by everybody, or by root and not by the service that has to. */
export function warningOf(
  secret: { readonly file: string; readonly isCredential: boolean; readonly isOpen: boolean },
  configFile: string,
  userId = process.getuid?.(),
): string | null {
  const file = shown(secret.file);
  if (secret.isOpen) return `everybody on this machine may read ${file}: run chmod o-r on it`;
  if (secret.isCredential || userId !== 0 || resolve(configFile) !== OF_THE_SERVICE) return null;
  return `root may read ${file}, and the service may not: move it to /etc/sustain/secrets, and write $CREDENTIALS_DIRECTORY/ and its name here`;
}

const CREDENTIALS = '$CREDENTIALS_DIRECTORY/';
/** What the unit file puts before the name of each file in /etc/sustain/secrets, as LoadCredential= does for folders. */
const OF_THE_FOLDER = 'secrets_';

/** Where the file of a secret is; `$CREDENTIALS_DIRECTORY/name` is a credential that systemd hands over. */
export function secretPlace(
  path: string,
  configFile: string,
  env: Environment,
): { readonly ok: true; readonly file: string } | { readonly ok: false; readonly message: string } {
  if (!path.startsWith(CREDENTIALS)) return { ok: true, file: besideConfig(path, configFile) };
  const directory = env.CREDENTIALS_DIRECTORY;
  const name = path.slice(CREDENTIALS.length);
  if (name.includes('/') || name === '..')
    return { ok: false, message: 'names no credential: write one name after $CREDENTIALS_DIRECTORY/' };
  if (directory === undefined || directory === '') {
    const message =
      'is a credential, and CREDENTIALS_DIRECTORY is not set: systemd sets it for the service; by hand, set it to the folder of the secrets';
    return { ok: false, message };
  }
  const [plain, ofFolder] = [join(directory, name), join(directory, `${OF_THE_FOLDER}${name}`)];
  return { ok: true, file: !existsSync(plain) && existsSync(ofFolder) ? ofFolder : plain };
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates in a file of PEM, and nothing else that may stand there. */
export async function readCertificates(
  path: string,
  configFile: string,
  env: Environment,
): Promise<{ readonly ok: true; readonly pem: string } | { readonly ok: false; readonly message: string }> {
  const place = secretPlace(path, configFile, env);
  if (!place.ok) return place;
  const refuse = (message: string) =>
    ({ ok: false, message: `the file ${shown(place.file)} ${message}` }) as const;
  const read = await readBytes(place.file, LARGEST_AUTHORITIES_BYTES);
  if (!read.ok) return refuse(read.message);
  const certificates = Buffer.from(read.bytes).toString('latin1').match(CERTIFICATES) ?? [];
  if (certificates.length === 0)
    return refuse('holds no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----');
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch {
      return refuse(`holds a certificate that can't be read, number ${index + 1} in it: copy it there anew`);
    }
  }
  return { ok: true, pem: certificates.join('\n') };
}

export function besideConfig(path: string, configFile: string): string {
  return resolve(dirname(resolve(configFile)), path);
}

type BytesRead =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly ok: false; readonly message: string };

/** Never reads more than the limit, whatever the file says of its own size. */
async function readBytes(file: string, limitBytes: number): Promise<BytesRead> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(file, 'r');
    const { mode } = await handle.stat();
    const buffer = Buffer.alloc(limitBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > limitBytes) {
      return {
        ok: false,
        message: `is larger than ${limitBytes / 1024} KiB: is it the right one?`,
      };
    }
    return { ok: true, bytes: buffer.subarray(0, length), mode };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return {
      ok: false,
      message: FILE_FAULTS.get(code) ?? `can't be read (${code})`,
    };
  } finally {
    await handle?.close();
  }
}

const FILE_FAULTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist: check the path'],
  ['EACCES', 'may not be read by this user: check its owner and mode'],
  ['EISDIR', 'is a folder: name the file in it'],
  ['ENOTDIR', 'does not exist: a part of its path is not a folder'],
]);
