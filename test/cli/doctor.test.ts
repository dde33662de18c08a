// SPDX-License-Identifier: Apache-2.0
// `fairlead doctor` on nodes that are broken on purpose, one test for each finding: containers on
// the simulated kernel, whose text is changed as a node comes to harm; files in folders of the
// test's own. And what it says when nothing is wrong, or when it may not look.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { runDoctor } from '../../host-node/cli/doctor/command.ts';
import type { Finding } from '../../host-node/cli/doctor/findings.ts';
import { runVerb } from '../../host-node/cli/verbs.ts';
import { fileLine, Machine } from './machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const VERSION = '0.1.0';
const POD = '/run/netns/pod';
const PORTS = '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}';
const network = (more: object = {}) =>
  JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        isGateway: true,
        ipMasq: true,
        ...more,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00:1::/64' }]],
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
      { type: 'firewall' },
    ],
  });
const UPLINK = `link up0 kind dummy up address 02:00:00:00:00:01 mtu 1500 operstate unknown
addr 203.0.113.1/24 dev up0
route 0.0.0.0/0 via 203.0.113.254 dev up0 proto boot
route 203.0.113.0/24 dev up0 proto kernel scope link src 203.0.113.1
`;

let worlds = 0;
let root = '';
let on: Machine;
const at = (...path: string[]): string => join(root, ...path);

/** A node with one container on the network; its configuration lies on both machines. */
function open(host = UPLINK, conflist = network()): void {
  const path = at('conf', '10-pods.conflist');
  writeFileSync(path, conflist);
  on = new Machine(`netns host\n${host}netns pod\n${fileLine(path, conflist)}`);
  const where = ['--conf-dir', at('conf'), '--container-id', 'blue', '--capabilities', PORTS];
  const said = on.run((io) => runVerb('add', ['pods', POD, ...where], io));
  expect(said.code, said.stderr).toBe(0);
}
/** The node with another text, as if somebody had changed it. */
function change(edit: (text: string) => string): void {
  const before = on.dump();
  const after = edit(before);
  expect(after).not.toBe(before);
  on = new Machine(after);
}
beforeEach(() => {
  root = join(folder, String(++worlds));
  for (const dir of ['bin', 'conf']) mkdirSync(at(dir), { recursive: true });
  open();
});

interface Document {
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
  readonly fixed: readonly string[];
  readonly errors: number;
  readonly warnings: number;
}

function doctor(...args: string[]): Document & { readonly code: number } {
  const places = ['--conf-dir', at('conf'), '--bin-dir', at('bin'), '--output', 'json'];
  const said = on.run((io) => runDoctor([...args, ...places], io, VERSION));
  expect(said.stderr).toBe('');
  return { code: said.code, ...(JSON.parse(said.stdout) as Document) };
}
/** The one finding of a name; it is the only one that is worse than a remark. */
function finding(id: string): Finding {
  const { findings, code } = doctor();
  const found = findings.find((one) => one.id === id);
  expect(found, JSON.stringify(findings)).toBeDefined();
  const worse = findings.filter(({ severity }) => severity !== 'info').map((one) => one.id);
  expect(new Set(worse)).toEqual(new Set(found!.severity === 'info' ? [] : [id]));
  expect(code).toBe(found!.severity === 'error' ? 1 : 0);
  return found!;
}
const without =
  (...starts: string[]) =>
  (text: string) =>
    text
      .split('\n')
      .filter((line) => !starts.some((start) => line.startsWith(start)))
      .join('\n');

/** A driver whose operation of that name does something else. */
const instead =
  (name: string, action: () => unknown) =>
  (driver: Driver): Driver =>
    new Proxy(driver, {
      get: (target, key) => (key === name ? action : Reflect.get(target, key)),
    });

test('says nothing of a node where all is well', () => {
  expect(doctor()).toEqual({
    ...{ code: 0, findings: [], unseen: [], fixed: [], failed: [], errors: 0, warnings: 0 },
  });
  const places = ['--conf-dir', at('conf'), '--bin-dir', at('bin')];
  const said = on.run((io) => runDoctor(places, io, VERSION));
  expect(said).toEqual({ code: 0, stdout: 'nothing is wrong\n', stderr: '' });
});

test('forwarding-off, of either family', () => {
  change(without('sysctl net/ipv4/ip_forward'));
  expect(finding('forwarding-off')).toMatchObject({
    severity: 'error',
    evidence: 'net.ipv4.ip_forward is 0, and 1 attachment of this host need forwarding',
    cure: expect.stringContaining('sysctl -w net.ipv4.ip_forward=1'),
  });
  open();
  change(without('sysctl net/ipv6/conf/all/forwarding'));
  expect(finding('forwarding-off').evidence).toContain('net.ipv6.conf.all.forwarding is 0');
});

test('routes-expire: a host that forwards and has routes of router advertisements', () => {
  change((text) =>
    text.replace(
      /^netns pod/m,
      'link ra0 kind dummy up address 02:00:00:00:00:09 mtu 1500 operstate unknown\n' +
        'addr 2001:db8::9/64 dev ra0\nroute ::/0 via fe80::1 dev ra0 proto ra\nnetns pod',
    ),
  );
  expect(finding('routes-expire').cure).toBe('sysctl -w net.ipv6.conf.ra0.accept_ra=2');
});

test('reverse-path-strict, with two uplinks', () => {
  open(
    `${UPLINK.replace(
      '\naddr',
      '\nlink up1 kind dummy up address 02:00:00:00:00:02 mtu 1500 operstate unknown\naddr',
    )}addr 198.51.100.1/24 dev up1
route 0.0.0.0/0 via 198.51.100.254 dev up1 proto boot metric 100
`,
  );
  on.wrap = (driver) =>
    new Proxy(driver, {
      get: (target, key) =>
        key === 'sysctl_read'
          ? (args: { key: string; ns: number }) =>
              args.key === 'net/ipv4/conf/all/rp_filter'
                ? Buffer.from('1')
                : target.sysctl_read(args)
          : Reflect.get(target, key),
    });
  expect(finding('reverse-path-strict').evidence).toContain('rp_filter is 1 on up0, up1');
});

/** The host's end of the pair, as the record has it. */
const hostEnd = () => {
  const [, name = ''] = /^link (veth\S+) /m.exec(on.dump()) ?? [];
  return on.driver.link_get({ ns: 0, name });
};

test('left-behind: the container is gone; --fix takes away what it left', () => {
  on.driver.link_del({ ns: 0, ifindex: hostEnd().ifindex });
  const { findings } = doctor();
  expect(findings.map(({ id }) => id)).toEqual(['left-behind', 'leases-leaked']);
  expect(findings[0]).toMatchObject({
    severity: 'warning',
    evidence: '1 attachment of containers that are gone, whose DEL never came: blue:eth0 on pods',
    fix: 'drain',
  });
  expect(doctor('--strict').code).toBe(1);
  const mended = doctor('--fix');
  expect(mended.fixed).toEqual(['took away eth0 of container blue on network pods']);
  expect(mended).toMatchObject({ code: 0, findings: [] });
  expect(on.files('/run/fairlead/attachments')).toEqual([]);
});

test('addresses-none and leases-leaked: a range that is full, of which some lives no more', () => {
  const small = JSON.parse(network()) as { plugins: { ipam: object }[] };
  small.plugins[0]!.ipam = { type: 'host-local', subnet: '10.1.2.0/30' };
  open(UPLINK, JSON.stringify(small));
  expect(doctor().findings.find(({ id }) => id === 'addresses-none')).toMatchObject({
    severity: 'warning',
    evidence: 'network pods has given all of its 1 addresses: the next ADD fails',
  });
  on.driver.link_del({ ns: 0, ifindex: hostEnd().ifindex });
  const { findings } = doctor();
  const ids = findings.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['left-behind', 'addresses-none', 'leases-leaked']));
  expect(findings[ids.indexOf('leases-leaked')]?.evidence).toContain(
    '1 of its leases is of containers that are gone',
  );
});

test('nftables-lost: somebody flushed the ruleset; --fix puts it back', () => {
  const before = on.dump();
  change(without('nft '));
  expect(finding('nftables-lost')).toMatchObject({ severity: 'error', fix: 'repair' });
  const mended = doctor('--fix');
  expect(mended.fixed).toEqual(['restored eth0 of container blue on network pods']);
  expect(mended).toMatchObject({ code: 0, findings: [] });
  expect(on.dump()).toBe(before);
});

test('host-end-missing: the pair of a container that lives is another one', () => {
  const { ifindex } = hostEnd();
  on.driver.link_set_down({ ns: 0, ifindex });
  on.driver.link_set_name({ ns: 0, ifindex, name: 'stranger' });
  expect(finding('host-end-missing').evidence).toContain('blue:eth0 on pods');
});

test('mtu-too-large: the uplink carries less', () => {
  open(UPLINK.replace('mtu 1500', 'mtu 1400'), network({ mtu: 1400 }));
  expect(doctor().findings).toEqual([]);
  change((text) => text.replace(/^(link up0 .*) mtu 1400/m, '$1 mtu 1280'));
  // The network's own "mtu" is doubtful for the same reason.
  const { findings } = doctor();
  expect(findings.map(({ id }) => id)).toEqual(['mtu-too-large', 'network-doubtful']);
  expect(findings[0]?.evidence).toContain('is 1280, and blue:eth0 on pods has 1400');
});

test('mtu-too-large is not said of what the host does not route', () => {
  open(UPLINK, network({ isGateway: false, ipMasq: false, mtu: 1500 }));
  change((text) => text.replace(/^(link up0 .*) mtu 1500/m, '$1 mtu 1280'));
  expect(doctor().findings.map(({ id }) => id)).toEqual(['network-doubtful']);
});

test('port-taken: a process of the host listens on a published port', () => {
  on.wrap = instead('socket_listens', () => 1);
  expect(finding('port-taken').evidence).toContain('host port 8080/tcp leads to blue:eth0');
});

test('forward-closed: a chain of others drops all the rest', () => {
  change((text) =>
    text.replace(/^nft /m, 'nft table inet mine\nnft forward inet mine fw 7 drop\nnft '),
  );
  expect(finding('forward-closed')).toMatchObject({
    severity: 'error',
    cure: expect.stringContaining('insert rule inet mine fw'),
  });
  const ids = doctor().findings.map(({ id }) => id);
  expect(ids).toContain('firewall-others');
  // Nothing of ours is missing, and no repair would help.
  expect(ids).not.toContain('nftables-lost');
});

test('nftables-missing: a kernel without it', () => {
  on.wrap = instead('chain_list', () => {
    throw new OsError(95, 'on purpose');
  });
  expect(doctor().findings.map(({ id }) => id)).toEqual(['nftables-missing']);
});

test('network-none, network-unreadable, network-first, network-wrong', () => {
  const path = at('conf', '10-pods.conflist');
  unlinkSync(path);
  symlinkSync('nowhere', path);
  expect(finding('network-unreadable')).toMatchObject({
    evidence: expect.stringContaining('is a link to nowhere, which is not there'),
    cure: `rm ${path}, or put the file there`,
  });
  unlinkSync(path);
  expect(finding('network-none').severity).toBe('warning');
  mkdirSync(path);
  expect(finding('network-unreadable').evidence).toContain('is a folder');
  rmSync(path, { recursive: true });
  open();
  writeFileSync(at('conf', '20-other.conflist'), network());
  expect(finding('network-first').evidence).toContain('the first by name: 10-pods.conflist');
  writeFileSync(at('conf', '00-first.json'), network());
  expect(finding('network-first').evidence).toContain('the first by name: 00-first.json');
}, 20_000);

test('network-wrong: what validate calls an error', () => {
  const path = at('conf', '10-pods.conflist');
  change((text) => text.replace('\\"isGateway\\":true', '\\"isGateway\\":1'));
  const found = finding('network-wrong');
  expect(found.evidence).toMatch(new RegExp(`^${path}:1:\\d+: "isGateway" must be a boolean`));
  expect(found.cure).toBe(`fairlead validate ${path}`);
});

test('program-replaced and version-differs: what install placed is another now', () => {
  const files = ['bridge', 'portmap'].map((name) => {
    return { kind: 'link', dir: '', name, is: ['link:fairlead'], backup: false };
  });
  const manifest = { format: 1, version: VERSION, files };
  writeFileSync(at('bin/.fairlead-install.json'), JSON.stringify(manifest));
  writeFileSync(at('bin/fairlead'), '', { mode: 0o755 });
  for (const { name } of files) symlinkSync('fairlead', at('bin', name));
  expect(doctor().findings).toEqual([]);
  unlinkSync(at('bin/bridge'));
  writeFileSync(at('bin/bridge'), 'another');
  expect(finding('program-replaced').evidence).toBe(`${at('bin/bridge')} is another program now`);
  unlinkSync(at('bin/bridge'));
  expect(finding('program-replaced').evidence).toBe(`${at('bin/bridge')} is gone`);
  symlinkSync('fairlead', at('bin/bridge'));
  const newer = JSON.stringify({ ...manifest, version: '0.2.0' });
  writeFileSync(at('bin/.fairlead-install.json'), newer);
  expect(finding('version-differs').evidence).toContain('has version 0.2.0');
});

test('says what it could not look at, and looks at the rest', () => {
  on.wrap = instead('chain_list', () => {
    throw new OsError(1, 'on purpose');
  });
  const { unseen, findings, code } = doctor();
  expect(unseen).toEqual([expect.stringContaining('EPERM')]);
  expect({ findings, code }).toEqual({ findings: [], code: 0 });
  const places = ['--conf-dir', at('conf'), '--bin-dir', at('bin')];
  const { stdout } = on.run((io) => runDoctor(places, io, VERSION));
  expect(stdout).toMatch(/^unseen .*EPERM.*\nnothing wrong was seen\n$/);
});

test('state-unknown: a namespace that is not found here may be there elsewhere', () => {
  // As from a container that has the records, and not the mounts of the runtime.
  on.wrap = instead('netns_open', () => {
    throw new OsError(2, 'on purpose');
  });
  const { findings } = doctor();
  expect(findings.map(({ id }) => id)).toEqual(['state-unknown']);
  expect(doctor('--fix').fixed).toEqual([]);
  expect(on.files('/run/fairlead/attachments')).toEqual([expect.stringContaining('blue:eth0')]);
});

test('the manual has every finding, and no other', () => {
  const manual = readFileSync(new URL('../../docs/fairlead.8.md', import.meta.url), 'utf8');
  const [, section = ''] = /\n## DOCTOR\n(.*?)\n## /s.exec(manual) ?? [];
  const listed = [...section.matchAll(/^\| `([a-z-]+)` /gm)].map((match) => match[1] ?? '');
  const sources = ['core-as/tasks/doctor', 'host-node/cli/doctor'].flatMap((dir) => {
    const path = new URL(`../../${dir}/`, import.meta.url);
    return readdirSync(path).map((name) => readFileSync(new URL(name, path), 'utf8'));
  });
  const known = sources.flatMap((source) => [
    ...[...source.matchAll(/\.tell\(\s*"([a-z-]+)"/g)].map((match) => match[1] ?? ''),
    ...[...source.matchAll(/\bid: (?:.* \? )?'([a-z-]+)'(?: : '([a-z-]+)')?/g)].flatMap(
      ([, one = '', other]) => (other === undefined ? [one] : [one, other]),
    ),
  ]);
  expect(listed.sort()).toEqual([...new Set(known)].sort());
});

test('wrong usage is told', () => {
  const said = on.run((io) => runDoctor(['--what'], io, VERSION));
  expect(said).toMatchObject({ code: 2, stdout: '' });
  expect(said.stderr).toContain('unknown option "--what"');
});
