import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of minutes, longest first: begun last, they would run on alone while the other workers have nothing left. */
const LONGEST = [
  'relay-tour',
  'tour',
  'server-lost',
  'dns-cluster',
  'encoders',
  'programme-faults',
  'relay-publish',
  'rig',
  'dashboard',
  'docs-commands',
  'stop-and-restart',
  'carried-monitors',
  'measure',
  'relay-two-servers',
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/e2e/${name}.test.ts`));
  return place < 0 ? LONGEST.length : place;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
