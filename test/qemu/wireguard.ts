// SPDX-License-Identifier: Apache-2.0
// `npm run test:qemu -- wireguard`, once all is built: two nodes by WireGuard in Debian's kernel,
// as no other at hand need have it. Agents as they are installed, pods by hand, packets, and a key
// that is rotated under them. All that runs is in the initial files, so that it takes minutes. It
// owns the kernel and what is expected, and refuses to change a file of the machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { debianKernel, modulesOf, ROOT } from './kernel.ts';

const LIMIT_MS = 300_000;
const MEMORY_MB = 2048;
const EXIT_FAILED = 1;
const say = (line: string): void => console.log(`qemu: ${line}`);

const configOf = (node: string): string =>
  JSON.stringify({
    ...{ name: 'pods', node, listen: '127.0.0.1:9473' },
    'net-conf': {
      ...{ Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48' },
      Backend: { Type: 'wireguard' },
    },
    source: { type: 'file', path: '/tmp/nodes.json' },
  });

/** The file of nodes, with shell variables for their keys. */
const nodesOf = (addresses: (own: number) => readonly string[]): string =>
  JSON.stringify({
    nodes: ['a', 'b'].map((name, at) => ({
      ...{ name, addresses: addresses(at + 1), mtu_bytes: 1500, public_key: `$KEY_${name}` },
      subnets: [`10.244.${at + 1}.0/24`, `fd00:244:0:${at + 1}::/64`],
    })),
  }).replaceAll('"', '\\"');
const BOTH = nodesOf((own) => [`192.0.2.${own}`, `2001:db8::${own}`]);
const IPV6_ALONE = nodesOf((own) => [`2001:db8::${own}`]);

const PINGS = '-q -i 0.05 -c 200 -W 8';
/** What the kernel runs first and only. */
const INIT = `#!/bin/sh
export PATH=/bin
busybox mount -t proc proc /proc; busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
for dir in /tmp /run; do busybox mount -t tmpfs tmpfs $dir; done
for module in /modules/*; do busybox insmod $module; done
for name in a b pod-a pod-b; do ip netns add $name; done
ip link add eth0 netns a type veth peer name eth0 netns b
wire() {
  node="ip -n $1"; pod="ip -n pod-$1"; subnet=10.244.$2; subnet6=fd00:244:0:$2:
  $node addr add 192.0.2.$2/24 dev eth0; $node addr add 2001:db8::$2/64 dev eth0 nodad
  $node link set eth0 up; $node link set lo up
  $node link add pod mtu 1440 type veth peer name eth0 mtu 1440 netns pod-$1
  $node addr add $subnet.1/32 dev pod; $node addr add $subnet6:1/128 dev pod nodad
  $node link set pod up; $node route add $subnet.2 dev pod; $node route add $subnet6:2 dev pod
  $pod addr add $subnet.2/32 dev eth0; $pod addr add $subnet6:2/128 dev eth0 nodad
  $pod link set eth0 up
  for gateway in $subnet.1 $subnet6:1; do
    $pod route add $gateway dev eth0; $pod route add default via $gateway
  done
  ip netns exec $1 sh -c 'for key in ipv4/ip_forward ipv6/conf/all/forwarding; do
    echo 1 >/proc/sys/net/$key; done'
}
wire a 1; wire b 2
echo '${configOf('a')}' >/tmp/a.json; echo '${configOf('b')}' >/tmp/b.json
rotate() { fairlead agent rotate-key --config /tmp/$1.json --disk-dir /tmp/$1.disk; }
KEY_a=$(rotate a); KEY_b=$(rotate b)
nodes() { echo "$1" >/tmp/next; busybox mv /tmp/next /tmp/nodes.json; }
nodes "${BOTH}"
for node in a b; do
  ip netns exec $node fairlead agent --config /tmp/$node.json --state-dir /tmp/$node.state \\
    --disk-dir /tmp/$node.disk >/tmp/$node.log 2>&1 &
done
wait_for() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1)); [ $tries -lt 200 ] || { echo "never: $*"; busybox poweroff -f; }
    busybox sleep 0.2
  done
}
for node in a b; do
  wait_for busybox grep -q '"ready":true' /tmp/$node.state/overlay/pods.json
done
reaches() { ip netns exec pod-a ping -q -c1 -W1 -M do -s $(($2 - $3)) $1 >/dev/null 2>&1; }
fits() { reaches $1 $2 $3 && echo "$1 $2" || echo "$1 $2 no"; }
both() { fits 10.244.2.2 $1 28; fits fd00:244:0:2::2 $1 48; }
wait_for reaches 10.244.2.2 100 28; wait_for reaches fd00:244:0:2::2 100 48
both 1440; both 1441
ip netns exec pod-a ping ${PINGS} 10.244.2.2 >/tmp/to-b 2>&1 & first=$!
ip netns exec pod-b ping ${PINGS} 10.244.1.2 >/tmp/to-a 2>&1 & second=$!
busybox sleep 2
before=$KEY_a; KEY_a=$(rotate a); nodes "${BOTH}"
wait $first $second
[ "$before" != "$KEY_a" ] && echo rotated
busybox grep -ho '[0-9]* received' /tmp/to-b /tmp/to-a
counts() { ip netns exec a busybox wget -qO- http://127.0.0.1:9473/metrics |
  busybox awk '/^fairlead_(resyncs|repairs|refused)_total/ { print $2 }' | busybox tr '\\n' ' '; }
before=$(counts); busybox touch /tmp/nodes.json; busybox sleep 2; after=$(counts)
echo "$before/ $after" |
  busybox awk '{ print ($5 > $1) " look, " ($6 - $2) " repairs, " $7 " refused" }'
ip -n a link del fl.1; busybox sleep 1; wait_for reaches 10.244.2.2 100 28; echo healed
nodes "${IPV6_ALONE}"; busybox sleep 3; wait_for reaches 10.244.2.2 100 28
# The first packet that is too large teaches the pod's kernel.
for pod in 10.244.2.2 fd00:244:0:2::2; do reaches $pod 1440 48; done
both 1408; both 1409
echo end
busybox poweroff -f
`;

const EXPECTED = [
  ...['10.244.2.2 1440', 'fd00:244:0:2::2 1440', '10.244.2.2 1441 no', 'fd00:244:0:2::2 1441 no'],
  ...['rotated', '200 received', '200 received', '1 look, 0 repairs, 0 refused', 'healed'],
  ...['10.244.2.2 1408', 'fd00:244:0:2::2 1408', '10.244.2.2 1409 no', 'fd00:244:0:2::2 1409 no'],
  'end',
];

const run = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8' });

/** Puts a program below a folder, with the libraries that it loads where it looks for them. */
function put(root: string, program: string, name: string): void {
  copyFileSync(program, join(root, 'bin', name));
  const told = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout;
  for (const [library] of told.matchAll(/\/\S+/g)) {
    const copy = join(root, library);
    if (existsSync(copy) || library === `${program}:`) continue;
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(library, copy);
  }
}

function pack(folder: string, modules: readonly string[]): string {
  const root = join(folder, 'root');
  for (const dir of ['bin', 'modules', 'proc', 'sys', 'dev', 'tmp', 'run']) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  const found = (name: string) => run('sh', ['-c', `command -v ${name}`]).trim();
  for (const name of ['busybox', 'ip', 'ping']) put(root, found(name), name);
  put(root, found('dash'), 'sh');
  put(root, join(ROOT, 'dist/fairlead'), 'fairlead');
  for (const [at, path] of modules.entries()) {
    copyFileSync(path, join(root, 'modules', `${String(at).padStart(2, '0')}-${basename(path)}`));
  }
  writeFileSync(join(root, 'init'), INIT, { mode: 0o755 });
  const initial = join(folder, 'initrd');
  run('sh', ['-ec', `cd ${root}; find . | busybox cpio -o -H newc 2>/dev/null >${initial}`]);
  return initial;
}

/** The lines that the script says, without what the kernel says. */
function linesOf(kernel: string, initial: string): string[] {
  const accelerator = existsSync('/dev/kvm') ? 'kvm:tcg' : 'tcg';
  const { stdout, stderr } = spawnSync(
    'qemu-system-x86_64',
    [
      ...['-machine', `accel=${accelerator}`, '-cpu', 'max', '-smp', '2', '-m', `${MEMORY_MB}`],
      ...['-kernel', kernel, '-initrd', initial, '-no-reboot', '-nodefaults', '-display', 'none'],
      ...['-append', 'console=ttyS0 loglevel=3 panic=-1', '-serial', 'stdio'],
    ],
    {
      encoding: 'utf8',
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  if (stderr !== '') say(stderr.trim());
  return stdout.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('['));
}

function main(): number {
  const kernel = debianKernel(say);
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-wireguard-'));
  try {
    const initial = pack(folder, modulesOf(kernel, ['wireguard', 'veth']));
    say(`two nodes by WireGuard in Linux ${kernel.release}`);
    const lines = linesOf(kernel.image, initial);
    if (isDeepStrictEqual(lines, EXPECTED)) {
      console.log('1 passed, 0 failed, 0 skipped');
      return 0;
    }
    for (const line of lines) say(line);
    say(`expected: ${EXPECTED.join('; ')}`);
    console.log('0 passed, 1 failed, 0 skipped');
    return EXIT_FAILED;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exit(main());
