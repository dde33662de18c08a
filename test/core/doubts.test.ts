// SPDX-License-Identifier: Apache-2.0
// What ADD does although hardly anybody means it is told on standard error: addresses under which
// nobody is reached, host ports of another host's address. It owns the lines, not the states.
import { describe, expect, test } from 'vitest';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';

/** What an ADD that succeeds says on standard error. */
function said(type: string, keys: object, before = ''): string[] {
  const driver = simulatedDriver(wasmModule('sim'), `netns host\n${before}netns pod\n`);
  const env = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
  const lines: string[] = [];
  const stdin = () =>
    Buffer.from(JSON.stringify({ cniVersion: '1.0.0', name: 'net', type, ...keys }));
  const around = { stdin, log: (line: string) => lines.push(line), sleep: () => {} };
  const answer = serve(wasmModule('core'), driver, { type, env }, around);
  expect(answer.exit_code, answer.stdout).toBe(0);
  return lines;
}

describe('static', () => {
  const told = (address: string, gateway?: string): string[] =>
    said('static', { ipam: { type: 'static', addresses: [{ address, gateway }] } });
  test.each([
    ['127.0.0.5/8', 'is a loopback address'],
    ['::1/128', 'is a loopback address'],
    ['224.0.0.5/24', 'is a multicast address'],
    ['ff02::5/64', 'is a multicast address'],
    ['0.0.0.0/24', 'is the unspecified address'],
    ['10.1.2.0/24', 'is the address of the network'],
    ['10.1.2.255/24', 'is the broadcast address'],
  ])('says of %s that it %s', (address, words) => {
    expect(told(address)).toEqual([expect.stringContaining(`static: ${address} ${words}`)]);
  });
  test('says that an address is its own gateway', () => {
    expect(told('10.1.2.3/24', '10.1.2.3')).toEqual([expect.stringMatching('its own gateway')]);
  });
  test.each([
    ['10.1.2.3/24', '10.1.2.1'],
    ['10.1.2.0/31', undefined],
    ['10.1.2.0/32', undefined],
    ['fd00::/64', undefined],
    ['169.254.3.4/16', undefined],
  ])('says nothing of %s', (address, gateway) => {
    expect(told(address, gateway)).toEqual([]);
  });
});

describe('portmap', () => {
  const NODE = [
    'link up0 kind dummy up address 02:00:00:00:00:01 mtu 1500 operstate unknown',
    'addr 192.0.2.1/24 dev up0',
    'route 0.0.0.0/0 via 192.0.2.254 dev up0 proto boot',
    'route 192.0.2.0/24 dev up0 proto kernel scope link src 192.0.2.1\n',
  ].join('\n');
  const told = (hostIP?: string): string[] => {
    const mapping = { hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP };
    const prevResult = {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'eth0', sandbox: '/run/netns/pod' }],
      ips: [{ address: '10.1.1.2/24', interface: 0 }],
    };
    return said('portmap', { runtimeConfig: { portMappings: [mapping] }, prevResult }, NODE);
  };
  test('says that a hostIP is not an address of this host', () => {
    expect(told('198.51.100.7')).toEqual([
      'host port 8080/tcp: "hostIP" 198.51.100.7 is no address of this host now, and until it is ' +
        'no packet comes through: give it to an interface, or leave "hostIP" out',
    ]);
  });
  test.each(['192.0.2.1', '127.0.0.1', '0.0.0.0', undefined])('says nothing of %s', (hostIP) => {
    expect(told(hostIP)).toEqual([]);
  });
});
