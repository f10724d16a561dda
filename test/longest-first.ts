import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest files of each project, longest first: begun last, they would run on alone while the other workers have nothing left. */
const LONGEST = [
  'unit/relay/relay',
  'unit/relay/ffmpeg-encoder',
  'unit/audio/ffmpeg-decoder',
  'unit/wiring/alerting',
  'unit/audio/shared-decoder',
  'unit/wiring/station-relay',
  'unit/cli/process',
  'unit/docs/docs',
  'unit/cli/simulate',
  'unit/audio/misbehaving-decoder',
  'unit/relay/publisher',
  'unit/platform/child',
  'unit/web/sign-in',
  'unit/docs/reference',
  'scenario/failover-guards',
  'scenario/server-failover',
  'scenario/promises',
  'scenario/standstill',
  'scenario/failover-promises',
  'scenario/guards',
  'scenario/cut-off',
  'native/faults',
  'native/soak',
  'native/chain-loudness',
  'native/decoder-host',
  'e2e/relay-tour',
  'e2e/tour',
  'e2e/dashboard',
  'e2e/relay-publish',
  'e2e/encoders',
  'e2e/dns-cluster',
  'e2e/server-lost',
  'e2e/programme-faults',
  'e2e/stop-and-restart',
  'e2e/relay-two-servers',
  'e2e/alerts',
  'e2e/measure',
  'e2e/carried-monitors',
  'e2e/our-own-faults',
  'e2e/decoder-host',
  'e2e/rig',
  'e2e/relay-net',
  'e2e/icecast-admin',
  'e2e/reload',
  'e2e/destinations',
  'e2e/docs-commands',
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return place < 0 ? LONGEST.length : place;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
