#!/usr/bin/env node
// better-sqlite3's install script asks this name to download a binary from GitHub. Nothing is: `native-bindings/build.mjs`
// compiles it from the sources in its npm package, with the headers of the Node that runs.
