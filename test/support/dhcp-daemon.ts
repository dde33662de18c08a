// SPDX-License-Identifier: Apache-2.0
// A DHCP daemon on a real socket that says what that of the simulated kernel says, so that fixtures
// run on the real one. Started by ground.ts: PATH LINE FILE; its line as it is now lies in FILE.
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from './wasm.ts';

const [, , path = '', line = '', file = ''] = process.argv;
const WELCOME_END = '\n\n';
const simulated = simulatedDriver(wasmModule('sim'), line);
const name = line.split(' ')[1] ?? '';

function keep(): void {
  const now = simulated
    .dump()
    .split('\n')
    .find((one) => one.startsWith('dhcp '));
  writeFileSync(`${file}.new`, now ?? '');
  renameSync(`${file}.new`, file);
}

keep();
const { says } = JSON.parse(line.slice(line.indexOf('{'))) as { says?: string };
const server = createServer({ allowHalfOpen: true }, (socket) => {
  if (says !== undefined) {
    socket.end(says);
    return;
  }
  let heard = Buffer.alloc(0);
  let opening = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
    const end = heard.indexOf(WELCOME_END);
    if (opening.length > 0 || end < 0) {
      answer();
      return;
    }
    opening = heard.subarray(0, end + WELCOME_END.length);
    heard = heard.subarray(opening.length);
    socket.write('HTTP/1.0 200 Connected to Go RPC\n\n');
  });
  socket.on('end', () => {
    if (opening.length > 0 && heard.length > 0) answer(true);
    socket.end();
  });
  socket.on('error', () => {});
  let answered = 0;
  function answer(whole = false): void {
    // A client of Go does not say that it is done: what is a whole call is answered.
    try {
      const said = simulated.socket_call({ path: name, opening, request: heard, timeout_ms: 0 });
      if (answered++ > 0) return;
      keep();
      const text = Buffer.from(said);
      socket.write(text.subarray(text.indexOf(WELCOME_END) + WELCOME_END.length));
    } catch (error) {
      if (whole) socket.destroy(error as Error);
    }
  }
});
server.listen(path, () => chmodSync(path, 0o600));
