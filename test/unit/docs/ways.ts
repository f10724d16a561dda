import { parse } from 'yaml';
import { configJsonSchema } from '../../../src/config/index.ts';
import type { Block } from '../../docs-blocks.ts';

/** A config, or a part of one that is put into a whole; all of them are loaded by docs.test.ts. */
export function isConfig({ key, language, text }: Block): boolean {
  if (language !== 'yaml' || key in WAYS) return false;
  const known = Object.keys(configJsonSchema().properties ?? {});
  return Object.keys((parse(text, { schema: 'failsafe' }) as object | null) ?? {}).some((one) =>
    known.includes(one),
  );
}

/** Where the whole text of a block is run or parsed: a test that asks for it by its key. */
interface Tested {
  readonly by: string;
}

/** A line that only a server can run, and what of it stands, word for word, in the story that `npm run test:deploy` plays. */
interface Played {
  readonly line: string;
  readonly played: string;
  readonly in?: string;
}

/** What is to be looked at and not run. */
interface Drawing {
  readonly drawing: string;
}

export type Way = Tested | Played | Drawing;

export const STORY = 'test/deploy/story.mjs';
const PARTS: Tested = { by: 'test/unit/docs/parts.test.ts' };
const SHELL: Tested = { by: 'test/unit/docs/shell.test.ts' };
const HOUSE: Tested = { by: 'test/e2e/docs-commands.test.ts' };
const ENCODERS: Tested = { by: 'test/e2e/docs-encoders.test.ts' };
const INSTALL = 'apt-get install -y -q';

/** How each block of the pages is known to be right; configs and the reference, which is made by a test, aside. */
export const WAYS: Readonly<Record<string, readonly Way[]>> = {
  'README.md sh 1': [
    ENCODERS,
    { line: 'npm test', played: '"test": "node .dev/test.mjs"', in: 'package.json' },
  ],
  'README.md sh 2': [
    HOUSE,
    // In a folder of its own, as it begins with taking all packages away: the image's steps, by `npm run test:image`.
    { line: 'npm ci && npm run build', played: 'npm ci', in: 'Dockerfile' },
    { line: 'npm ci && npm run build', played: 'npm run build', in: 'Dockerfile' },
  ],
  'CONTRIBUTING.md text 1': [{ drawing: 'the house in one picture' }],
  'docs/architecture.md plain 1': [{ drawing: 'the way of the sound' }],
  'docs/alerts.md json 1': [PARTS],
  'docs/api.md json 1': [PARTS],
  'docs/deploy/docker.md sh 1': [SHELL],
  'docs/deploy/systemd.md sh 1': [SHELL],
  'docs/deploy/systemd.md sh 2': [{ line: 'systemctl reload sustain', played: 'systemctl reload sustain' }],
  'docs/deploy/upgrade.md sh 1': [
    { line: 'apt-get install ./sustain_0.1.1_amd64.deb', played: INSTALL },
    HOUSE,
  ],
  'docs/deploy/upgrade.md sh 2': [
    {
      line: 'apt-get install --allow-downgrades ./sustain_0.1.0_amd64.deb',
      played: `${INSTALL} --allow-downgrades`,
    },
  ],
  'docs/deploy/upgrade.md sh 3': [
    {
      line: 'SUSTAIN_PREVIOUS_DEB=sustain_0.1.0_amd64.deb npm run test:deploy',
      played: 'process.env.SUSTAIN_PREVIOUS_DEB',
    },
    {
      line: 'SUSTAIN_PREVIOUS_CLI=/usr/lib/sustain/dist/src/cli/main.js npm run test:long -- test/long/neighbouring-versions.test.ts',
      played: "process.env['SUSTAIN_PREVIOUS_CLI']",
      in: 'test/long/neighbouring-versions.test.ts',
    },
  ],
  'docs/dns.md json 1': [PARTS],
  'docs/dns.md plain 1': [PARTS],
  'docs/dns.md plain 2': [PARTS],
  'docs/dns.md sh 1': [{ by: 'test/e2e/dns-cluster.test.ts' }],
  'docs/dns.md sh 2': [{ by: 'test/e2e/dns-operator.test.ts' }],
  'docs/guard.md xml 1': [PARTS, ENCODERS],
  'docs/history.md sh 1': [HOUSE],
  'docs/history.md sh 2': [HOUSE],
  'docs/history.md sh 3': [HOUSE],
  'docs/how-to/encoders.md ini 1': [PARTS],
  'docs/how-to/encoders.md ini 2': [{ by: 'test/long/butt.test.ts' }],
  'docs/how-to/encoders.md liquidsoap 1': [ENCODERS, { by: 'test/unit/docs/docs.test.ts' }],
  'docs/how-to/encoders.md sh 1': [ENCODERS],
  'docs/how-to/hold.md sh 1': [HOUSE],
  'docs/how-to/hold.md sh 2': [HOUSE],
  'docs/how-to/planned-silence.md sh 1': [HOUSE],
  'docs/how-to/planned-silence.md sh 2': [HOUSE],
  'docs/how-to/report.md sh 1': [HOUSE, SHELL],
  'docs/how-to/report.md sh 2': [HOUSE],
  'docs/how-to/report.md sh 3': [HOUSE],
  'docs/many-stations.md ini 1': [PARTS],
  'docs/many-stations.md yaml 1': [PARTS],
  'docs/relay.md xml 1': [PARTS, ENCODERS],
  'docs/simulate.md sh 1': [{ by: 'test/e2e/simulate.test.ts' }],
  'docs/simulate.md yaml 1': [PARTS],
  'docs/tutorial.md sh 1': [{ line: 'npm run package', played: "'.dev/package.mjs'" }],
  'docs/tutorial.md sh 2': [
    { line: 'apt-get install icecast2', played: "'icecast2'" },
    { line: 'apt-get install ./sustain_0.1.0_amd64.deb', played: INSTALL },
  ],
  'docs/tutorial.md sh 3': [
    {
      line: 'sustain init --config /etc/sustain/sustain.yaml --icecast-xml /etc/icecast2/icecast.xml',
      played: '--config /etc/sustain/sustain.yaml',
    },
    {
      line: 'sustain init --config /etc/sustain/sustain.yaml --icecast-xml /etc/icecast2/icecast.xml',
      played: '--icecast-xml /etc/icecast2/icecast.xml',
    },
  ],
  'docs/tutorial.md sh 4': [SHELL],
  'docs/tutorial.md sh 5': [SHELL],
  'docs/tutorial.md sh 6': [SHELL],
  'docs/tutorial.md sh 7': [
    HOUSE,
    {
      line: 'sustain check --config /etc/sustain/sustain.yaml',
      played: 'sustain check --config /etc/sustain/sustain.yaml',
    },
  ],
};
