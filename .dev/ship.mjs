// For the image: the program and what it needs at run time, put into a folder.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shipTo } from './shipped.mjs';
import { root } from './steps.mjs';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node .dev/ship.mjs FOLDER');
  process.exit(2);
}
shipTo(folder, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
cpSync(join(root, '.dev', 'health.mjs'), join(folder, 'health.mjs'));
