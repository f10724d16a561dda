import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EXAMPLE_ENV } from '../../../fixtures/config/catalogue.ts';
import {
  type Config,
  type DnsConfig,
  loadConfig,
  loadConfigText,
  policyOf,
} from '../../../src/config/index.ts';
import type { AddressRecord } from '../../../src/dns/index.ts';
import { FAILOVER_DEFAULTS, policyFor } from '../../../src/simulate/station.ts';
import {
  failoverPolicy,
  namesOf,
  otherAddressesOf,
  providerSettings,
  publicAddressOf,
} from '../../../src/wiring/failover-settings.ts';
import { publishedIn, recordsFor } from '../../../src/wiring/zone.ts';

const folder = fileURLToPath(new URL('../../../fixtures/config/valid/', import.meta.url));

function withDns(loaded: Awaited<ReturnType<typeof loadConfig>>): { config: Config; dns: DnsConfig } {
  if (!loaded.ok) throw new Error(loaded.faults.map(({ message }) => message).join('\n'));
  if (loaded.config.dns === null) throw new Error('it has no dns');
  return { config: loaded.config, dns: loaded.config.dns };
}

test('a server is judged at its public address and asked for under the name of the station', async () => {
  const { config, dns } = withDns(await loadConfig(`${folder}two-servers.yaml`, EXAMPLE_ENV, {}));
  expect(config.servers.map((server) => publicAddressOf(server, dns))).toEqual([
    { host: '203.0.113.10', port: 8000, tls: false, name: 'stream.myfm.example' },
    { host: '198.51.100.10', port: 8000, tls: false, name: 'stream.myfm.example' },
  ]);
});

test('a server is judged with the certificate authority of its own, at a public URL too', async () => {
  const { config, dns } = withDns(await loadConfig(`${folder}names.yaml`, EXAMPLE_ENV, {}));
  const [, dublin] = config.servers;
  if (dublin === undefined) throw new Error('there is no second server');
  const ca = expect.stringContaining('BEGIN CERTIFICATE');
  const host = '198.51.100.10';
  expect(publicAddressOf(dublin, dns)).toEqual({
    host,
    port: 8443,
    tls: true,
    name: 'stream.myfm.example',
    ca,
  });
  const publicUrl = 'https://192.0.2.7:443';
  expect(publicAddressOf({ ...dublin, publicUrl }, dns)).toMatchObject({ host: '192.0.2.7', ca });
});

test('each other address of a server is tried too, and none where publicUrl stands for a way around them', async () => {
  const both = 'publicAddress: 203.0.113.10, publicAddress6: "2001:db8::10"';
  const text = twoServers(both, 'publicAddress: 198.51.100.10, publicAddress6: "2001:db8::20"').replace(
    '"2001:db8::20"',
    '"2001:db8::20", publicUrl: "http://192.168.1.2:8000"',
  );
  const { config, dns } = withDns(await loadConfigText(text, 'sustain.yaml', EXAMPLE_ENV, {}));
  expect(config.servers.map((server) => [...otherAddressesOf(server, dns)])).toEqual([
    [['2001:db8::10', { host: '2001:db8::10', port: 8000, tls: false, name: 'stream.myfm.example' }]],
    [],
  ]);
});

/** Two servers with what their entries add to it. */
const twoServers = (london: string, dublin: string) => `
server: london
servers:
  london: { url: "http://10.0.0.1:8000", ${london}, admin: { passwordEnv: ICECAST_ADMIN } }
  dublin: { url: "http://10.1.0.1:8000", ${dublin}, admin: { passwordEnv: ICECAST_ADMIN } }
stations: { myfm: { sources: [{ name: primary, mount: /primary }] } }
dns: { provider: command, command: [/bin/true], zone: myfm.example, record: stream.myfm.example }
`;

test('an IPv6 address is known again in whichever spelling the config has it', async () => {
  const text = twoServers('publicAddress6: "2001:DB8:0::0010"', 'publicAddress: 198.51.100.10');
  const { config, dns } = withDns(await loadConfigText(text, 'sustain.yaml', EXAMPLE_ENV, {}));
  const standing: AddressRecord = {
    name: 'stream.myfm.example',
    type: 'AAAA',
    addresses: ['2001:db8::10'],
    ttlSeconds: 30,
  };
  expect(publishedIn(namesOf(config, dns), { records: [standing], mark: null })).toEqual({
    is: 'server',
    server: 'london',
    amiss: null,
  });
});

test('two servers with one IPv6 address are told apart by no spelling of it', async () => {
  const text = twoServers('publicAddress6: "2001:DB8::10"', 'publicAddress6: "2001:db8:0::10"');
  const loaded = await loadConfigText(text, 'sustain.yaml', EXAMPLE_ENV, {});
  expect(loaded.ok ? [] : loaded.faults.map(({ message }) => message)).toEqual([
    expect.stringContaining('has the public address of london'),
  ]);
});

test('where publicUrl says otherwise, there', async () => {
  const text = `
server: london
servers:
  london: { url: "http://10.0.0.1:8000", publicAddress: 203.0.113.10, publicUrl: "https://192.168.1.2", admin: { passwordEnv: ICECAST_ADMIN } }
  dublin: { url: "https://10.1.0.1:8443", publicAddress: 198.51.100.10, admin: { passwordEnv: ICECAST_ADMIN } }
stations: { myfm: { sources: [{ name: primary, mount: /primary }] } }
dns: { provider: command, command: [/bin/true], zone: myfm.example, record: stream.myfm.example }
`;
  const { config, dns } = withDns(await loadConfigText(text, 'sustain.yaml', EXAMPLE_ENV, {}));
  expect(config.servers.map((server) => publicAddressOf(server, dns))).toEqual([
    { host: '192.168.1.2', port: 443, tls: true, name: 'stream.myfm.example' },
    { host: '198.51.100.10', port: 8443, tls: true, name: 'stream.myfm.example' },
  ]);
});

test('what the config says of the name reaches the decision, the provider and the records', async () => {
  const { config, dns } = withDns(await loadConfig(`${folder}names.yaml`, EXAMPLE_ENV, { witness: 'paris' }));
  expect(failoverPolicy(config, dns)).toMatchObject({
    self: 'paris',
    servers: ['london', 'dublin'],
    intervalMs: 10_000,
    fastIntervalMs: 2_000,
    fall: 4,
    rise: 3,
    silenceMs: 15_000,
    endListenersAfterMs: null,
    mode: 'cluster',
  });
  const settings = providerSettings(dns);
  expect(settings).toMatchObject({
    provider: 'rfc2136',
    server: { host: '192.0.2.53', port: 53 },
    keyName: 'sustain',
    keyAlgorithm: 'hmac-sha256',
    names: ['stream.myfm.example', 'listen.myfm.example'],
  });
  expect(JSON.stringify(settings)).not.toContain(EXAMPLE_ENV.DNS_KEY);
  const [london] = dns.prefer;
  if (london === undefined) throw new Error('no server is preferred');
  expect(
    recordsFor(namesOf(config, dns), namesOf(config, dns).addresses.get(london) ?? []).map(
      ({ name, type, addresses }) => [name, type, addresses],
    ),
  ).toEqual([
    ['stream.myfm.example', 'A', ['203.0.113.10']],
    ['stream.myfm.example', 'AAAA', ['2001:db8::10']],
    ['listen.myfm.example', 'A', ['203.0.113.10']],
    ['listen.myfm.example', 'AAAA', ['2001:db8::10']],
  ]);
});

test('what is simulated without a config is what ships', async () => {
  const text = twoServers('publicAddress: 203.0.113.10', 'publicAddress: 198.51.100.10');
  const { config, dns } = withDns(await loadConfigText(text, 'sustain.yaml', EXAMPLE_ENV, {}));
  // Its worlds end listeners after a TTL of their own.
  const { endListenersAfterMs: _, ...shipped } = failoverPolicy(config, dns);
  expect(FAILOVER_DEFAULTS).toMatchObject(shipped);
  const [station] = config.stations;
  if (station === undefined) throw new Error('it has no station');
  const { deputyAfterMs, stallMs, dwellMs, silence, flap } = policyOf(config, station);
  expect(policyFor(config.self)).toMatchObject({ deputyAfterMs, stallMs, dwellMs, flap });
  expect(policyFor(config.self).silence).toMatchObject({
    thresholdDbfs: silence.thresholdDbfs,
    tripMs: silence.tripMs,
    restoreMs: silence.restoreMs,
    soundMs: silence.soundMs,
  });
});
