// SPDX-License-Identifier: Apache-2.0
// A host port on which a process of the host listens: portmap publishes it, and says so.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NATIVE, NODE } from '../support/hosts.ts';
import { needsNft } from '../support/needs.ts';

const LISTEN = `require('node:net').createServer().listen(8080, () => console.log('up'))`;
const config = (hostPort: number, hostIP?: string) =>
  JSON.stringify({
    cniVersion: '1.0.0',
    name: 'net',
    type: 'portmap',
    runtimeConfig: { portMappings: [{ hostPort, hostIP, containerPort: 80, protocol: 'tcp' }] },
    prevResult: {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'h0' }, { name: 'eth0', sandbox: '/run/netns/pod' }],
      ips: [{ address: '10.1.1.2/24', interface: 1 }],
    },
  });
const TOLD = /host port 8080\/tcp: a process of the host listens there/;

const hosts = [NODE, NATIVE].filter(({ why }) => why === '');
describe.skipIf(needsNft !== '')(`a process of the host at a published port ${needsNft}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-listeners-'));
    writeFileSync(join(folder, 'any'), config(8080));
    writeFileSync(join(folder, 'one'), config(8080, '127.0.0.1'));
    writeFileSync(join(folder, 'free'), config(8081));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(hosts)('is told on standard error: $host', ({ host, program }) => {
    symlinkSync(program, join(folder, `${host}-portmap`));
    const said = (which: string): string =>
      execFileSync(
        'unshare',
        [
          '--net',
          '--mount',
          'sh',
          '-ec',
          `mount -t tmpfs tmpfs /run; ip netns add pod; ip link set lo up
          ip link add h0 type veth peer name eth0 netns pod
          "${process.execPath}" -e "${LISTEN}" > /run/up & trap "kill $!" EXIT
          until grep -q up /run/up; do sleep 0.05; done
          export CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/pod CNI_IFNAME=eth0
          mkdir /run/bin; cp -P "${join(folder, `${host}-portmap`)}" /run/bin/portmap
          CNI_PATH=/run/bin /run/bin/portmap < "${join(folder, which)}" 2>&1`,
        ],
        { encoding: 'utf8' },
      );
    expect(said('any')).toMatch(TOLD);
    expect(said('one')).toMatch(TOLD);
    expect(said('free')).not.toContain('listens there');
  });
});
