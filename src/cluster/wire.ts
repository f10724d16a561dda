import type { LeaseRecord } from './lease.ts';

/** Nothing of ours comes near this; a longer value is a stranger's. */
const LONGEST_BYTES = 16 * 1024;
const NAME = /^[a-z0-9-]{1,32}$/;
const TOKEN = /^[a-f0-9]{1,64}$/;

export function encodeLease(record: LeaseRecord): string {
  return JSON.stringify({ v: 1, ...record });
}

/** Stands for a lease that this version can't read: it is respected like any other, until its holder goes quiet. */
const UNREADABLE: LeaseRecord = { holder: 'unknown', session: '0', epoch: 0, nonce: '0' };

export function decodeLease(bytes: Uint8Array): LeaseRecord {
  const fields = fieldsIn(bytes);
  if (fields === null) return UNREADABLE;
  const { holder, session, epoch, nonce } = fields;
  const isHolder = holder === null || (typeof holder === 'string' && NAME.test(holder));
  if (!isHolder || !isToken(session) || !isToken(nonce)) return UNREADABLE;
  if (typeof epoch !== 'number' || !Number.isSafeInteger(epoch) || epoch < 0) return UNREADABLE;
  return { holder, session, epoch, nonce };
}

/** One publication: the session and number tell a new one from an old one that is delivered again. */
export interface Published {
  readonly session: string;
  readonly number: number;
  readonly observation: unknown;
}

export function encodePublished(published: Published): string {
  return JSON.stringify({ v: 1, ...published });
}

/** Null unless it is ours in form; what was observed is for the caller's own parser. */
export function decodePublished(bytes: Uint8Array): Published | null {
  const fields = fieldsIn(bytes);
  if (fields === null) return null;
  const { session, number, observation } = fields;
  if (!isToken(session) || typeof number !== 'number' || !Number.isSafeInteger(number)) return null;
  return { session, number, observation };
}

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** A DNS name as part of a key: NATS takes letters, digits, dots, dashes and underscores. */
export function keyFor(group: string): string {
  return group
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '_')
    .replace(/^\.+|\.+$/g, '')
    .replace(/\.{2,}/g, '.');
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value);
}

function fieldsIn(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  if (bytes.length > LONGEST_BYTES) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const fields: Record<string, unknown> = { ...value };
    return fields['v'] === 1 ? fields : null;
  } catch {
    return null;
  }
}
