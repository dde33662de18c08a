// SPDX-License-Identifier: Apache-2.0
// Whatever ADD refuses for the configuration's sake, validate finds before: every fixture whose ADD
// fails with error 7 is given to it. What only the call could tell is listed, with its reason.
import { describe, expect, test } from 'vitest';
import { type Report, runValidate } from '../../host-node/cli/validate.ts';
import { allFixtures } from '../support/fixture.ts';
import { fileLine, Machine } from './machine.ts';

const INVALID_CONFIG = 7;

/** Fixtures whose ADD is refused for what a runtime passed, or for what the node has. */
const OF_THE_CALL: Readonly<Record<string, string>> = {
  'dhcp/both-ipv4-daemon': 'what the daemon on the node gives',
  'dhcp/ipv6-default-gateway': 'what the server gives',
  'bridge/address-conflict': 'the bridge has another address',
  'bridge/mac-invalid': 'the MAC address comes from the runtime',
  'bridge/not-a-bridge': 'a link of that name is no bridge',
  'bridge/static-empty': 'the runtime could have passed addresses',
  'bridge/uplink-no-port': 'the uplink is no port of the bridge',
  'delegate/missing': 'a foreign program is not there',
  'delegate/null-result': 'a foreign program said so',
  'delegate/wrong-result': 'a foreign program said so',
  'ipvlan/chained-bare': 'the plugin before it gave no addresses',
  'ipvlan/chained-two': 'the plugin before it named two interfaces',
  'ipvlan/ipam-missing': 'a plugin before it could give addresses: a warning',
  'ipvlan/link-in-container-missing': 'no such link in the container',
  'ipvlan/mac-requested 1': 'the MAC address comes from the runtime',
  'ipvlan/master-default-none': 'the node has no default route',
  'ipvlan/master-in-container': 'the container has the link',
  'ipvlan/master-ipvlan': 'the link of the host is in another mode',
  'ipvlan/master-missing': 'no such link on the node',
  'ipvlan/master-on-host': 'the host has the link',
  'ipvlan/mode-host': 'a link of the host is in another mode',
  'ipvlan/mode-others': 'that of another container is in another mode',
  'host-device/device-id-missing': 'the runtime passes it',
  'host-device/device-missing': 'no such link on the node',
  'host-device/hwaddr-missing': 'no such link on the node',
  'host-device/pci-missing': 'no such device in the node',
  'host-device/uplink': 'the routes of the node',
  'macvlan/link-in-container-missing': 'no such link in the container',
  'macvlan/master-default-none': 'the node has no default route',
  'macvlan/master-in-container': 'the container has the link',
  'macvlan/master-missing': 'no such link on the node',
  'macvlan/master-on-host': 'the host has the link',
  'macvlan/mtu-too-large 1': 'the MTU of the master is less',
  'vlan/master-missing': 'no such link on the node',
  'vlan/mtu-too-large 1': 'the MTU of the master is less',
  'tap/bridge-missing': 'no such link in the container',
  'tap/bridge-other-kind': 'a link of the container',
};

interface Refused {
  readonly name: string;
  readonly config: string;
  readonly msg: string;
}

const refused: Refused[] = allFixtures().flatMap((fixture) =>
  fixture.steps.flatMap((step) => {
    const text = fixture.result(step.number);
    if (step.command !== 'ADD' || !/^\{[\s\S]*"code": 7,/.test(text)) return [];
    const { msg } = JSON.parse(text) as { msg: string };
    return [{ name: `${fixture.name} ${step.number}`, config: step.stdin, msg }];
  }),
);

function problemsOf(config: string): Report {
  const path = '/etc/cni/net.d/10-net.conf';
  const on = new Machine(`netns host\n${fileLine(path, config)}`);
  return JSON.parse(on.run((io) => runValidate([path, '--output', 'json'], io)).stdout) as Report;
}

describe('what ADD refuses with error 7', () => {
  test('is in the corpus', () => {
    expect(refused.length).toBeGreaterThan(30);
    const names = refused.flatMap(({ name }) => [name, name.split(' ')[0]]);
    expect(Object.keys(OF_THE_CALL).filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each(refused)('$name is found', ({ name, config, msg }) => {
    const errors = problemsOf(config).files.flatMap(({ problems }) =>
      problems.filter(({ severity, code }) => severity === 'error' && code === INVALID_CONFIG),
    );
    const why = OF_THE_CALL[name] ?? OF_THE_CALL[name.split(' ')[0] ?? ''];
    if (why !== undefined) expect(errors, why).toEqual([]);
    else expect(errors.length, msg).toBeGreaterThan(0);
  });
});
