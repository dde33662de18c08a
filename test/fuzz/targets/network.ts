// SPDX-License-Identifier: Apache-2.0
// Files that the command line reads and anybody may have written: the configuration folder and the
// results that a runtime keeps. A good network lies beside, and its container lives.
import { Violation } from '../../support/answer.ts';
import { Node, nothingLeft, same } from '../node.ts';
import { bytes, type Target } from '../target.ts';

const CONF = '/etc/cni/net.d';
const RESULTS = '/var/lib/cni/results';
const PLACES = { confDir: CONF, cacheDir: '/var/lib/cni', path: '/opt/cni/bin' };
const place = (network: string, id: string, netns: string) => ({
  ...PLACES,
  network,
  containerID: id,
  netns: `/run/netns/${netns}`,
  ifname: 'eth0',
});
const FIRST = place('net', 'c1', 'pod');
const NEIGHBOUR = place('good', 'c2', 'pod2');

const plugin = (bridge: string, subnet: string) => ({
  type: 'bridge',
  bridge,
  capabilities: { ips: true },
  ipam: { type: 'host-local', ranges: [[{ subnet }]] },
});
const list = (more: object = {}): string =>
  JSON.stringify({
    cniVersion: '1.1.0',
    name: 'net',
    plugins: [plugin('cni0', '10.1.2.0/24')],
    ...more,
  });
const good = JSON.stringify({
  cniVersion: '1.1.0',
  name: 'good',
  plugins: [plugin('cni1', '10.9.0.0/24')],
});
const line = (path: string, text: string): string => `file ${path} ${JSON.stringify(text)}\n`;
const NODE = `netns host\nnetns pod\nnetns pod2\n${line(`${CONF}/50-good.conflist`, good)}`;

/** A verb that must succeed. */
function must(node: Node, verb: string, request: object): void {
  const { code, stdout } = node.task(verb, request);
  if (code !== 0) throw new Violation(`${verb}: ${stdout}`);
}

/** A verb that, when it is refused, changes nothing. */
function may(node: Node, verb: string, request: object): boolean {
  const before = node.text();
  const { code } = node.task(verb, request);
  if (code !== 0) same(verb, before, node.text());
  return code === 0;
}

/** Whether the version that the last ADD was served in has CHECK: 0.4.0 and later. */
function hasCheck(node: Node): boolean {
  const cached = /^file \S+results\/net-c1-eth0 (.*)$/m.exec(node.text())?.[1] ?? '""';
  return !/^0\.[0-3]\./.test(JSON.parse(JSON.parse(cached)).result.cniVersion);
}

/** The neighbour is as its ADD left it, and can go. */
function unharmed(node: Node): void {
  must(node, 'check', NEIGHBOUR);
  must(node, 'del', NEIGHBOUR);
  nothingLeft('del', node.text(), 'pod2', 'c2', 'eth0');
}

export const conflist: Target = {
  name: 'conflist',
  calls: true,
  seeds: () =>
    [
      list(),
      list({ disableCheck: 'true', disableGC: false, loadOnlyInlinedPlugins: true }),
      list({ cniVersion: undefined, cniVersions: ['0.4.0', '1.1.0'] }),
      list({ plugins: [{ type: 'fairlead', plugins: [plugin('cni0', '10.1.2.0/24')] }] }),
      JSON.stringify({ cniVersion: '0.3.1', name: 'net', ...plugin('cni0', '10.1.2.0/24') }),
      good,
    ].map(bytes),
  words: () => [
    ...['cniVersion', 'cniVersions', 'name', 'plugins', 'type', 'disableCheck', 'disableGC'],
    ...['loadOnlyInlinedPlugins', 'capabilities', 'net', 'good', 'fairlead', 'bridge', 'foreign'],
    ...['true', 'false', 'TRUE', '0.1.0', '1.0.0', '2.0.0', '..', '/', '[]', '{}', 'null', '-1'],
  ],
  check: (input) => {
    for (const name of ['10-net.conflist', '90-net.conf']) {
      const node = new Node(NODE);
      must(node, 'add', NEIGHBOUR);
      const good_before = node.text();
      node.driver.file_write({ path: `${CONF}/${name}`, content: input });
      const planted = node.text();
      node.task('networks', { confDir: CONF });
      for (const task of ['fuse', 'unfuse']) node.task(task, { file: `${CONF}/${name}` });
      node.task('status', FIRST);
      same('networks, fuse or status', planted, node.text());
      if (may(node, 'add', FIRST) && hasCheck(node)) must(node, 'check', FIRST);
      may(node, 'gc', FIRST);
      may(node, 'del', FIRST);
      nothingLeft('del', node.text(), 'pod', 'c1', 'eth0');
      // A file that comes first may be the good network itself; then its own file counts no more.
      if (node.text() === good_before) throw new Violation('the planted file is gone');
      node.driver.file_remove({ path: `${CONF}/${name}` });
      unharmed(node);
    }
  },
};

export const cacheEntry: Target = {
  name: 'cache',
  calls: true,
  seeds: () => {
    const node = new Node(`${NODE}${line(`${CONF}/10-net.conflist`, list())}`);
    must(node, 'add', { ...FIRST, args: 'IgnoreUnknown=1;A=B', capabilities: { ips: [] } });
    const path = `${RESULTS}/net-c1-eth0`;
    const entry = Buffer.from(node.driver.file_read({ path, limit_bytes: 1 << 20 }));
    const { result } = JSON.parse(entry.toString());
    return [entry, bytes(JSON.stringify(result)), bytes('{"kind":"cniCacheV1"}'), bytes('')];
  },
  words: () => [
    ...['kind', 'cniCacheV1', 'containerId', 'config', 'ifName', 'networkName', 'netns', 'cniArgs'],
    ...['capabilityArgs', 'result', 'cniVersion', 'ips', 'interfaces', 'sandbox', 'c2', 'good'],
    ...['/run/netns/pod2', '/run/netns/gone', 'e30=', '====', '0.1.0', '1.1.0', '9.9.9', 'null'],
  ],
  check: (input) => {
    for (const removed of [false, true]) {
      const node = new Node(`${NODE}${line(`${CONF}/10-net.conflist`, list())}`);
      must(node, 'add', NEIGHBOUR);
      must(node, 'add', FIRST);
      node.driver.file_write({ path: `${RESULTS}/net-c1-eth0`, content: input });
      const planted = node.text();
      node.task('check', FIRST);
      same('check', planted, node.text());
      if (removed) {
        node.driver.file_remove({ path: `${CONF}/10-net.conflist` });
        // Without its file the network may be in the entry; then DEL works from that.
        node.task('del', FIRST);
      } else {
        node.task('gc', FIRST);
        must(node, 'del', FIRST);
        nothingLeft('del', node.text(), 'pod', 'c1', 'eth0');
      }
      unharmed(node);
    }
  },
};
