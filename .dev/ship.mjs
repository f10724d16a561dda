// For the image: the program and what it needs at run time, put into a folder, with what it is made of and under which licences.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { writeBom } from './bom.mjs';
import { manifest, shipTo } from './shipped.mjs';
import { root } from './steps.mjs';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node .dev/ship.mjs FOLDER');
  process.exit(2);
}
shipTo(folder, manifest().version);
cpSync(join(root, '.dev', 'health.mjs'), join(folder, 'health.mjs'));
cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
writeBom(folder);
