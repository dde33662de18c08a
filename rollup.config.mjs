// One bundle of the Node host. Types are stripped by Node's own stripper, so that the bundle is
// made of exactly the source that runs unbundled.
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
    return code.replaceAll(
      /^import (\{[^}]*\}) from '(node:[^']+)';$/gm,
      (_, names, module) =>
        `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule('${module}');`,
    );
  },
};

export default {
  input: 'host-node/main.ts',
  external: [/^node:/],
  plugins: [strip, builtins],
  output: { file: 'dist/fairlead.mjs', format: 'es', banner: '#!/usr/bin/env node' },
};
