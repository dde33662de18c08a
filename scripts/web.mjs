// SPDX-License-Identifier: Apache-2.0
// `npm run web`: builds the page and serves that one file to this machine alone. It refuses every
// other path, and every method but GET and HEAD.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { build } from '../tools/build.mjs';
import { ROOT, setup } from './setup.mjs';

const PORT = 8080;
const HELP = `npm run web [-- --port PORT]: the page, on 127.0.0.1, port ${PORT}; 0 is a free one
`;

function portOf(text) {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) {
    console.error(`web: --port is "${text}": write a number from 0 to 65535`);
    process.exit(2);
  }
  return port;
}

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "frame-ancestors 'none'",
};

/** A server of one page. */
function serve(html) {
  const etag = `"${createHash('sha256').update(html).digest('hex')}"`;
  const packed = brotliCompressSync(html);
  return createServer((request, response) => {
    const { method, url = '', headers } = request;
    const path = url.split('?', 1)[0];
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (path !== '/' && path !== '/fairlead.html') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is only /\n');
    } else if (headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
    } else {
      const brotli = /\bbr\b/.test(headers['accept-encoding'] ?? '');
      const body = brotli ? packed : html;
      const encoding = brotli ? { 'content-encoding': 'br' } : {};
      const length = { 'content-length': body.length };
      response.writeHead(200, {
        ...HEADERS,
        etag,
        vary: 'accept-encoding',
        ...encoding,
        ...length,
      });
      response.end(method === 'HEAD' ? undefined : body);
    }
  });
}

let values;
try {
  const options = { port: { type: 'string', default: String(PORT) }, help: { type: 'boolean' } };
  ({ values } = parseArgs({ options }));
} catch (error) {
  console.error(`web: ${error.message}`);
  process.exit(2);
}
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const port = portOf(values.port);
await setup('check');
await build(['page']);
const server = serve(readFileSync(join(ROOT, 'dist/fairlead.html')));
server.on('error', (error) => {
  const busy = error.code === 'EADDRINUSE' ? ': choose another by -- --port PORT' : '';
  console.error(`web: ${error.message}${busy}`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
