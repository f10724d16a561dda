import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { type PasswordHash, parsePasswordHash, passwordHashText } from '../../domain/password-hash.ts';

/** 32 MiB and some 80 ms a guess: OWASP's least for scrypt is ln=17 with p=1, or this with p=3. */
const COST = { ln: 15, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
export const LEAST_PASSWORD_LENGTH = 8;
export const MOST_PASSWORD_LENGTH = 128;

/** A hash to store in place of the password. */
export async function hashPassword(password: string): Promise<string> {
  const salt = unpadded(randomBytes(SALT_BYTES));
  const derived = await derive(password, { ...COST, salt, hash: '' }, HASH_BYTES);
  return passwordHashText({ ...COST, salt, hash: unpadded(derived) });
}

/** False for a wrong password, and for a text that is no hash. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const parsed = parsePasswordHash(stored);
  if (parsed === null) return false;
  const expected = Buffer.from(parsed.hash, 'base64');
  return timingSafeEqual(await derive(password, parsed, expected.length), expected);
}

/** Takes as long as a look at a password of a user that exists. */
export async function pretendToCheck(password: string): Promise<false> {
  await derive(password, { ...COST, salt: unpadded(Buffer.alloc(SALT_BYTES)), hash: '' }, HASH_BYTES);
  return false;
}

function derive(password: string, { ln, r, p, salt }: PasswordHash, bytes: number): Promise<Buffer> {
  const cost = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
  // Two keyboards may write the same word with different code points.
  const text = password.normalize('NFKC');
  return new Promise((resolve, reject) => {
    scrypt(text, Buffer.from(salt, 'base64'), bytes, cost, (error, derived) =>
      error === null ? resolve(derived) : reject(error),
    );
  });
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
