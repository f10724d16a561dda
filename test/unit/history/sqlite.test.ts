import { afterEach, describe, expect, test, vi } from 'vitest';
import { whyNotLoaded } from '../../../src/history/sqlite.ts';

/** What Node 22 says of what Node 20 compiled, to the letter. */
const OF_ANOTHER_NODE = `The module '/usr/lib/sustain/native-bindings/build/better_sqlite3.node'
was compiled against a different Node.js version using
NODE_MODULE_VERSION 115. This version of Node.js requires
NODE_MODULE_VERSION 127. Please try re-compiling or re-installing
the module (for instance, using \`npm rebuild\` or \`npm install\`).`;

/** As Node does: all of it to the first who asks in a process, and less to everybody after. */
class OfAnotherNode {
  static #asked = false;

  constructor() {
    const message = OfAnotherNode.#asked
      ? "Module did not self-register: 'better_sqlite3.node'."
      : OF_ANOTHER_NODE;
    OfAnotherNode.#asked = true;
    throw Object.assign(new Error(message), { code: 'ERR_DLOPEN_FAILED' });
  }
}

afterEach(() => {
  vi.doUnmock('better-sqlite3');
  vi.resetModules();
});

describe('SQLite that this Node cannot load', () => {
  test('is told with its reason each time, so that the alert has it as well as the log', async () => {
    vi.resetModules();
    vi.doMock('better-sqlite3', () => ({ default: OfAnotherNode }));
    const { openDatabase } = await import('../../../src/history/sqlite.ts');
    for (let time = 0; time < 2; time += 1)
      expect(() => openDatabase('/nowhere/history.db')).toThrow(/SQLite here was built for Node 20/);
  });

  test('names both Nodes and what to install, and clears the disk of it', () => {
    const said = whyNotLoaded(OF_ANOTHER_NODE, '22.23.3');
    expect(said).toContain('nothing is wrong with the disk');
    expect(said).toContain('this is Node 22.23.3 (NODE_MODULE_VERSION 127)');
    expect(said).toContain('was built for Node 20 (115). Install Node 20');
    expect(said).not.toContain('npm rebuild');
  });

  test('of a Node that has no name here is told by its number', () => {
    const said = whyNotLoaded(OF_ANOTHER_NODE.replace('115', '201'), '22.23.3');
    expect(said).toContain('was built for another Node (201)');
  });

  test('for any other reason says that reason', () => {
    expect(whyNotLoaded("libc.so.6: version `GLIBC_2.99' not found")).toContain('GLIBC_2.99');
  });
});
