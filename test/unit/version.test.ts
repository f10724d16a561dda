import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { monitorId, serverName } from '../../src/domain/ids.ts';
import { PLAIN_USER_AGENT, userAgentOf } from '../../src/icecast/user-agent.ts';
import { VERSION } from '../../src/version.ts';

const packageJson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

test('the version that the command prints is that of the package', () => {
  expect(VERSION).toBe(packageJson.version);
});

test('the version that servers see in the User-Agent is that of the package', () => {
  const monitor = userAgentOf({ role: 'monitor', agent: serverName('london'), id: monitorId('a1') });
  expect(PLAIN_USER_AGENT).toBe(`Sustain/${packageJson.version}`);
  expect(monitor).toContain(`Sustain/${packageJson.version} (`);
});
