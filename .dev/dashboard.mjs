// Builds the dashboard out of src/web/dashboard/ into dist/dashboard/, where the agent takes it from: part of `npm run build`.
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { build } from 'vite';

const root = join(import.meta.dirname, '..');

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
