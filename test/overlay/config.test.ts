// SPDX-License-Identifier: Apache-2.0
// Keys of WireGuard in Flannel's net-conf.json: what is read, and what is refused with a word.
import { expect, test } from 'vitest';
import { networkOf } from '../../agent/overlay/config.ts';

const network = (backend: object) =>
  networkOf('pods', { Network: '10.244.0.0/16', Backend: { Type: 'wireguard', ...backend } });

test.each([
  [{}, 51_820],
  [{ ListenPort: 51_821 }, 51_821],
  [{ Port: 51_822 }, 51_822],
  [{ ListenPort: 51_823, Port: 51_823 }, 51_823],
  [{ ListenPort: 51_821, Type: 'vxlan' }, 8472],
])('%j: port %i', (backend, port) => {
  expect(network(backend)).toMatchObject({ port });
});

test.each([
  [{ ListenPort: 1, Port: 2 }, '"Port" is 2 and "ListenPort" 1: leave one'],
  [{ ListenPort: '1' }, '"ListenPort" must be a number'],
  [{ PSK: 'secret' }, '"PSK" of "Backend" is not taken, as there are no shared keys'],
  [{ Mode: 'separate' }, '"Mode" of "Backend" is not taken, as one device serves both families'],
])('%j is refused', (backend, said) => {
  expect(() => network(backend)).toThrow(said);
});

test('empty, they say nothing; other backends ignore them', () => {
  expect(network({ PSK: '', Mode: '' })).toMatchObject({ type: 'wireguard' });
  expect(network({ PSK: 'secret', Type: 'geneve' })).toMatchObject({ port: 6081 });
});
