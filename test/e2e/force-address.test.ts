// SPDX-License-Identifier: Apache-2.0
// What becomes of an address of the node that `forceAddress` is to replace, of all that the kernel
// knows of it and of the routes that hang on it: when the ADD fails late, and when it does not.
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needsNative, needsRoot } from '../support/needs.ts';
import { callFor } from '../support/pod-call.ts';
import { openWorld } from '../support/world.ts';
import { inNetns } from './packets.ts';

const BEFORE = `netns host
link cni0 kind bridge up address 0a:00:00:00:00:01
netns pod
netns other
`;

/** A chain that publishes port 8080. */
const chainOn = (bridge: string, subnet: string, keys: object) => ({
  cniVersion: '1.0.0',
  name: bridge,
  type: 'fairlead',
  capabilities: { portMappings: true },
  runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ...keys,
      ipam: { type: 'host-local', ranges: [[{ subnet }]] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

const needs = needsRoot || needsNative;
let world: ReturnType<typeof openWorld>;
const ip = (...words: string[]): string =>
  execFileSync('ip', inNetns(world, 'host', 'ip', ...words), { encoding: 'utf8' }).trim();
/** Lifetimes run: a second may have passed. */
const seen = (): string => {
  const addresses = ip('-4', 'addr', 'show', 'cni0');
  const routes = ip('-4', 'route', 'show', 'table', 'all', 'dev', 'cni0');
  return `${addresses}\n${routes}`.replace(/(valid_lft|preferred_lft) \d+sec/g, '$1 some');
};

describe.skipIf(needs !== '')(`forceAddress ${needs}`.trimEnd(), () => {
  beforeEach(() => {
    world = openWorld(BEFORE);
    const first = ['10.5.0.1/24', 'metric', '77', 'valid_lft', '9000', 'preferred_lft', '8000'];
    ip('addr', 'add', ...first, 'dev', 'cni0', 'label', 'cni0:old');
    ip('addr', 'add', '10.6.0.1/24', 'dev', 'cni0', 'noprefixroute');
    ip('route', 'add', '10.8.0.0/16', 'dev', 'cni0', 'src', '10.5.0.1');
    ip('route', 'add', '10.9.0.0/16', 'via', '10.5.0.9', 'dev', 'cni0');
  });
  afterEach(() => world.close());

  test('an ADD whose port is taken leaves it as it is', () => {
    const first = callFor(world, 'ADD', 'other', chainOn('br1', '10.2.0.0/24', {}));
    expect(first.exit_code, first.stdout).toBe(0);
    const before = seen();
    expect(before).toContain('cni0:old');
    expect(before).toContain('via 10.5.0.9');
    const config = chainOn('cni0', '10.1.2.0/24', { forceAddress: true });
    const answer = callFor(world, 'ADD', 'pod', config);
    expect(answer.exit_code).toBe(1);
    expect(answer.stdout).toContain('8080/tcp');
    expect(seen()).toBe(before);
  });

  test('an ADD replaces it, and leaves the route by way of a neighbour', () => {
    const config = chainOn('cni0', '10.1.2.0/24', { forceAddress: true });
    const answer = callFor(world, 'ADD', 'pod', config);
    expect(answer.exit_code, answer.stdout).toBe(0);
    expect(seen()).toContain('10.1.2.1/24');
    expect(seen()).not.toMatch(/inet 10\.[56]\.0\.1|10\.8\.0\.0/);
    expect(seen()).toContain('10.9.0.0/16 via 10.5.0.9');
  });
});
