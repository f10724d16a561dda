import { describe, expect, it } from 'vitest';
import {
  type HostAnswer,
  HostAnswers,
  hostRequests,
  MOST_REQUEST_BYTES,
} from '../../../src/audio/host-messages.ts';

/** As the decoder process writes it. */
function answer(kind: number, stream: number, body: Uint8Array): Buffer {
  return Buffer.concat([new Uint8Array(Uint32Array.of(kind, stream, body.length).buffer), body]);
}

const sound = (stream: number, ...samples: number[]) =>
  answer(17, stream, new Uint8Array(Float32Array.from(samples).buffer));

/** What was told, with sound as plain numbers. */
function heard(chunks: Iterable<Uint8Array>): unknown[] {
  const told: unknown[] = [];
  const answers = new HostAnswers();
  const tell = (one: HostAnswer) => told.push(one.is === 'sound' ? { ...one, pcm: [...one.pcm] } : one);
  for (const chunk of chunks) if (!answers.push(chunk, tell)) told.push('broken');
  return told;
}

describe('answers of the decoder process', () => {
  const all = Buffer.concat([
    sound(1, 0.5, -0.5, 0.25, -0.25),
    answer(18, 2, new Uint8Array(0)),
    answer(19, 3, Buffer.from('no MP3 in it')),
    sound(4, 1, 2),
  ]);
  const meant = [
    { is: 'sound', stream: 1, pcm: [0.5, -0.5, 0.25, -0.25] },
    { is: 'taken', stream: 2 },
    { is: 'rejected', stream: 3, because: 'no MP3 in it' },
    { is: 'sound', stream: 4, pcm: [1, 2] },
  ];

  it.each([1, 2, 3, 5, 12, 13, 29, 1_000])('are understood in pieces of %i bytes', (size) => {
    const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
      // As a pipe gives them: each a Buffer with memory of its own.
      Buffer.from(Uint8Array.from(all.subarray(index * size, (index + 1) * size)).buffer),
    );
    expect(heard(chunks)).toEqual(meant);
  });

  it('are not copied where a chunk holds them whole', () => {
    const chunk = Uint8Array.from(all);
    const buffers: ArrayBufferLike[] = [];
    new HostAnswers().push(chunk, (one) => {
      if (one.is === 'sound') buffers.push(one.pcm.buffer);
    });
    expect(buffers).toEqual([chunk.buffer, chunk.buffer]);
  });

  it('of no known kind, or longer than any sound, end the understanding', () => {
    expect(heard([answer(5, 1, new Uint8Array(0))])).toEqual(['broken']);
    expect(heard([new Uint8Array(Uint32Array.of(17, 1, 0xffff_ffff).buffer)])).toEqual(['broken']);
  });
});

describe('requests to the decoder process', () => {
  it('carry a limited number of bytes each, and all of them in order', () => {
    const bytes = Uint8Array.from({ length: 2 * MOST_REQUEST_BYTES + 5 }, (_, index) => index % 251);
    const parts = hostRequests('bytes', 7, bytes);
    const heads = parts.filter((_, index) => index % 2 === 0);
    const bodies = parts.filter((_, index) => index % 2 === 1);
    expect(heads.map((head) => [...new Uint32Array(head.buffer)])).toEqual([
      [2, 7, MOST_REQUEST_BYTES],
      [2, 7, MOST_REQUEST_BYTES],
      [2, 7, 5],
    ]);
    expect(Buffer.concat(bodies).equals(bytes)).toBe(true);
  });

  it('without bytes are one', () => {
    expect(hostRequests('open', 3).map(({ length }) => length)).toEqual([12, 0]);
  });
});
