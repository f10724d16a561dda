// `npm run package`: the .deb, in dist/package/. `-- --version 0.1.1` names another version, for tests of an upgrade;
// `--quick` does not compress, `--built` takes dist/ as it is.

import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeBom } from './bom.mjs';
import { manifest, nodeDependency, shipTo } from './shipped.mjs';
import { Explained, filesUnder, onPath, root, runQuietly, step } from './steps.mjs';

const { values } = parseArgs({
  options: {
    version: { type: 'string' },
    out: { type: 'string' },
    quick: { type: 'boolean' },
    built: { type: 'boolean' },
  },
});
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

const source = (...parts) => join(root, '.deploy', ...parts);
const isProgram = (path) =>
  /\/(usr\/bin|DEBIAN|native-bindings\/build)\/[a-z-]+$/.test(path) && !/(control|md5sums)$/.test(path);

/** Everything that the package brings, in a tree of its own. */
function layOut(tree, version) {
  const put = (path, text) => {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), text);
  };
  const copy = (from, to) => put(to, readFileSync(from));
  shipTo(join(tree, 'usr/lib/sustain'), version);
  // The program says the version that the package has.
  const versionFile = join(tree, 'usr/lib/sustain/dist/src/version.js');
  writeFileSync(versionFile, readFileSync(versionFile, 'utf8').replace(/'[^']*'/, `'${version}'`));
  copy(source('debian/sustain'), 'usr/bin/sustain');
  for (const unit of ['sustain.service', 'sustain.path'])
    copy(source('systemd', unit), `lib/systemd/system/${unit}`);
  copy(source('debian/default'), 'usr/share/sustain/default');
  mkdirSync(join(tree, 'etc/sustain/secrets'), { recursive: true });
  const documents = 'usr/share/doc/sustain';
  for (const name of ['README.md', 'CHANGELOG.md']) copy(join(root, name), `${documents}/${name}`);
  copy(join(root, 'LICENSE'), `${documents}/copyright`);
  cpSync(join(root, 'docs'), join(tree, documents, 'docs'), { recursive: true });
  writeBom(join(tree, documents));
}

function control(tree, version, architecture) {
  const files = filesUnder(tree).map((path) => path.slice(tree.length + 1));
  const sizeKib = Math.ceil(files.reduce((sum, path) => sum + statSync(join(tree, path)).size, 0) / 1024);
  const hash = (path) =>
    createHash('md5')
      .update(readFileSync(join(tree, path)))
      .digest('hex');
  const sums = files.map((path) => `${hash(path)}  ${path}\n`);
  mkdirSync(join(tree, 'DEBIAN'));
  const facts = {
    VERSION: version,
    ARCHITECTURE: architecture,
    SIZE_KIB: String(sizeKib),
    NODE: nodeDependency(),
  };
  const text = readFileSync(source('debian/control'), 'utf8').replace(/@(\w+)@/g, (_all, key) => facts[key]);
  writeFileSync(join(tree, 'DEBIAN/control'), text);
  writeFileSync(join(tree, 'DEBIAN/md5sums'), sums.join(''));
  for (const name of ['postinst', 'prerm', 'postrm'])
    cpSync(source('debian', name), join(tree, 'DEBIAN', name));
}

/** The same input gives the same package: no mode and no time of this machine is in it. */
function settle(folder, seconds) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settle(path, seconds);
    else chmodSync(path, isProgram(path) ? 0o755 : 0o644);
    lutimesSync(path, seconds, seconds);
  }
  chmodSync(folder, folder.endsWith('etc/sustain/secrets') ? 0o700 : 0o755);
}

async function build() {
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || architecture === undefined)
    throw new Explained(
      `a .deb is built on Linux for amd64 or arm64; this is ${process.platform} ${process.arch}`,
    );
  if (!onPath('dpkg-deb')) throw new Explained('dpkg-deb is missing: build the .deb on Debian or Ubuntu');
  const version = values.version ?? manifest().version;
  const tree = mkdtempSync(join(tmpdir(), 'sustain-deb-'));
  try {
    await step('program', async () => {
      if (!values.built) await runQuietly('npm', ['run', 'build']);
      for (const part of ['build.mjs', 'build-sqlite.mjs'])
        await runQuietly('node', [join('native-bindings', part)]);
      layOut(tree, version);
      control(tree, version, architecture);
    });
    const when = (await runQuietly('git', ['log', '-1', '--format=%ct']).catch(() => '')) || '1700000000';
    settle(tree, Number(when));
    const out = values.out ?? join(root, 'dist', 'package');
    mkdirSync(out, { recursive: true });
    const file = join(out, `sustain_${version}_${architecture}.deb`);
    await step('dpkg-deb', () =>
      runQuietly(
        'dpkg-deb',
        ['--root-owner-group', ...(values.quick ? ['-Znone'] : ['-Zxz', '-z3']), '--build', tree, file],
        {
          env: { ...process.env, SOURCE_DATE_EPOCH: when },
        },
      ),
    );
    console.log(`${file} (${(statSync(file).size / 1024 / 1024).toFixed(1)} MiB)`);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

try {
  await build();
} catch (thrown) {
  if (!(thrown instanceof Explained)) throw thrown;
  console.error(`\n${thrown.message}`);
  process.exit(1);
}
