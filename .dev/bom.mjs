// `npm run bom`: what ships, as a CycloneDX bill of materials, as a list of licences, and with their texts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUNDLED, licenceText, manifest, shippedPackages } from './shipped.mjs';
import { Explained, root } from './steps.mjs';

/** CycloneDX 1.5, by npm itself, cut down to what ships. */
export function billOfMaterials() {
  const npm = spawnSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (npm.status !== 0) throw new Explained(`npm sbom ended with ${npm.status}: ${npm.stderr}`);
  const bom = JSON.parse(npm.stdout);
  const shipped = new Set(shippedPackages().map(({ name, version }) => `${name}@${version}`));
  const fullName = ({ group, name }) => (group ? `${group}/${name}` : name);
  bom.components = bom.components
    .filter((one) => shipped.has(`${fullName(one)}@${one.version}`))
    // What the dashboard is made of is there for its build only, but ships all the same.
    .map((one) => ({
      ...one,
      properties: one.properties?.filter(({ name }) => name !== 'cdx:npm:package:development'),
    }));
  const own = bom.metadata.component['bom-ref'];
  const kept = new Set([own, ...bom.components.map((one) => one['bom-ref'])]);
  const forTests = Object.keys(manifest().devDependencies).filter((name) => !BUNDLED.includes(name));
  const isNeeded = (of, one) =>
    kept.has(one) && !(of === own && forTests.includes(one.slice(0, one.lastIndexOf('@'))));
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: (dependsOn ?? []).filter((one) => isNeeded(ref, one)) }));
  return bom;
}

/** Markdown, by licence. */
export function licenceList() {
  const packages = shippedPackages();
  const byLicence = Map.groupBy ? Map.groupBy(packages, (one) => one.licence) : groupByLicence(packages);
  const lines = ['# Licences of what ships', '', 'Made by `npm run bom`; Sustain itself is under MIT.', ''];
  for (const licence of [...byLicence.keys()].sort()) {
    const names = byLicence.get(licence).map(({ name, version }) => `${name} ${version}`);
    lines.push(`**${licence}**: ${[...new Set(names)].sort().join(', ')}.`, '');
  }
  lines.push('SQLite, which `better-sqlite3` compiles in, is in the public domain.', '');
  return lines.join('\n');
}

function groupByLicence(packages) {
  const groups = new Map();
  for (const one of packages) groups.set(one.licence, [...(groups.get(one.licence) ?? []), one]);
  return groups;
}

/** Every package with its licence text, for the machine that it is installed on. */
export function licenceTexts() {
  return shippedPackages()
    .map(({ name, version, licence, path }) => {
      const text = licenceText(path) ?? `(no text in the package; its package.json says ${licence})`;
      return `${name} ${version} (${licence})\n${'-'.repeat(72)}\n${text.trim()}\n`;
    })
    .join(`\n${'='.repeat(72)}\n`);
}

/** The bill of materials and the licence texts into a folder: they go wherever the program goes. */
export function writeBom(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(), null, 2)}\n`);
  writeFileSync(join(folder, 'licences.txt'), licenceTexts());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeBom(join(root, 'dist', 'bom'));
  writeFileSync(join(root, 'docs', 'licences.md'), licenceList());
  console.log(`dist/bom: sbom.cdx.json and licences.txt; docs/licences.md`);
}
