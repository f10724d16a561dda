// Builds the dashboard out of src/web/dashboard/ into dist/dashboard/, where the agent takes it from: part of `npm run build`.
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { build } from 'vite';
import { BUNDLED } from './shipped.mjs';

const root = join(import.meta.dirname, '..');

/** What the page is made of beside our own has a licence of its own, which `npm run bom` has to know of. */
const namesWhatItBundles = {
  name: 'names-what-it-bundles',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((chunk) => Object.entries(chunk.modules ?? {}));
    const found = modules
      .filter(([, { renderedLength }]) => renderedLength > 0)
      .map(([id]) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1])
      .filter((name) => name !== undefined);
    const wrong = [...new Set([...found, ...BUNDLED])].filter(
      (name) => !(found.includes(name) && BUNDLED.includes(name)),
    );
    if (wrong.length > 0)
      throw new Error(`BUNDLED in .dev/shipped.mjs and the page don't agree on: ${wrong.join(', ')}`);
  },
};

await build({
  configFile: false,
  root: join(root, 'src', 'web', 'dashboard'),
  logLevel: 'warn',
  plugins: [
    svelte({
      configFile: false,
      // What the compiler warns of (of labels and keyboards, above all) is a fault of the page.
      onwarn: (warning) => {
        throw new Error(`${warning.filename}: ${warning.code}: ${warning.message}`);
      },
    }),
    namesWhatItBundles,
  ],
  build: {
    outDir: join(root, 'dist', 'dashboard'),
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy lets nothing in that stands in the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
