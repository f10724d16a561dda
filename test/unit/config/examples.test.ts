import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  EXAMPLE_ENV,
  EXAMPLE_SECRET,
  INVALID_CONFIGS,
  VALID_CONFIGS,
} from '../../../fixtures/config/catalogue.ts';
import { loadConfig, printProblems } from '../../../src/config/index.ts';

const folder = fileURLToPath(new URL('../../../fixtures/config/', import.meta.url));

describe('a valid example', () => {
  for (const [name, about] of VALID_CONFIGS) {
    it(`loads without a fault: ${about}`, async () => {
      const loaded = await loadConfig(`${folder}valid/${name}.yaml`, EXAMPLE_ENV, serverFor(name));
      expect(loaded.ok ? [] : loaded.faults).toEqual([]);
    });
  }

  it('has every file of its folder in the catalogue', () => {
    const files = readdirSync(`${folder}valid`)
      .map((file) => file.replace('.yaml', ''))
      .sort();
    expect(files).toEqual(VALID_CONFIGS.map(([name]) => name).sort());
  });
});

/** The demo names its server in the environment. */
const serverFor = (name: string) => (name === 'demo' ? { server: 'london' } : {});

describe('an invalid example', () => {
  for (const { name, about, faults: expected } of INVALID_CONFIGS) {
    it(`gives all of its faults at once, each with its place: ${about}`, async () => {
      const loaded = await loadConfig(`${folder}invalid/${name}.yaml.txt`, EXAMPLE_ENV, {});
      if (loaded.ok) expect.unreachable('the file loaded');
      else {
        const found = loaded.faults.map(({ line, column, path }) => [line, column, path]);
        expect(found).toEqual(expected.map(([line, column, path]) => [line, column, path]));
        for (const [index, fault] of loaded.faults.entries()) {
          expect(fault.message).toContain(expected[index]?.[3]);
        }
      }
    });
  }

  it('has no fault that repeats a secret', async () => {
    for (const { name } of INVALID_CONFIGS) {
      const loaded = await loadConfig(`${folder}invalid/${name}.yaml.txt`, EXAMPLE_ENV, {});
      const faults = loaded.ok ? [] : loaded.faults;
      expect(printProblems(name, [...faults, ...loaded.warnings])).not.toContain(EXAMPLE_SECRET);
    }
  });

  it('has every file of its folder in the catalogue', () => {
    const files = readdirSync(`${folder}invalid`)
      .map((file) => file.replace('.yaml.txt', ''))
      .sort();
    expect(files).toEqual(INVALID_CONFIGS.map(({ name }) => name).sort());
  });
});

describe('the printed faults', () => {
  it('look like those of a compiler', async () => {
    const loaded = await loadConfig(`${folder}invalid/out-of-range.yaml.txt`, EXAMPLE_ENV, {});
    expect(printProblems('sustain.yaml', loaded.ok ? [] : loaded.faults).split('\n')[0]).toBe(
      'sustain.yaml:10:16  stations.myfm.silence.threshold  "0 dBFS" is out of range: write a value from -90 dBFS to -10 dBFS',
    );
  });
});

describe('a witness', () => {
  const load = (file: string, witness: string) =>
    loadConfig(`${folder}valid/${file}.yaml`, EXAMPLE_ENV, { witness });

  it('stands beside no server, and needs no right to feed one', async () => {
    const loaded = await load('two-servers', 'paris');
    expect(loaded.ok ? [loaded.config.self, loaded.config.isWitness] : loaded.faults).toEqual([
      'paris',
      true,
    ]);
  });

  it('is told by the environment as well, where nobody says which server is meant', async () => {
    const loadWith = async (env: Readonly<Record<string, string>>, flags = {}) => {
      const loaded = await loadConfig(
        `${folder}valid/two-servers.yaml`,
        { ...EXAMPLE_ENV, ...env },
        { ...flags },
      );
      return loaded.ok && [loaded.config.self, loaded.config.isWitness];
    };
    expect(await loadWith({ SUSTAIN_WITNESS: 'paris' })).toEqual(['paris', true]);
    expect(await loadWith({ SUSTAIN_WITNESS: 'paris', SUSTAIN_SERVER: 'dublin' })).toEqual(['paris', true]);
    expect(await loadWith({ SUSTAIN_WITNESS: 'paris' }, { server: 'dublin' })).toEqual(['dublin', false]);
    expect(await loadWith({ SUSTAIN_WITNESS: '', SUSTAIN_SERVER: 'dublin' })).toEqual(['dublin', false]);
  });

  it('needs a name of its own, the name of a station and a cluster', async () => {
    const faultsOf = async (file: string, witness: string) => {
      const loaded = await load(file, witness);
      return loaded.ok ? [] : loaded.faults.map(({ path }) => path);
    };
    expect(await faultsOf('two-servers', 'london')).toEqual(['servers.london']);
    expect(await faultsOf('two-servers', 'A third place')).toEqual(['server']);
    expect(await faultsOf('two-stations', 'paris')).toEqual(['dns', 'cluster']);
  });
});
