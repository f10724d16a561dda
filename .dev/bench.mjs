// `npm run bench`: all of test/bench, or those whose name contains a word given: `npm run bench -- legs`.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepareOrExit } from './prepare.mjs';
import { root, runHere } from './steps.mjs';

await prepareOrExit('test');
const folder = join(root, 'test', 'bench');
const isBench = (name) => name.endsWith('.bench.mjs');
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const options = process.argv.slice(2).filter((word) => word.startsWith('-'));
const chosen = readdirSync(folder)
  .filter(isBench)
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(
    `No bench matches. There are: ${readdirSync(folder).filter(isBench).join(', ') || 'none yet'}`,
  );
  process.exit(1);
}
let failed = false;
for (const name of chosen) {
  console.log(`\n=== ${name}`);
  if ((await runHere(process.execPath, [join(folder, name), ...options])) !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
