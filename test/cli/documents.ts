// SPDX-License-Identifier: Apache-2.0
// Documents for `fairlead validate`, with a mark ▸ where a problem is to be reported, one mark for
// each: problems are listed in the order of their places. It owns no expectation of its own.

export interface Marked {
  readonly about: string;
  /** Its name in the folder; net.conflist when absent. */
  readonly file?: string;
  readonly document: string;
  /** "error: …" or "warning: …", in the order of the marks. */
  readonly problems: readonly string[];
}

/** A list of the name "net" with the plugins on lines of their own, from line 2 on. */
export const inList = (plugins: string, version = '1.1.0'): string =>
  `{ "cniVersion": "${version}", "name": "net", "plugins": [\n${plugins}\n] }`;

const IPAM = '"ipam": { "type": "host-local", "subnet": "10.1.2.0/24" }';
const BRIDGE = `{ "type": "bridge", ${IPAM} }`;
const LEAVE = 'remove it, unless another program reads it from this file';
const unknown = (key: string, cure = LEAVE): string =>
  `warning: unknown key "${key}", which plugins ignore: ${cure}`;
const runtimes = (key: string): string =>
  `warning: "${key}" is the runtime's to write, and it may replace this: remove it`;
const PTP_IPAM = 'error: ptp needs addresses: add "ipam": {"type": "host-local", …}';

/** Documents without a problem. */
const FINE: readonly Marked[] = [
  ['a list', inList(BRIDGE)],
  [
    'the chain that containerd documents',
    inList(
      `{ "type": "bridge", "bridge": "cni0", "isGateway": true, "promiscMode": true,
         "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.88.0.0/16" }],
         [{ "subnet": "2001:4860:4860::/64" }]],
         "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }] } },
       { "type": "portmap", "capabilities": { "portMappings": true } }`,
      '1.0.0',
    ),
  ],
  [
    'the chain that podman writes',
    inList(
      `{ "type": "bridge", "bridge": "cni-podman0", "isGateway": true, "hairpinMode": true,
         "ipam": { "type": "host-local", "routes": [{ "dst": "0.0.0.0/0" }],
         "ranges": [[{ "subnet": "10.88.0.0/16", "gateway": "10.88.0.1" }]] },
         "capabilities": { "ips": true, "mac": true } },
       { "type": "portmap", "capabilities": { "portMappings": true } },
       { "type": "firewall", "backend": "" },
       { "type": "tuning", "capabilities": { "mac": true } }`,
      '0.4.0',
    ),
  ],
  [
    'ranges that only the runtime gives',
    inList(
      '{ "type": "ptp", "capabilities": { "ipRanges": true }, "ipam": { "type": "host-local" } }',
    ),
  ],
  [
    'a plugin that nobody knows keeps its keys to itself',
    inList('{ "type": "calico", "delegate": { "isDefaultGateway": true }, "ipams": { "a": 1 } }'),
  ],
  [
    'comments, and keys of other domains',
    `{ "_comment": "x", "//": "y", "example.com/z": 1, "cniVersion": "1.0.0", "name": "net",
       "plugins": [{ "type": "bridge", "#": 1, "_x": {}, "example.com/z": 1 }] }`,
  ],
  [
    'keys by which podman and nerdctl know their own networks',
    `{ "args": { "podman_labels": { "a": "b" } }, "nerdctlID": "x", "nerdctlLabels": {},
       "cniVersion": "1.0.0", "name": "net", "plugins": [{ "type": "bridge" }] }`,
  ],
  [
    'features of 1.1.0 under 1.1.0',
    `{ "cniVersion": "1.0.0", "cniVersions": ["1.0.0", "1.1.0"], "name": "net", "disableGC": true,
       "loadOnlyInlinedPlugins": true, "disableCheck": true, "plugins": [{ "type": "bridge" }] }`,
  ],
  [
    'sysctls are no keys of ours, and null is as if absent',
    inList(
      `${BRIDGE}, { "type": "tuning", "sysctl": { "net.core.somaxconn": "500" }, "mtu": null }`,
    ),
  ],
  [
    'a fused chain that declares outside what is declared inside',
    inList(
      `{ "type": "fairlead", "capabilities": { "portMappings": true }, "plugins": [ ${BRIDGE},
         { "type": "portmap", "capabilities": { "portMappings": true } } ] }`,
    ),
  ],
  [
    'the interface plugins of the reference, with their keys',
    inList('{ "type": "vlan", "master": "eth0", "vlanId": 5, "ipam": { "type": "dhcp" } }'),
  ],
  [
    'bandwidth with rates of its own',
    inList(`${BRIDGE}, { "type": "bandwidth", "ingressRate": 8, "ingressBurst": 8 }`),
  ],
].map(([about = '', document = '']) => ({ about, document, problems: [] }));

const KEYS: readonly Marked[] = [
  {
    about: 'unknown keys at every level, with what may have been meant',
    document: `{ "cniVersion": "1.1.0", "name": "net", ▸"disableGc2": true, ▸"pluginss": [],
"plugins": [
{ "type": "bridge", ▸"hairpinMod": true, ▸"colour": "red",
  "vlanTrunk": [{ "id": 4 }, { ▸"Id2": 5 }], "dns": { ▸"nameserver": [] },
  "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.1.2.0/24", ▸"rangeStar": "x" }]],
            "routes": [{ "dst": "0.0.0.0/0", ▸"gateway": "10.1.2.1" }] } },
{ "type": "bandwidth", ▸"ingresRate": 1, "capabilities": { "bandwidth": true } }
] }`,
    problems: [
      unknown('disableGc2', 'did you mean "disableGC"?'),
      unknown('pluginss', 'did you mean "plugins"?'),
      unknown('hairpinMod', 'did you mean "hairpinMode"?'),
      unknown('colour'),
      unknown('Id2', 'did you mean "id"?'),
      unknown('nameserver', 'did you mean "nameservers"?'),
      unknown('rangeStar', 'did you mean "rangeStart"?'),
      unknown('gateway'),
      unknown('ingresRate', 'did you mean "ingressRate"?'),
    ],
  },
  {
    about: 'keys of another place',
    document: `{ "cniVersion": "1.1.0", "name": "net", ▸"type": "bridge", ▸"isGateway": true,
"plugins": [{ "type": "bridge", ▸"subnet": "10.1.2.0/24",
  "ipam": { "type": "static", ▸"isGateway": true,
  "addresses": [{ "address": "10.1.2.3/24" }] } }] }`,
    problems: [
      unknown('type', 'move it into an entry of "plugins"'),
      unknown('isGateway', 'move it into an entry of "plugins"'),
      unknown('subnet', 'move it into "ipam"'),
      unknown('isGateway', 'move it out of "ipam"'),
    ],
  },
  {
    about: 'a key that says the opposite is not taken for a slip',
    document: inList(
      `${BRIDGE}, { "type": "portmap", "capabilities": { "portMappings": true }, ▸"noSnat": true }`,
    ),
    problems: [unknown('noSnat')],
  },
  {
    about: 'another case is read all the same',
    document: inList(
      `{ "type": "bridge", ▸"hairpinmode": true, "mtu": 1000, ▸"MTU": 1001, ▸"IPAM": {} }`,
    ),
    problems: [
      'warning: "hairpinmode" is read as "hairpinMode", which is its name: write "hairpinMode"',
      'warning: "MTU" and "mtu" are one key to plugins: remove one',
      'warning: "IPAM" is read as "ipam", which is its name: write "ipam"',
    ],
  },
  {
    about: 'keys given twice, anywhere',
    document: `{ "cniVersion": "1.1.0", ▸"name": "a", "name": "net",
"plugins": [{ "type": "what", "x": { ▸"y": 1, ▸"y": 2, "y": 3 } }] }`,
    problems: ['name', 'y', 'y'].map(
      (key) => `warning: "${key}" is given again below, and the last one counts: remove one`,
    ),
  },
  {
    about: "keys that are the runtime's",
    document: inList(
      '{ "type": "what", ▸"prevResult": {}, ▸"runtimeConfig": {}, ▸"args": {}, ▸"cni.dev/x": 1 }',
    ),
    problems: ['prevResult', 'runtimeConfig', 'args', 'cni.dev/x'].map(runtimes),
  },
  {
    about: 'keys of the IPAM of a plugin that nobody knows',
    document: inList('{ "type": "ovs", "x": 1, "ipam": { "type": "dhcp", ▸"provides": [] } }'),
    problems: [unknown('provides', 'did you mean "provide"?')],
  },
  {
    about: 'types that are near known ones',
    document: inList(
      '{ "type": ▸"brigde", "ipam": { "type": ▸"host_local" } },\n{ "type": ▸"portmaps" }',
    ),
    problems: [
      'warning: no plugin of the type "brigde" is known here: did you mean "bridge"?',
      'warning: no plugin of the type "host_local" is known here: did you mean "host-local"?',
      'warning: no plugin of the type "portmaps" is known here: did you mean "portmap"?',
    ],
  },
  {
    about: 'keys that a VLAN interface needs, and one that it hardly goes without',
    document: inList('{ "type": ▸▸▸"vlan" }'),
    problems: [
      'error: vlan needs an interface that carries the VLAN: name it by "master"',
      'error: vlan needs addresses: add "ipam": {"type": "host-local", …}',
      'warning: without "vlanId" it is VLAN 0, whose frames are in none and bear a priority: ' +
        'add "vlanId"',
    ],
  },
  {
    about: 'what an ipvlan cannot have',
    document: inList(
      `{ "type": ▸▸"ipvlan", "capabilities": { "mac": true } },
       { "type": ▸"portmap", "capabilities": { "portMappings": true } }`,
    ),
    problems: [
      'warning: without "ipam" ADD fails, unless a plugin before it in the list gives addresses: ' +
        'add "ipam"',
      'warning: an ipvlan has the hardware address of its master, and no other: ' +
        'take the capability "mac" out',
      'warning: ports of the host do not lead to what "ipvlan" makes: ' +
        "the host's packets for it leave by the master for the wire. " +
        'Use its own address, or another type',
    ],
  },
];

const LOADS: readonly Marked[] = [
  {
    about: 'addresses under which nobody is reached',
    document: inList(`{ "type": "bridge", "ipam": { "type": "static", "addresses": [
      ▸{ "address": "127.0.0.5/8" }, ▸{ "address": "10.1.2.3/24", "gateway": "10.1.2.3" } ] } }`),
    problems: [
      'warning: 127.0.0.5/8 is a loopback address: its packets leave no container',
      'warning: 10.1.2.3/24 is its own gateway: what is sent elsewhere gets nowhere; ' +
        'name the router',
    ],
  },
  {
    about: 'every problem of every plugin, not the first alone',
    document: inList(`{ "type": "bridge", "mtu": ▸"1500", "vlan": ▸5000, "hairpinMode": ▸1,
  "ipam": { "type": "host-local", "dataDir": ▸"leases",
    "ranges": [[▸{ "subnet": "10.1.2.1/24" },
      { "subnet": "10.1.3.0/24", "rangeEnd": ▸"10.9.9.9" }], ▸[]],
    "routes": [▸{ "dst": "10.0.0.0" }, { "dst": ▸4 }] },
  "dns": ▸[], "capabilities": { "mac": ▸"yes", "ips": true } },
{ "type": "other", "capabilities": ▸[] }`),
    problems: [
      'error: "mtu" must be a number, not a string',
      'error: invalid VLAN ID 5000 (must be between 0 and 4094)',
      'error: "hairpinMode" must be a boolean, not a number',
      'error: "dataDir" must be an absolute path without ".."',
      'error: Network has host bits set. For a subnet mask of length 24 the network address is ' +
        '10.1.2.0',
      'error: RangeEnd 10.9.9.9 not in network 10.1.3.0/24',
      'error: invalid range set 1: empty range set',
      'error: "dst" of a route is not ADDRESS/BITS: "10.0.0.0": write it as 10.0.0.0/8',
      'error: "dst" must be a string, not a number',
      'error: "dns" must be an object, not an array',
      'error: the capability "mac" must be true or false',
      'error: "capabilities" must be an object of booleans, such as {"portMappings": true}',
    ],
  },
  {
    about: 'ranges that overlap, in a set and across',
    document:
      inList(`{ "type": "macvlan", "ipam": ▸▸{ "type": "host-local", "subnet": "10.1.0.0/16",
  "ranges": [[{ "subnet": "10.1.2.0/24" }], [{ "subnet": "10.2.0.0/16" }],
  [{ "subnet": "10.2.3.0/24" }]] } }`),
    problems: ['error: range set 1 overlaps with 0', 'error: range set 3 overlaps with 2'],
  },
  {
    about: 'what stands nowhere is told at the type',
    document: inList(`{ "type": ▸"bridge", "hairpinMode": true, "promiscMode": true }`),
    problems: ['error: cannot set hairpin mode and promiscuous mode at the same time'],
  },
  {
    about: 'IPAM where there can be none, and without its type',
    document: inList(`{ "type": ▸"bridge", "disableContainerInterface": true, ${IPAM} }`),
    problems: [
      'error: cannot use IPAM when DisableContainerInterface flag is set: remove one of the two',
    ],
  },
  {
    about: 'an ipam without a type, and one with the type of a main plugin',
    document: inList('{ "type": "bridge", "ipam": ▸{ "subnet": "10.1.2.0/24" } }'),
    problems: ['warning: "ipam" without "type" gives no address: add "type"'],
  },
  {
    about: 'a main plugin as IPAM',
    document: inList('{ "type": "sriov", "ipam": ▸{ "type": "bridge" } }'),
    problems: ['error: "bridge" is no IPAM plugin: use one such as "host-local", "static", "dhcp"'],
  },
  {
    about: 'a main plugin as IPAM of one that would ask it',
    document: inList('{ "type": ▸"bridge", "ipam": { "type": "bridge" } }'),
    problems: ['error: "bridge" is no IPAM plugin: use one such as "host-local"'],
  },
  {
    about: 'static without an address, or for ptp without a gateway',
    document: inList(`{ "type": "ptp", "ipam": { "type": "static", "addresses": [
{ "address": ▸"10.1.2.3/24" }, { "address": "10.1.2.4/24", "gateway": "10.1.2.1" }] } }`),
    problems: ['error: ptp needs a gateway for every address: add "gateway"'],
  },
  {
    about: 'static without any address',
    document: inList('{ "type": "bridge", "ipam": ▸{ "type": "static" } }'),
    problems: [
      'warning: "static" has no address, so that ADD fails unless the runtime names one: ' +
        'add "addresses"',
    ],
  },
  {
    about: 'a route and an address twice',
    document: inList(`{ "type": "bridge", "ipam": { "type": "static", "addresses": [
  { "address": "10.1.2.3/24" }, ▸{ "address": "10.1.2.3/24" }], "routes": [{ "dst": "0.0.0.0/0" },
  ▸{ "dst": "0.0.0.0/0" }, { "dst": "0.0.0.0/0", "priority": 5 }] } }`),
    problems: [
      'error: the address 10.1.2.3 is given twice: an interface has it once',
      'error: the route to 0.0.0.0/0 is given twice: remove one',
    ],
  },
  ...[
    ['"macvlan", "master": ▸"up%d"', '"master" is "up%d": interface name contains %'],
    [
      `"vlan", "vlanId": 3, "master": ▸"far-too-long-a-name", ${IPAM}`,
      '"master" is "far-too-long-a-name": interface name is too long',
    ],
    [
      '"host-device", "device": ▸"a/b"',
      '"device" is "a/b": interface name contains / or : or whitespace characters',
    ],
    [
      '"tap", "bridge": ▸"a b"',
      '"bridge" is "a b": interface name contains / or : or whitespace characters',
    ],
    [
      `"bridge", "uplinkInterface": ▸"..", ${IPAM}`,
      '"uplinkInterface" is "..": interface name is . or ..',
    ],
    ['"host-device", "device": ▸"lo"', '"lo" is the host\'s own: name another device'],
    ['"host-device", "pciBusID": ▸"04:00.5"', '"04:00.5" is no PCI address such as 0000:04:00.5'],
    [
      '"fairlead-overlay", "subnetFile": ▸"subnet.json"',
      '"subnetFile" must be an absolute path without ".."',
    ],
    [
      '"flannel", "subnetFile": ▸"/run/../subnet.env"',
      '"subnetFile" must be an absolute path without ".."',
    ],
    ['"flannel", "dataDir": ▸"flannel"', '"dataDir" must be an absolute path without ".."'],
  ].map(([plugin, problem]) => ({
    about: `what names nothing: ${plugin}`,
    document: inList(`{ "type": ${plugin} }`),
    problems: [`error: ${problem}`],
  })),
  {
    about: 'a key by its beginning, and a route that leads nowhere',
    document: inList(`{ "type": "bridge", ▸"hairpin": true, "ipam": { "type": "host-local",
"subnet": "10.1.2.0/24", "routes": [▸{ "gw": "10.1.2.1" }] } }`),
    problems: [
      unknown('hairpin', 'did you mean "hairpinMode"?'),
      'error: "dst" of a route is missing: write it as 10.0.0.0/8',
    ],
  },
  {
    about: 'MTUs that no link takes, or none with IPv6',
    document: inList(`{ "type": "bridge", "mtu": ▸67,
  "ipam": { "type": "host-local", "subnet": "fd00::/64" } },
{ "type": "tuning", "mtu": ▸1279 }, { "type": "tuning", "mtu": ▸1.5 }`),
    problems: [
      'error: "mtu" is 67, and no link takes less than 68: write more, or leave it out',
      'warning: "mtu" is 1279, and a link below 1280 has no IPv6, which this network has: ' +
        'write 1280 or more',
      'error: "mtu" must be a whole number, not 1.5',
    ],
  },
];

const CHAINS: readonly Marked[] = [
  ...[
    ['portmap', ', "capabilities": { "portMappings": true }'],
    ['bandwidth', ', "capabilities": { "bandwidth": true }'],
    ['tuning', ''],
    ['firewall', ''],
    ['sbr', ''],
    ['vrf', ', "vrfname": "v"'],
  ].map(([type, more]) => ({
    about: `${type} first`,
    document: inList(`{ "type": ▸"${type}"${more} },\n${BRIDGE}`),
    problems: [
      `error: "${type}" cannot be first, it works on an interface that is there: ` +
        'put it after the plugin that makes one',
    ],
  })),
  {
    about: 'a single plugin that only works in a chain',
    file: 'net.conf',
    document: `{ "cniVersion": "1.0.0", "name": "net", "type": ▸"tuning" }`,
    problems: [
      'error: "tuning" cannot be first, it works on an interface that is there: ' +
        'put it after the plugin that makes one',
    ],
  },
  {
    about: 'two that make the interface, lo among others, IPAM in the chain',
    document: inList(`${BRIDGE},\n{ "type": ▸"dummy", "ipam": { "type": "dhcp" } },
{ "type": ▸"loopback" }, { "type": ▸"host-local", ${IPAM} }`),
    problems: [
      'error: "dummy" would make the interface that "bridge" has made already: ' +
        'give it a network of its own',
      'warning: "loopback" sets up lo, whatever the rest of the list makes: ' +
        'give it a list of its own',
      'error: "host-local" gives addresses to another plugin: put it under "ipam" of the one ' +
        'that makes the interface',
    ],
  },
  {
    about: 'the order inside a fused chain',
    document: inList(
      `{ "type": "fairlead", "plugins": [{ "type": ▸"sbr" }, ${BRIDGE}] }, { "type": ▸"tap" }`,
    ),
    problems: [
      'error: "sbr" cannot be first, it works on an interface that is there: ' +
        'put it after the plugin that makes one',
      'error: "tap" would make the interface that "bridge" has made already: ' +
        'give it a network of its own',
    ],
  },
  {
    about: 'no word on the order while an entry is missing',
    document: inList('▸{ }, { "type": "sbr" }'),
    problems: ['error: a plugin without "type": name the program that is to run'],
  },
  {
    about: 'bandwidth behind any interface: one that is no veth is limited inside',
    document: inList(
      '{ "type": "macvlan" }, { "type": "bandwidth", "capabilities": { "bandwidth": true } }',
    ),
    problems: [],
  },
  {
    about: 'types of others, in their roles',
    document: inList(`${BRIDGE},\n{ "type": ▸"calico", "ipam": { "type": "calico-ipam" } },
{ "type": "cilium-cni" }, { "type": "linkerd-cni" }, { "type": ▸"whereabouts" }`),
    problems: [
      'error: "calico" would make the interface that "bridge" has made already: ' +
        'give it a network of its own',
      'error: "whereabouts" gives addresses to another plugin: put it under "ipam" of the one ' +
        'that makes the interface',
    ],
  },
  {
    about: 'layer 2 of a type of others, before results could say it',
    document: inList('{ "type": ▸"macvlan" }', '0.2.0'),
    problems: [
      'error: without "ipam" cniVersion must be 0.3.0 or later: older results need an address',
    ],
  },
];

const CAPABILITIES: readonly Marked[] = [
  {
    about: 'capabilities that are not served, and those that are missing',
    document: inList(`{ "type": "bridge", ${IPAM},
  "capabilities": { "mac": true, "ips": true, ▸"portMapping": true, ▸"portMappings": true,
    "bandwidth": false, ▸"ipRange": true, ▸"aliases": true } },
{ "type": ▸"portmap", "capabilities": { "portMappings": false } }, { "type": ▸"bandwidth" },
{ "type": "other", "capabilities": { "aliases": true } }`),
    problems: [
      'warning: "bridge" does not serve the capability "portMapping": remove it',
      'warning: "bridge" does not serve the capability "portMappings": declare it on "portmap"',
      'warning: "bridge" does not serve the capability "ipRange": did you mean "ipRanges"?',
      'warning: "bridge" does not serve the capability "aliases": remove it',
      'warning: "portmap" never gets portMappings: add "capabilities": {"portMappings": true}',
      'warning: "bandwidth" never gets bandwidth: add "capabilities": {"bandwidth": true}',
    ],
  },
  {
    about: 'IPAM of another origin may serve what it likes',
    document: inList(
      '{ "type": "bridge", "ipam": { "type": "whereabouts" }, "capabilities": { "x": true } }',
    ),
    problems: [],
  },
  {
    about: 'a fused chain that does not declare what its plugins want',
    document:
      inList(`{ "type": "fairlead", "capabilities": { ▸"mac": true }, "plugins": [ ${BRIDGE},
{ "type": "portmap", "capabilities": { ▸"portMappings": true } } ] }`),
    problems: [
      'warning: no plugin inside declares the capability "mac", so none gets it: ' +
        'declare it on the one that uses it',
      'warning: the runtime passes what the plugin of the type "fairlead" declares: ' +
        'add "portMappings" to its capabilities, or run fairlead unfuse and fairlead fuse',
    ],
  },
];

const VERSIONS: readonly Marked[] = [
  {
    about: 'a version that is not spoken',
    document: `{ "cniVersion": ▸"2.0.0", "name": "net", "plugins": [${BRIDGE}] }`,
    problems: [
      'error: cniVersion "2.0.0" is not supported: write one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, ' +
        '0.4.0, 1.0.0, 1.1.0',
    ],
  },
  {
    about: 'a version that is none',
    document: `{ "cniVersion": ▸"one", "name": "net", "plugins": [${BRIDGE}] }`,
    problems: ['error: cniVersion "one" is not a version: write 1.0.0'],
  },
  {
    about: 'no version',
    document: `▸{ "name": "net", "plugins": [${BRIDGE}] }`,
    problems: [
      'warning: without "cniVersion" 0.1.0 is meant, which has no CHECK: ' +
        'add "cniVersion": "1.0.0"',
    ],
  },
  {
    about: 'features that are younger than the version; our plugins serve every version',
    document: `{ "cniVersion": "0.2.0", "name": "net", ▸"disableCheck": true, ▸"disableGC": true,
▸"loadOnlyInlinedPlugins": true, "plugins": [${BRIDGE},
{ "type": "bandwidth", "capabilities": { "bandwidth": true } },
{ "type": "vrf", "vrfname": "v" }, { "type": "firewall" }] }`,
    problems: [
      ...[
        ['disableCheck', '0.4.0'],
        ['disableGC', '1.1.0'],
        ['loadOnlyInlinedPlugins', '1.1.0'],
      ].map(
        ([key, since]) =>
          `warning: "${key}" is of cniVersion ${since}, a runtime may ignore it under 0.2.0: ` +
          'raise cniVersion',
      ),
    ],
  },
  {
    about: 'layer 2 before results could say it',
    document: inList('{ "type": ▸"bridge" }', '0.2.0'),
    problems: [
      'error: without "ipam" cniVersion must be 0.3.0 or later: older results need an address',
    ],
  },
];

const LISTS: readonly Marked[] = [
  {
    about: 'what is wrong with the list itself, all of it',
    document: `{ "cniVersion": "1.0.0", "name": ▸5, "disableCheck": ▸"maybe", ▸"disableGC": ▸1,
"plugins": [{ "type": ▸5 }, ▸{}, ▸4, { "type": ▸"../bridge" },
{ "type": "ptp", "mtu": ▸-1, ${IPAM} }] }`,
    problems: [
      'error: "name" must be a string, not a number',
      'error: "disableCheck" must be true or false, not "maybe"',
      'warning: "disableGC" is of cniVersion 1.1.0, a runtime may ignore it under 1.0.0: ' +
        'raise cniVersion',
      'error: "disableGC" must be a boolean, not a number',
      'error: "type" must be a string, not a number',
      'error: a plugin without "type": name the program that is to run',
      'error: an entry of plugins must be an object, not a number',
      'error: "type" cannot be a path: "../bridge"',
      'error: "mtu" is -1 but must lie in 0..65535',
    ],
  },
  {
    about: 'no plugins',
    document: `{ "cniVersion": "1.0.0", "name": "net", "plugins": ▸[] }`,
    problems: ['error: no plugins in list: put at least one object into "plugins"'],
  },
  {
    about: 'a name that is none',
    document: `{ "cniVersion": "1.0.0", "name": ▸"my net", "plugins": [${BRIDGE}] }`,
    problems: [
      'error: invalid characters found in network name "my net": use letters, digits, ' +
        "'.', '_', '-'",
    ],
  },
  {
    about: 'a list in a file of another kind',
    file: 'net.conf',
    document: `▸{ "cniVersion": "1.0.0", "name": "net", "plugins": [${BRIDGE}] }`,
    problems: [
      'warning: a list is read by other runtimes only from a file *.conflist: rename net.conf',
    ],
  },
  {
    about: 'a single plugin, with keys of a list',
    file: 'net.json',
    document: `{ "cniVersion": "1.0.0", "name": "net", "type": ▸"ptp",
▸"disableCheck": true, ▸"mtv": 5 }`,
    problems: [PTP_IPAM, unknown('disableCheck'), unknown('mtv', 'did you mean "mtu"?')],
  },
  {
    about: 'what is no JSON: its first mistake alone',
    document: '{ "name": "net",\n  "plugins": [ { "type": "bridge"▸, } ], }',
    problems: ['error: cannot decode net.conflist: a comma after the last entry: remove it'],
  },
  {
    about: 'a fused chain with wrong entries',
    document: inList(
      '{ "type": "fairlead", "plugins": [▸{ "type": "fairlead" }, ▸7, { "type": ▸8 }, ▸{}] }',
    ),
    problems: [
      'error: "type" of a plugin of the chain cannot be "fairlead"',
      'error: an entry of plugins must be an object, not a number',
      'error: "type" must be a string, not a number',
      'error: "type" of a plugin of the chain cannot be ""',
    ],
  },
  {
    about: 'a fused chain without any',
    document: inList('{ "type": ▸"fairlead" }, { "type": "fairlead", "plugins": ▸5 }'),
    problems: [
      'error: the chain is empty: put the objects of a conflist into "plugins"',
      'error: "plugins" must be an array, not a number',
    ],
  },
];

export const DOCUMENTS: readonly Marked[] = [
  ...FINE,
  ...LISTS,
  ...KEYS,
  ...LOADS,
  ...CHAINS,
  ...CAPABILITIES,
  ...VERSIONS,
];
