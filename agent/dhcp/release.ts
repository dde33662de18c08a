// SPDX-License-Identifier: Apache-2.0
// A message to a DHCP server from the namespace that the daemon lives in, for a lease whose pod is
// gone. A server does not answer a RELEASE; that it is away is what the network says.
import { createSocket } from 'node:dgram';

const SERVER_PORT = 67;
/** Longer than the kernel asks for a neighbour that is not there. */
const SILENCE_MS = 4000;

/** Sends it; `done` is told "" when nobody objects in time, else what is said. */
export function sendRelease(
  server: string,
  body: Uint8Array,
  done: (error: string) => void,
  silence_ms = SILENCE_MS,
): void {
  const socket = createSocket('udp4');
  let ended = false;
  const end = (error: string): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    socket.close();
    done(error);
  };
  const timer = setTimeout(() => end(''), silence_ms);
  // Else a daemon that ends would wait for it.
  timer.unref();
  socket.on('error', (error) => end(`${server}: ${error.message}`));
  socket.connect(SERVER_PORT, server, () => {
    socket.send(body, (error) => {
      if (error) end(`${server}: ${error.message}`);
    });
  });
}
