import { isIPv4 } from 'node:net';
import { canonicalName } from '../records.ts';

/** One change or condition in an UPDATE message; the words are those of RFC 2136. */
export type UpdateRecord =
  /** Prerequisite: this RRset is there with exactly this one record (2.4.2). */
  | { readonly is: 'rrset-is'; readonly name: string; readonly type: 'TXT'; readonly text: string }
  /** Prerequisite: there is no such RRset (2.4.3). */
  | { readonly is: 'no-rrset'; readonly name: string; readonly type: 'TXT' }
  /** 2.5.2 */
  | { readonly is: 'delete-rrset'; readonly name: string; readonly type: 'A' | 'AAAA' | 'TXT' }
  /** One record out of its RRset; where there is no such record nothing happens (2.5.4). */
  | {
      readonly is: 'delete';
      readonly name: string;
      readonly type: 'A' | 'AAAA' | 'TXT';
      readonly data: string;
    }
  /** 2.5.1 */
  | {
      readonly is: 'add';
      readonly name: string;
      readonly type: 'A' | 'AAAA' | 'TXT';
      readonly ttlSeconds: number;
      readonly data: string;
    };

const TYPES = { A: 1, AAAA: 28, TXT: 16 } as const;
const SOA = 6;
const IN = 1;
const NONE = 254;
const ANY = 255;
const OPCODE_UPDATE = 5 << 11;

/** An UPDATE message for one zone, unsigned. */
export function encodeUpdate(
  id: number,
  zone: string,
  prerequisites: readonly UpdateRecord[],
  updates: readonly UpdateRecord[],
): Buffer {
  const header = numbers(
    [id, 2],
    [OPCODE_UPDATE, 2],
    [1, 2],
    [prerequisites.length, 2],
    [updates.length, 2],
    [0, 2],
  );
  const question = Buffer.concat([encodeName(zone), numbers([SOA, 2], [IN, 2])]);
  return Buffer.concat([header, question, ...[...prerequisites, ...updates].map(encodeRecord)]);
}

/** Labels in lower case, never compressed: the form that signatures are made over. */
export function encodeName(name: string): Buffer {
  const labels = canonicalName(name)
    .split('.')
    .filter((label) => label !== '')
    .map((label) => Buffer.from(label, 'latin1'));
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length & 0x3f]), label]),
    Buffer.from([0]),
  ]);
}

/** Big-endian numbers, each with its length in bytes. */
export function numbers(...fields: readonly (readonly [value: number, bytes: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([value, bytes]) => {
      const field = Buffer.alloc(bytes);
      field.writeUIntBE(value, 0, bytes);
      return field;
    }),
  );
}

function encodeRecord(record: UpdateRecord): Buffer {
  const type = TYPES[record.type];
  switch (record.is) {
    case 'rrset-is':
      return resourceRecord(record.name, type, IN, 0, encodeData('TXT', record.text));
    case 'no-rrset':
      return resourceRecord(record.name, type, NONE, 0, Buffer.alloc(0));
    case 'delete-rrset':
      return resourceRecord(record.name, type, ANY, 0, Buffer.alloc(0));
    case 'delete':
      return resourceRecord(record.name, type, NONE, 0, encodeData(record.type, record.data));
    case 'add':
      return resourceRecord(record.name, type, IN, record.ttlSeconds, encodeData(record.type, record.data));
  }
}

export function resourceRecord(
  name: string,
  type: number,
  klass: number,
  ttlSeconds: number,
  data: Buffer,
): Buffer {
  return Buffer.concat([
    encodeName(name),
    numbers([type, 2], [klass, 2], [ttlSeconds, 4], [data.length, 2]),
    data,
  ]);
}

function encodeData(type: 'A' | 'AAAA' | 'TXT', data: string): Buffer {
  if (type === 'A') return Buffer.from(data.split('.').map(Number));
  if (type === 'AAAA') return encodeIpv6(data);
  const text = Buffer.from(data, 'latin1').subarray(0, 255);
  return Buffer.concat([Buffer.from([text.length]), text]);
}

function encodeIpv6(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const gap = new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0);
  return numbers(...[...left, ...gap, ...right].map((group) => [group, 2] as const));
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!isIPv4(group)) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
