// SPDX-License-Identifier: Apache-2.0
// The Node host in three scripts: the program, its command line, which a plugin call does not
// load, and what only an agent in a Kubernetes cluster loads. Types are stripped by Node's own
// stripper, so that the bundle is made of exactly the source that runs unbundled.
import { isBuiltin, stripTypeScriptTypes } from 'node:module';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';

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

/** For a bundle with packages of npm: they have no types to strip, and a package.json as it is. */
export const stripOwn = {
  name: 'strip-own',
  transform: (code, id) => (id.endsWith('.ts') ? strip.transform(code, id) : null),
};

/** What they require is Node's own, by either of its names. */
const npmBuiltins = {
  name: 'npm-builtins',
  renderChunk: (code) =>
    code.replaceAll(/\brequire\('(?:node:)?([\w/]+)'\)/g, (all, name) =>
      isBuiltin(`node:${name}`) ? `process.getBuiltinModule('node:${name}')` : all,
    ),
};

function quiet(level, log, handler) {
  if (log.code === 'CIRCULAR_DEPENDENCY' || log.code === 'THIS_IS_UNDEFINED') return;
  handler(level, log);
}

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
  {
    input: 'agent/overlay/sources/kubernetes/source.ts',
    external: [/^node:/],
    plugins: [stripOwn, nodeResolve({ preferBuiltins: true }), commonjs(), json(), npmBuiltins],
    // Libraries of npm import one another in circles, and use this at their top.
    onLog: quiet,
    output: {
      file: 'dist/fairlead-kubernetes.js',
      format: 'cjs',
      banner: '(() => { const exports = {};',
      footer: 'return exports; })();',
      inlineDynamicImports: true,
    },
  },
];
