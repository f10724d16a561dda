import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkedDecoder } from '../../../src/icecast/chunked.ts';
import { HeadParser } from '../../../src/icecast/response-head.ts';

test('a head is read alike however it is cut, and what follows it is handed on whole', () => {
  const bytes = Buffer.from('HTTP/1.0 200 OK\nContent-Type: audio/mpeg\r\nX:1\r\n\r\nSOUND', 'latin1');
  for (let at = 0; at <= bytes.length; at += 1) {
    const parser = new HeadParser();
    const first = parser.push(bytes.subarray(0, at));
    const progress = first.is === 'more' ? parser.push(bytes.subarray(at)) : first;
    if (progress.is !== 'head') throw new Error(`cut at ${at}: ${progress.is}`);
    const rest = first.is === 'more' ? progress.rest : Buffer.concat([progress.rest, bytes.subarray(at)]);
    expect(rest.toString()).toBe('SOUND');
    expect([...progress.head.headers]).toEqual([
      ['content-type', 'audio/mpeg'],
      ['x', '1'],
    ]);
  }
});

test('no bytes make the head parser throw or hold more than its limit', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 }), (pieces) => {
      const parser = new HeadParser(4096);
      let total = 0;
      for (const piece of [Buffer.from('HTTP/1.1 200 OK\r\n'), ...pieces.map((one) => Buffer.from(one))]) {
        total += piece.length;
        const progress = parser.push(piece);
        if (progress.is !== 'more') return;
        expect(total).toBeLessThanOrEqual(4096);
      }
    }),
  );
});

test('the first of two headers of one name wins', () => {
  const progress = new HeadParser().push(
    Buffer.from('HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\n__proto__: x\r\n\r\n'),
  );
  if (progress.is !== 'head') throw new Error('no head');
  expect(progress.head.headers.get('a')).toBe('1');
});

test('chunked transfer is undone however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 10 }),
      fc.integer({ min: 1, max: 50 }),
      (chunks, step) => {
        const parts = chunks.flatMap(
          (chunk) => [`${chunk.length.toString(16)};x=y\r\n`, chunk, '\r\n'] as const,
        );
        const bytes = Buffer.concat([...parts.map((part) => Buffer.from(part)), Buffer.from('0\r\n\r\n')]);
        const decoder = new ChunkedDecoder();
        const out: Buffer[] = [];
        let last = '';
        for (let at = 0; at < bytes.length && last !== 'end'; at += step) {
          const result = decoder.push(bytes.subarray(at, at + step));
          out.push(...result.data);
          last = result.is;
        }
        expect(last).toBe('end');
        expect(Buffer.concat(out).equals(Buffer.concat(chunks))).toBe(true);
      },
    ),
  );
});

test.each(['zz\r\n', '5 \r\nabcdeX\r\n', `${'0'.repeat(400)}`, '123456789\r\n', '-1\r\n'])(
  'chunks such as %j are broken',
  (text) => {
    expect(new ChunkedDecoder().push(Buffer.from(text)).is).toBe('bad');
  },
);
