// SPDX-License-Identifier: Apache-2.0
// Makes the page, dist/fairlead.html: the script of web/, its style and the three modules in one
// file that needs no other. core.wasm lies inside tools.wasm for the most part, so the three go
// through one compression. It refuses to read what tools/build-steps.mjs does not list.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';
import { stripOwn } from '../rollup.config.mjs';
import { STEPS } from './build-steps.mjs';
import { isListed } from './files.mjs';
import { withoutState } from './without-state.mjs';

const ROOT = process.cwd();
const OUTPUT = 'dist/fairlead.html';
/** As web/engine.ts unpacks them. */
const MODULES = ['tools', 'core', 'sim'].map((name) => `dist/${name}.wasm`);
/** Of zstd: the window holds all three modules. */
const LEVEL = 22;
const WINDOW_LOG = 23;
const { inputs } = STEPS.page;

const read = (path) => {
  if (!isListed(inputs, path)) throw new Error(`say in tools/build-steps.mjs: ${path}`);
  return readFileSync(join(ROOT, path));
};

/** What the table of operations says to people: nobody reads it there. */
const WORDS = ['about', 'gives', 'errors'];
const withoutWords = {
  name: 'without-words',
  transform(code, id) {
    if (!id.includes('/host-node/abi/')) return null;
    let rest = code;
    const drop = (node) => {
      if (node === null || typeof node !== 'object') return;
      if (node.type === 'Property' && WORDS.includes(node.key.name)) {
        const blank = ' '.repeat(node.end - node.start);
        const comma = rest[node.end] === ',' ? 1 : 0;
        rest = rest.slice(0, node.start) + blank + ' '.repeat(comma) + rest.slice(node.end + comma);
      } else for (const part of Object.values(node)) drop(part);
    };
    drop(this.parse(code));
    return { code: rest, map: null };
  },
};

async function script() {
  const made = await rollup({
    input: join(ROOT, 'web/main.ts'),
    plugins: [
      ...[stripOwn, withoutWords, nodeResolve({ browser: true })],
      // Functions without `this` as arrows: none here is called with `new`, as the tests click it.
      terser({ ecma: 2020, compress: { passes: 4, keep_fargs: false, unsafe_arrows: true } }),
    ],
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  const strangers = made.watchFiles
    .filter((path) => path.startsWith(ROOT))
    .map((path) => relative(ROOT, path))
    .filter((path) => !path.startsWith('node_modules/') && !isListed(inputs, path));
  if (strangers.length > 0) {
    throw new Error(`the page is made of ${strangers.join(', ')}: say so in build-steps.mjs`);
  }
  const { output } = await made.generate({ format: 'iife' });
  await made.close();
  // Nothing in it may look like the end of the element, or the beginning of a comment.
  return output[0].code.trim().replace(/<(?=\/script|!--)/gi, '\\x3C');
}

/** The style without what only people read, and the colours of the picture. */
async function style() {
  const { STYLE } = await import('../host-node/picture/svg.ts');
  const text = `${read('web/style.css')}${STYLE}`.replace(/\/\*[\s\S]*?\*\//g, '');
  return text.replace(/\s+/g, ' ').trim();
}

const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const modules = MODULES.map((path) => withoutState(read(path)));
const packed = zstdCompressSync(Buffer.concat(modules), {
  params: {
    [constants.ZSTD_c_compressionLevel]: LEVEL,
    [constants.ZSTD_c_windowLog]: WINDOW_LOG,
  },
});
const [code, css] = [await script(), await style()];
const csp = [
  "default-src 'none'",
  `script-src ${hashOf(code)} 'wasm-unsafe-eval'`,
  `style-src ${hashOf(css)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const parts = {
  CSP: csp,
  STYLE: css,
  LENGTHS: modules.map((bytes) => bytes.length).join(','),
  MODULES: packed.toString('base64'),
  SCRIPT: code,
};
// By a function: `$&` in a part is no pattern.
const html = read('web/index.html')
  .toString()
  .replace(/%(\w+)%|\/\*(\w+)\*\//g, (_, text, code) => parts[text ?? code]);
writeFileSync(join(ROOT, OUTPUT), html);
