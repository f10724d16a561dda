import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { icyBlock, interleave, numberedSound } from '../../../fixtures/servers/frames.ts';
import { createIcyReader, MAX_TITLE_LENGTH, parseIcyBlock } from '../../../src/icecast/icy.ts';
import { pause } from './eventually.ts';

/** Feeds pieces as a socket would and gives what came out. */
async function read(metaint: number, pieces: readonly Buffer[]) {
  const audio: Buffer[] = [];
  const titles: (string | null)[] = [];
  const lies: string[] = [];
  const reader = createIcyReader(metaint, {
    audio: (chunk) => audio.push(Buffer.from(chunk)),
    metadata: ({ title }) => titles.push(title),
    lied: (detail) => lies.push(detail),
  });
  for (const piece of pieces) reader.push(piece);
  // The transform may hand its output over a turn later.
  await pause(0);
  reader.destroy();
  return { audio: Buffer.concat(audio), titles, lies };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) =>
    bytes.subarray(index === 0 ? 0 : places[index - 1], end),
  );
}

describe('splitting sound and titles', () => {
  const sound = numberedSound(1024);
  const bytes = interleave(sound, 256, [
    icyBlock("StreamTitle='One';"),
    Buffer.from([0]),
    icyBlock("StreamTitle='Two';"),
  ]);

  test('gives the same at whatever byte the stream is cut in two', async () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      const { audio, titles, lies } = await read(256, [bytes.subarray(0, at), bytes.subarray(at)]);
      expect(audio.equals(sound)).toBe(true);
      expect(titles).toEqual(['One', 'Two']);
      expect(lies).toEqual([]);
    }
  });

  test('gives the same byte for byte', async () => {
    const { audio, titles } = await read(
      256,
      [...bytes].map((byte) => Buffer.from([byte])),
    );
    expect(audio.equals(sound)).toBe(true);
    expect(titles).toEqual(['One', 'Two']);
  });

  test('gives back any sound and any titles, however they are cut', async () => {
    const title = fc.string({ maxLength: 60, unit: 'grapheme' }).filter((text) => !/['"]/.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 256, max: 5000 }),
        fc.integer({ min: 0, max: 30_000 }),
        fc.array(title, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        async (metaint, length, titles, cuts) => {
          const original = numberedSound(length);
          const blocks = titles.map((text) => icyBlock(`StreamTitle='${text}';`));
          const result = await read(metaint, cut(interleave(original, metaint, blocks), cuts));
          expect(result.audio.equals(original)).toBe(true);
          expect(result.titles.length).toBe(Math.min(titles.length, Math.floor(length / metaint)));
          expect(result.lies).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('holds nothing back beyond the turn in which it came', async () => {
    let heard = 0;
    const reader = createIcyReader(16_000, {
      audio: (chunk) => {
        heard += chunk.length;
      },
      metadata: () => {},
      lied: () => {},
    });
    const block = interleave(numberedSound(16_000), 16_000, []);
    for (let turn = 1; turn <= 50; turn += 1) {
      reader.push(block);
      await pause(0);
      expect(heard).toBe(turn * 16_000);
    }
    reader.destroy();
  });
});

describe('an interval that lies', () => {
  test('is found after three blocks that are no titles', async () => {
    const blocks = Array.from({ length: 8 }, () => icyBlock('sound, sound and more sound'));
    const { lies } = await read(256, [interleave(numberedSound(4096), 256, blocks)]);
    expect(lies).toHaveLength(1);
  });

  test('is not believed of a server that is off by one byte', async () => {
    const blocks = Array.from({ length: 40 }, (_, index) => icyBlock(`StreamTitle='Song ${index}';`));
    const { lies, titles } = await read(1000, [interleave(numberedSound(40_000), 999, blocks)]);
    expect(lies).toHaveLength(1);
    expect(titles.length).toBeLessThan(2);
  });

  test('is not suspected of a server that spoils a block now and then', async () => {
    const blocks = Array.from({ length: 12 }, (_, index) =>
      icyBlock(index % 3 === 0 ? "StreamTitle='good';" : 'spoilt, but no lie'),
    );
    const { lies, titles } = await read(256, [interleave(numberedSound(256 * 12), 256, blocks)]);
    expect(lies).toEqual([]);
    expect(titles).toHaveLength(4);
  });

  test('is not suspected of empty blocks and blocks of NUL', async () => {
    const blocks = [
      Buffer.from([0]),
      icyBlock(Buffer.alloc(32)),
      icyBlock(Buffer.alloc(16)),
      icyBlock(Buffer.alloc(16)),
    ];
    const { lies, audio } = await read(256, [interleave(numberedSound(4096), 256, blocks)]);
    expect(lies).toEqual([]);
    expect(audio.length).toBe(4096);
  });

  test.each([0, 1, -5, 1.5, Number.NaN, 2 ** 40])(
    'of %s bytes is refused and nothing is thrown',
    async (metaint) => {
      const { lies, audio } = await read(metaint, [numberedSound(100), numberedSound(100)]);
      expect(lies).toHaveLength(1);
      expect(audio.length).toBe(0);
    },
  );

  test('never throws and never gives more than it got, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.integer({ min: 256, max: 600 }),
        async (noise, metaint) => {
          const { audio } = await read(metaint, [Buffer.from(noise)]);
          expect(audio.length).toBeLessThanOrEqual(noise.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('one block of metadata', () => {
  const title = (text: string | Uint8Array) =>
    parseIcyBlock(typeof text === 'string' ? Buffer.from(text, 'utf8') : text)?.title;

  test.each([
    ["StreamTitle='Artist - Song';StreamUrl='http://x';", 'Artist - Song'],
    ["StreamTitle='It's a 'quoted'; thing';", "It's a 'quoted'; thing"],
    ["StreamTitle='a';b';StreamUrl='';", "a';b"],
    ["StreamTitle='';", ''],
    ["StreamTitle='no end", 'no end'],
    ["StreamTitle='no semicolon'", 'no semicolon'],
    ['StreamTitle="double";', 'double'],
    ["streamtitle='lower';", 'lower'],
    ["StreamUrl='http://x';StreamTitle='after';", 'after'],
    ["StreamTitle='padded';\0\0\0\0", 'padded'],
    ["StreamTitle='007';", '007'],
    ["StreamTitle='<img src=x onerror=alert(1)>';", '<img src=x onerror=alert(1)>'],
  ])('%j has the title %j', (block, expected) => {
    expect(title(block)).toBe(expected);
  });

  test('has a web address only as text, and the first of two titles counts', () => {
    const block = "StreamTitle='x';StreamUrl='http://evil';StreamTitle='y';StreamUrl='http://good';";
    expect(parseIcyBlock(Buffer.from(block))).toEqual({ title: 'x', url: 'http://evil' });
  });

  test.each([
    ['UTF-8', Buffer.from("StreamTitle='Björk – Jóga';", 'utf8'), 'Björk – Jóga'],
    ['Latin-1', Buffer.from("StreamTitle='Björk';", 'latin1'), 'Björk'],
    ['cut UTF-8', Buffer.from([...Buffer.from("StreamTitle='a"), 0xc3, ...Buffer.from("';")]), 'aÃ'],
    ['controls', Buffer.from("StreamTitle='a\r\nb\x1b[31mc\x00d';"), 'ab[31mcd'],
    ['C1 controls', Buffer.from([...Buffer.from("StreamTitle='a"), 0x9b, 0x85, ...Buffer.from("b';")]), 'ab'],
    ['bidi overrides', Buffer.from("StreamTitle='a\u202egpj.\u2066exe';"), 'agpj.exe'],
    ['joiners of Persian', Buffer.from("StreamTitle='می\u200cخواهم';"), 'می\u200cخواهم'],
  ])('in %s is decoded and cleaned', (_name, block, expected) => {
    expect(title(block)).toBe(expected);
  });

  test('is cut at 512 characters, and no half of a character is left', () => {
    expect(title(`StreamTitle='${'x'.repeat(4000)}';`)).toHaveLength(MAX_TITLE_LENGTH);
    const emoji = title(`StreamTitle='x${'😀'.repeat(600)}';`) ?? '';
    expect(emoji.length).toBe(MAX_TITLE_LENGTH - 1);
    expect(emoji.endsWith('😀')).toBe(true);
  });

  test('that begins with no known key is none', () => {
    expect(parseIcyBlock(Buffer.from('sound'))).toBeNull();
    expect(parseIcyBlock(Buffer.alloc(16))).toBeNull();
    expect(parseIcyBlock(Buffer.alloc(0))).toBeNull();
  });
});
