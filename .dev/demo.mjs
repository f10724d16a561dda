// `npm run demo`: makes everything ready and becomes `sustain demo`. Arguments go on: `npm run demo -- --tour`.
import { join } from 'node:path';
import { prepareOrExit } from './prepare.mjs';
import { onPath, root, runHere } from './steps.mjs';

await prepareOrExit('demo');
const program = [
  process.execPath,
  join(root, 'dist', 'src', 'cli', 'main.js'),
  'demo',
  ...process.argv.slice(2),
];
// Should this script be killed, the kernel tells the demo, and the demo ends what it started.
const [command, ...args] = onPath('setpriv') ? ['setpriv', '--pdeathsig', 'TERM', '--', ...program] : program;
process.exit(await runHere(command, args, { cwd: process.cwd() }));
