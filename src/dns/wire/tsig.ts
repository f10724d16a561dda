import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalName } from '../records.ts';
import { encodeName, numbers, resourceRecord } from './update.ts';

export type TsigAlgorithm = 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';

export interface TsigKey {
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Buffer;
}

export interface Signed {
  readonly message: Buffer;
  readonly mac: Buffer;
}

/** How the other side's signature stands, by RFC 8945. */
export type TsigVerdict =
  | { readonly is: 'valid' }
  | { readonly is: 'unsigned' }
  /** Its own complaint about our signature: BADSIG 16, BADKEY 17, BADTIME 18, BADTRUNC 22. */
  | { readonly is: 'rejected'; readonly error: number }
  | { readonly is: 'forged' };

const TSIG = 250;
const ANY = 255;
/** A server refuses what was signed by a clock that is further off than this (RFC 8945, 10). */
export const FUDGE_SECONDS = 300;
const HEADER_BYTES = 12;

/** Adds a TSIG record (RFC 8945, 4.2 and 4.3.3). `nowSeconds` is wall time: both clocks must agree within five minutes. */
export function sign(message: Buffer, key: TsigKey, nowSeconds: number): Signed {
  const algorithm = encodeName(key.algorithm);
  const time = numbers([nowSeconds, 6], [FUDGE_SECONDS, 2]);
  const mac = digest(key, [message, variables(key.name, algorithm, time, 0, Buffer.alloc(0))]);
  const data = Buffer.concat([
    algorithm,
    time,
    numbers([mac.length, 2]),
    mac,
    message.subarray(0, 2),
    numbers([0, 2], [0, 2]),
  ]);
  const signed = Buffer.concat([message, resourceRecord(key.name, TSIG, ANY, 0, data)]);
  signed.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { message: signed, mac };
}

/** Checks an answer against the request that it belongs to (RFC 8945, 5.3). Never throws, whatever the bytes are. */
export function verify(answer: Buffer, request: Signed, key: TsigKey, nowSeconds: number): TsigVerdict {
  const found = findTsig(answer);
  if (found === null) return { is: 'unsigned' };
  const { start, data } = found;
  const parsed = parseTsig(data);
  if (parsed === null) return { is: 'forged' };
  if (parsed.error !== 0) return { is: 'rejected', error: parsed.error };
  const bare = Buffer.from(answer.subarray(0, start));
  bare.writeUInt16BE(parsed.originalId, 0);
  bare.writeUInt16BE(answer.readUInt16BE(10) - 1, 10);
  const expected = digest(key, [
    numbers([request.mac.length, 2]),
    request.mac,
    bare,
    variables(key.name, encodeName(key.algorithm), parsed.time, parsed.error, parsed.other),
  ]);
  const isSame = parsed.mac.length === expected.length && timingSafeEqual(parsed.mac, expected);
  const signedAtSeconds = parsed.time.readUIntBE(0, 6);
  const isTimely = Math.abs(signedAtSeconds - nowSeconds) <= FUDGE_SECONDS;
  return isSame && isTimely ? { is: 'valid' } : { is: 'forged' };
}

function digest(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(key.algorithm.replace('hmac-', ''), key.secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function variables(name: string, algorithm: Buffer, time: Buffer, error: number, other: Buffer): Buffer {
  const head = Buffer.concat([encodeName(canonicalName(name)), numbers([ANY, 2], [0, 4]), algorithm, time]);
  return Buffer.concat([head, numbers([error, 2], [other.length, 2]), other]);
}

interface TsigFields {
  /** Time signed and fudge, as they stand. */
  readonly time: Buffer;
  readonly mac: Buffer;
  readonly originalId: number;
  readonly error: number;
  readonly other: Buffer;
}

function parseTsig(data: Buffer): TsigFields | null {
  try {
    let at = skipName(data, 0);
    const time = data.subarray(at, at + 8);
    const macLength = data.readUInt16BE(at + 8);
    at += 10;
    const mac = data.subarray(at, at + macLength);
    at += macLength;
    const otherLength = data.readUInt16BE(at + 4);
    const other = data.subarray(at + 6, at + 6 + otherLength);
    if (time.length !== 8 || mac.length !== macLength || other.length !== otherLength) return null;
    return { time, mac, originalId: data.readUInt16BE(at), error: data.readUInt16BE(at + 2), other };
  } catch {
    return null;
  }
}

/** The TSIG record, which must be the last of the message, and where it begins. */
function findTsig(message: Buffer): { start: number; data: Buffer } | null {
  try {
    const [questions = 0, ...sections] = [4, 6, 8, 10].map((offset) => message.readUInt16BE(offset));
    let at = HEADER_BYTES;
    for (let count = 0; count < questions; count += 1) at = skipName(message, at) + 4;
    let last: { start: number; type: number; data: Buffer } | null = null;
    const records = sections.reduce((sum, count) => sum + count, 0);
    for (let count = 0; count < records; count += 1) {
      const start = at;
      const fields = skipName(message, at);
      const end = fields + 10 + message.readUInt16BE(fields + 8);
      if (end > message.length) return null;
      last = { start, type: message.readUInt16BE(fields), data: message.subarray(fields + 10, end) };
      at = end;
    }
    return last?.type === TSIG ? last : null;
  } catch {
    return null;
  }
}

function skipName(message: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
}
