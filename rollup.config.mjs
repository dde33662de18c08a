// SPDX-License-Identifier: Apache-2.0
// The Node host in two scripts: the program, and its command line, which a plugin call does not
// load. Types are stripped by Node's own stripper, so that the bundle is made of exactly the source
// that runs unbundled.
import { stripTypeScriptTypes } from 'node:module';

const strip = {
  name: 'strip-types',
  transform(code, id) {
    if (id.endsWith('.ts')) return { code: stripTypeScriptTypes(code), map: null };
    if (id.endsWith('package.json')) {
      const { version } = JSON.parse(code);
      return { code: `export default ${JSON.stringify({ version })};`, map: null };
    }
    return null;
  },
};

/**
 * `import … from 'node:fs'` makes Node build an ES module around fs, which costs more time than a
 * whole ADD; getBuiltinModule gives the same object for nothing.
 */
const builtins = {
  name: 'builtins',
  renderChunk(code) {
    return code
      .replaceAll(
        /^import (\{[^}]*\}) from '(node:[^']+)';$/gm,
        (_, names, module) =>
          `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule('${module}');`,
      )
      .replaceAll(/\brequire\('(node:[^']+)'\)/g, "process.getBuiltinModule('$1')");
  },
};

/** A script has no import.meta; in the executable nothing lies beside it anyway. */
const noUrl = { name: 'no-url', resolveImportMeta: () => "''" };

const input = { input: 'host-node/main.ts', external: [/^node:/] };

export default [
  {
    ...input,
    plugins: [strip, builtins],
    output: { file: 'dist/fairlead.mjs', format: 'es', banner: '#!/usr/bin/env node' },
  },
  {
    ...input,
    plugins: [strip, builtins, noUrl],
    // A function around it keeps its names out of the global scope.
    output: { file: 'dist/.fairlead.js', format: 'cjs', banner: '(() => {', footer: '})();' },
  },
  {
    input: 'host-node/cli/main.ts',
    external: [/^node:/],
    plugins: [strip, builtins, noUrl],
    output: {
      file: 'dist/fairlead-cli.js',
      format: 'cjs',
      banner: '(() => { const exports = {};',
      footer: 'return exports; })();',
    },
  },
];
