// The host ABI: every power the core may ask of its host, as data. This table is the only source:
// core-as/host/imports.ts, core-as/sim/imports.ts and docs/host-abi.md are generated from it
// (`npm run generate`), and the TypeScript type of a driver is derived from it below.
// It refuses to know anything of CNI: an operation is a kernel or file primitive.
//
// Neutral on purpose, so that C, Go, Rust and a browser can host the same core.wasm. A request is
// flat arguments: i32, or `str`/`bytes` as pointer + length into the core's memory. An operation
// returns i32: >= 0 is its value, < 0 is -errno (POSIX numbers). A reply that varies in size lies
// in one reply slot, fetched with host.reply_len and host.reply_read; after a failure the slot
// holds the kernel's own words (UTF-8 text, may be empty). The host never calls the core back
// meanwhile.

/**
 * The name of the core's marker export; a changed meaning is a new number, a new operation is not.
 */
export const ABI_MARKER = 'fairlead_abi_1';

/** `ns` is a netns handle: 0 is the host's own, others come from kernel.netns_open. */
export type ParamType = 'i32' | 'ns' | 'str' | 'bytes' | 'out';
/** `none`: 0. `value`: the return itself. `json`, `bytes`: in the reply slot. */
export type ReplyType = 'none' | 'value' | 'json' | 'bytes';

export interface Operation {
  readonly module: 'host' | 'kernel' | 'nft' | 'store' | 'plugin';
  readonly name: string;
  readonly params: Readonly<Record<string, ParamType>>;
  readonly reply: ReplyType;
  /** Shape of the reply, in words or as a JSON example. */
  readonly gives: string;
  /** Errors the core tells apart; any other is passed on with its text. */
  readonly errors: readonly string[];
  /** The same thing said to iproute2 or coreutils. */
  readonly like: string;
  readonly about: string;
}

const LINK =
  '{"ifindex":5,"name":"eth0","kind":"veth","address":"0a:58:0a:01:02:03","mtu_bytes":1500,' +
  '"up":true,"promisc":false,"allmulti":false,"txqlen":1000,"operstate":"up","master":3,"peer":4,' +
  '"vlan_filtering":false,"table":0}';
const ROUTE =
  '{"dst":"0.0.0.0/0","gw":"10.1.2.1","src":"","scope":0,"table":254,"priority":0,' +
  '"mtu_bytes":0,"advmss":0,"protocol":3}';
const QDISC =
  '{"kind":"tbf","handle":65536,"rate":125000,"limit":13125,"buffer":156250}, the last three ' +
  'of a tbf, else 0; rate in bytes a second, limit in bytes, buffer in ticks of 64 ns';
const FIB_RULE = '{"src":"10.1.2.3/32","table":100,"priority":32765,"more":false}';
const ELEMENTS =
  '[{"key":"0a010203","data":"goto masq-10.1.2.0/24","comment":"…"}], data "" in a set';

export const OPERATIONS = [
  {
    module: 'host',
    name: 'reply_len',
    params: {},
    reply: 'value',
    gives: 'the byte length of the reply slot',
    errors: [],
    like: '',
    about: 'Length of what the last operation left in the reply slot.',
  },
  {
    module: 'host',
    name: 'reply_read',
    params: { into: 'out' },
    reply: 'value',
    gives: 'the number of bytes copied',
    errors: [],
    like: '',
    about: "Copies the reply slot into the core's own buffer, as much as fits.",
  },
  {
    module: 'host',
    name: 'stdin_read',
    params: { limit_bytes: 'i32' },
    reply: 'bytes',
    gives: 'everything on standard input',
    errors: ['EFBIG', 'EIO'],
    like: 'cat',
    about: 'Reads standard input to its end; EFBIG when there is more than the limit.',
  },
  {
    module: 'host',
    name: 'log',
    params: { text: 'str' },
    reply: 'none',
    gives: '',
    errors: [],
    like: 'echo $text >&2',
    about: 'Writes one line for a human to standard error.',
  },
  {
    module: 'host',
    name: 'sleep',
    params: { duration_ms: 'i32' },
    reply: 'none',
    gives: '',
    errors: [],
    like: 'sleep',
    about: 'Waits, for the bounded polls of a link or an address becoming ready.',
  },
  {
    module: 'host',
    name: 'panic',
    params: { msg: 'str', file: 'str', line: 'i32', col: 'i32' },
    reply: 'none',
    gives: '',
    errors: [],
    like: '',
    about: 'A failed assertion of the core: a bug. The core traps right after.',
  },
  {
    module: 'kernel',
    name: 'netns_open',
    params: { path: 'str' },
    reply: 'value',
    gives: 'a netns handle, >= 1',
    errors: ['ENOENT', 'EINVAL', 'EACCES'],
    like: 'ip netns attach',
    about: 'Opens a network namespace; EINVAL when the path is there but is not one.',
  },
  {
    module: 'kernel',
    name: 'netns_same',
    params: { a: 'ns', b: 'ns' },
    reply: 'value',
    gives: '1 when both are one namespace (device and inode equal), else 0',
    errors: [],
    like: '[ $a -ef $b ]',
    about: 'Compares two namespaces.',
  },
  {
    module: 'kernel',
    name: 'netns_id',
    params: { ns: 'ns' },
    reply: 'bytes',
    gives: 'text: cookie:NUMBER (SO_NETNS_COOKIE), before Linux 5.14 DEVICE:INODE of its file',
    errors: [],
    like: 'stat -Lc %d:%i $ns',
    about:
      'Tells a namespace from every other of this boot, also from a later one at the same path. ' +
      'A number of an inode may be given again.',
  },
  {
    module: 'kernel',
    name: 'netns_close',
    params: { ns: 'ns' },
    reply: 'none',
    gives: '',
    errors: [],
    like: 'exec {ns}<&-',
    about:
      'Gives a namespace back, with the sockets in it; netns_open may give its handle again. The ' +
      "host's own stays.",
  },
  {
    module: 'kernel',
    name: 'link_get',
    params: { ns: 'ns', name: 'str' },
    reply: 'json',
    gives: LINK,
    errors: ['ENODEV'],
    like: 'ip -d link show dev $name',
    about:
      'One link by name. `peer` is the ifindex of a veth\'s other end, `kind` "" for lo and ' +
      'NICs, `table` the routing table of a VRF, 0 for any other link.',
  },
  {
    module: 'kernel',
    name: 'link_get_index',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'json',
    gives: 'as link_get',
    errors: ['ENODEV'],
    like: 'ip -d link show',
    about: 'One link by ifindex.',
  },
  {
    module: 'kernel',
    name: 'link_list',
    params: { ns: 'ns' },
    reply: 'json',
    gives: `[${LINK}], by ifindex`,
    errors: [],
    like: 'ip -d link show',
    about: 'All links of a namespace.',
  },
  {
    module: 'kernel',
    name: 'link_add_bridge',
    params: { ns: 'ns', name: 'str', mtu_bytes: 'i32', vlan_filtering: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'EOPNOTSUPP'],
    like: 'ip link add $name mtu $mtu_bytes type bridge vlan_filtering $vlan_filtering',
    about:
      'Makes a bridge, down. mtu_bytes 0 leaves it to the kernel. EOPNOTSUPP: a kernel without ' +
      'VLAN filtering.',
  },
  {
    module: 'kernel',
    name: 'link_add_veth',
    params: {
      ns: 'ns',
      name: 'str',
      address: 'str',
      mtu_bytes: 'i32',
      master: 'i32',
      peer_ns: 'ns',
      peer_name: 'str',
      peer_address: 'str',
    },
    reply: 'none',
    gives: '',
    errors: ['EEXIST'],
    like:
      'ip link add $name address $address mtu $mtu_bytes master $master up type veth ' +
      'peer name $peer_name address $peer_address mtu $mtu_bytes netns $peer_ns',
    about:
      'Makes a veth pair in one message: this end up and in `master` (ifindex, 0 for none), the ' +
      'peer down in its own namespace. Empty addresses and mtu_bytes 0 are left to the kernel.',
  },
  {
    module: 'kernel',
    name: 'link_add_vrf',
    params: { ns: 'ns', name: 'str', table: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'EINVAL', 'EOPNOTSUPP'],
    like: 'ip link add $name type vrf table $table',
    about:
      'Makes a VRF over a routing table, down. EOPNOTSUPP: a kernel without VRF, told before ' +
      'EINVAL, which table 0 is.',
  },
  {
    module: 'kernel',
    name: 'link_set_up',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex up',
    about: 'Brings a link up.',
  },
  {
    module: 'kernel',
    name: 'link_set_down',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex down',
    about: 'Takes a link down.',
  },
  {
    module: 'kernel',
    name: 'link_set_promisc',
    params: { ns: 'ns', ifindex: 'i32', on: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex promisc on',
    about: 'Switches promiscuous mode.',
  },
  {
    module: 'kernel',
    name: 'link_set_allmulti',
    params: { ns: 'ns', ifindex: 'i32', on: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex allmulticast on',
    about: 'Switches the reception of all multicast frames.',
  },
  {
    module: 'kernel',
    name: 'link_set_mtu',
    params: { ns: 'ns', ifindex: 'i32', mtu_bytes: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'EINVAL'],
    like: 'ip link set dev $ifindex mtu $mtu_bytes',
    about: 'Sets the MTU; below 1280 the link loses IPv6. EINVAL: more or less than it can carry.',
  },
  {
    module: 'kernel',
    name: 'link_set_txqlen',
    params: { ns: 'ns', ifindex: 'i32', txqlen: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV'],
    like: 'ip link set dev $ifindex txqueuelen $txqlen',
    about: 'Sets the length of the transmit queue, in packets.',
  },
  {
    module: 'kernel',
    name: 'link_set_address',
    params: { ns: 'ns', ifindex: 'i32', address: 'str' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'EADDRNOTAVAIL'],
    like: 'ip link set dev $ifindex address $address',
    about: 'Sets the hardware address; a bridge then stops following its lowest port.',
  },
  {
    module: 'kernel',
    name: 'link_set_bridge_port',
    params: { ns: 'ns', ifindex: 'i32', hairpin: 'i32', isolated: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'EOPNOTSUPP'],
    like: 'bridge link set dev $ifindex hairpin $hairpin isolated $isolated',
    about: 'Sets the flags of a bridge port.',
  },
  {
    module: 'kernel',
    name: 'link_set_master',
    params: { ns: 'ns', ifindex: 'i32', master: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'EINVAL', 'EOPNOTSUPP'],
    like: 'ip link set dev $ifindex master $master',
    about:
      'Puts a link into a bridge or VRF, instead of one that it is in; master 0 takes it out. By ' +
      'way of a VRF the link goes down and up: it loses its routes, and IPv6 addresses unless ' +
      'net/ipv6/conf/…/keep_addr_on_down says otherwise.',
  },
  {
    module: 'kernel',
    name: 'link_del',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV'],
    like: 'ip link del dev $ifindex',
    about:
      'Removes a link; of a veth pair both ends go. When it answers nobody finds the link any ' +
      'more, and its name is free; the kernel may still be busy freeing it.',
  },
  {
    module: 'kernel',
    name: 'bridge_port_list',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'json',
    gives: '[7,9], ifindexes, ascending',
    errors: ['ENODEV'],
    like: 'ip link show master $ifindex',
    about: 'Ports of a bridge, up or not.',
  },
  {
    module: 'kernel',
    name: 'bridge_vlan_add',
    params: { ns: 'ns', ifindex: 'i32', vid: 'i32', vid_end: 'i32', pvid: 'i32', untagged: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'EOPNOTSUPP'],
    like: 'bridge vlan add dev $ifindex vid $vid-$vid_end pvid untagged',
    about: 'Lets VLANs vid..vid_end pass a bridge port.',
  },
  {
    module: 'kernel',
    name: 'bridge_vlan_del',
    params: { ns: 'ns', ifindex: 'i32', vid: 'i32', vid_end: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'EOPNOTSUPP'],
    like: 'bridge vlan del dev $ifindex vid $vid-$vid_end',
    about: 'Takes VLANs vid..vid_end off a bridge port; one that is not there is no error.',
  },
  {
    module: 'kernel',
    name: 'bridge_vlan_list',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'json',
    gives: '[{"vid":1,"pvid":true,"untagged":true}], ascending, ranges spread out',
    errors: ['ENODEV'],
    like: 'bridge vlan show dev $ifindex',
    about: 'VLANs of a bridge port.',
  },
  {
    module: 'kernel',
    name: 'addr_add',
    params: { ns: 'ns', ifindex: 'i32', address: 'str', nodad: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'ENODEV', 'EACCES'],
    like: 'ip addr add $address dev $ifindex nodad',
    about:
      'Adds an address with its prefix length, global scope; IPv4 with prefix < 31 gets the ' +
      'broadcast address. nodad (IPv6) skips duplicate address detection.',
  },
  {
    module: 'kernel',
    name: 'addr_del',
    params: { ns: 'ns', ifindex: 'i32', address: 'str' },
    reply: 'none',
    gives: '',
    errors: ['EADDRNOTAVAIL', 'ENODEV'],
    like: 'ip addr del $address dev $ifindex',
    about: 'Removes an address.',
  },
  {
    module: 'kernel',
    name: 'addr_list',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'json',
    gives: '[{"address":"10.1.2.3/24","scope":0,"tentative":false,"dadfailed":false}], IPv4 first',
    errors: ['ENODEV'],
    like: 'ip addr show dev $ifindex',
    about: 'Addresses of a link, link-local ones included.',
  },
  {
    module: 'kernel',
    name: 'route_add',
    params: {
      ns: 'ns',
      ifindex: 'i32',
      dst: 'str',
      gw: 'str',
      src: 'str',
      scope: 'i32',
      table: 'i32',
      priority: 'i32',
      mtu_bytes: 'i32',
      advmss: 'i32',
      protocol: 'i32',
    },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'ENETUNREACH', 'ENODEV'],
    like:
      'ip route prepend $dst via $gw dev $ifindex src $src scope $scope table $table ' +
      'metric $priority mtu $mtu_bytes advmss $advmss proto $protocol',
    about:
      'Adds a route; an exact duplicate is EEXIST, another next hop for the same destination is ' +
      'added beside the first. Empty gw or src and 0 leave an attribute out; table 0 is main, ' +
      'protocol 0 is boot (rtnetlink(7)).',
  },
  {
    module: 'kernel',
    name: 'route_del',
    params: { ns: 'ns', ifindex: 'i32', dst: 'str', gw: 'str', table: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ESRCH'],
    like: 'ip route del $dst via $gw dev $ifindex table $table',
    about: 'Removes the first route that matches.',
  },
  {
    module: 'kernel',
    name: 'route_list',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'json',
    gives: `[${ROUTE}], all tables but local, in the kernel's order; no multicast`,
    errors: ['ENODEV'],
    like: 'ip route show table all dev $ifindex',
    about: 'Unicast routes that leave by a link, of both families.',
  },
  {
    module: 'kernel',
    name: 'route_table_list',
    params: { ns: 'ns' },
    reply: 'json',
    gives: '[100,254,255], ascending',
    errors: [],
    like: 'ip route show table all',
    about: 'Numbers of the routing tables of both families that hold a route of whatever type.',
  },
  {
    module: 'kernel',
    name: 'route_get',
    params: { ns: 'ns', dst: 'str' },
    reply: 'json',
    gives: 'as an entry of route_list, with "ifindex":2',
    errors: ['ENETUNREACH'],
    like: 'ip route get fibmatch $dst',
    about:
      'The unicast route that a packet to an address would take, of several next hops one. ' +
      "ENETUNREACH: there is none, or the address is the namespace's own or a group's.",
  },
  {
    module: 'kernel',
    name: 'link_add_ifb',
    params: { ns: 'ns', name: 'str', address: 'str', mtu_bytes: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'EADDRNOTAVAIL', 'EOPNOTSUPP'],
    like: 'ip link add $name address $address mtu $mtu_bytes txqueuelen 0 up type ifb',
    about:
      'Makes an ifb, up, its transmit queue of length 0. Empty address and mtu_bytes 0 are left ' +
      'to the kernel. EADDRNOTAVAIL: no unicast address, told before anything is made; ' +
      'EOPNOTSUPP: a kernel without ifb.',
  },
  {
    module: 'kernel',
    name: 'qdisc_get',
    params: { ns: 'ns', ifindex: 'i32', parent: 'i32' },
    reply: 'json',
    gives: QDISC,
    errors: ['ENODEV', 'ENOENT'],
    like: 'tc qdisc show dev $ifindex $parent',
    about:
      'The qdisc at a place of linux/pkt_sched.h: TC_H_ROOT (-1), TC_H_INGRESS (-15). handle 0: ' +
      "the kernel's own default. ENOENT: none, as of a link that was never up.",
  },
  {
    module: 'kernel',
    name: 'qdisc_add_ingress',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'ENODEV', 'ENOENT'],
    like: 'tc qdisc add dev $ifindex handle ffff: ingress',
    about:
      'Adds the qdisc that filters of incoming packets hang on. EEXIST: it or a clsact is there.',
  },
  {
    module: 'kernel',
    name: 'qdisc_add_tbf',
    params: {
      ns: 'ns',
      ifindex: 'i32',
      handle: 'i32',
      rate_low: 'i32',
      rate_high: 'i32',
      limit_bytes: 'i32',
      buffer_ticks: 'i32',
    },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'ENODEV', 'ENOENT', 'EINVAL'],
    like:
      'tc qdisc add dev $ifindex root handle $handle tbf rate $rate_low ' +
      'limit $limit_bytes burst $buffer_ticks',
    about:
      'Puts a token bucket filter (struct tc_tbf_qopt) at the root. The rate is in bytes a ' +
      'second, in two halves of 32 bits; from 2^32 on it goes into TCA_TBF_RATE64. buffer_ticks: ' +
      'the time of a burst, 64 ns each. All are unsigned; no peak rate, no rate table. EEXIST: a ' +
      "root other than the kernel's default; EINVAL: a burst below one byte; ENOENT: a kernel " +
      'without tbf.',
  },
  {
    module: 'kernel',
    name: 'qdisc_del',
    params: { ns: 'ns', ifindex: 'i32', parent: 'i32', handle: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'ENOENT', 'EINVAL'],
    like: 'tc qdisc del dev $ifindex $parent handle $handle',
    about:
      'Removes the qdisc at a place, as qdisc_get has it, with what hangs on it. ENOENT, EINVAL: ' +
      'there is none of this handle.',
  },
  {
    module: 'kernel',
    name: 'filter_list',
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'json',
    gives: '[{"pref":1,"kind":"u32","handle":2147485696,"to":7}], by pref; to 0: no redirection',
    errors: ['ENODEV'],
    like: 'tc filter show dev $ifindex ingress',
    about:
      'Filters of incoming packets, heads and hash tables included. `to` is the ifindex of the ' +
      'link that a u32 filter redirects to.',
  },
  {
    module: 'kernel',
    name: 'filter_add_redirect',
    params: { ns: 'ns', ifindex: 'i32', pref: 'i32', to: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'ENOENT', 'EINVAL'],
    like:
      'tc filter add dev $ifindex ingress protocol all pref $pref ' +
      'u32 match u32 0 0 flowid 1:1 action mirred egress redirect dev $to',
    about:
      'Sends all incoming packets out of another link (an ifb gives them back). EINVAL: no qdisc ' +
      'to hang it on, or a filter of another kind has the pref; ENOENT: a kernel without u32 or ' +
      'mirred.',
  },
  {
    module: 'kernel',
    name: 'filter_del',
    params: { ns: 'ns', ifindex: 'i32', pref: 'i32', handle: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENODEV', 'ENOENT', 'EINVAL'],
    like: 'tc filter del dev $ifindex ingress protocol all pref $pref handle $handle u32',
    about:
      'Removes one u32 filter of incoming packets, with handle 0 all of that pref. ENOENT: there ' +
      'is none; EINVAL: nor a qdisc that it could hang on.',
  },
  {
    module: 'kernel',
    name: 'fib_rule_add',
    params: { ns: 'ns', src: 'str', table: 'i32', priority: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'EOPNOTSUPP'],
    like: 'ip rule add from $src table $table priority $priority',
    about:
      'Has packets from a prefix, at least one bit long, looked up in a table. priority 0 puts ' +
      'the rule before all but the first. EOPNOTSUPP: a kernel without policy routing.',
  },
  {
    module: 'kernel',
    name: 'fib_rule_del',
    params: { ns: 'ns', src: 'str', table: 'i32', priority: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['ENOENT', 'EOPNOTSUPP'],
    like: 'ip rule del from $src table $table priority $priority',
    about: 'Removes the first rule that matches, of whatever priority when it is 0.',
  },
  {
    module: 'kernel',
    name: 'fib_rule_list',
    params: { ns: 'ns' },
    reply: 'json',
    gives: `[${FIB_RULE}], IPv4 first, in the order in which they are asked`,
    errors: ['EOPNOTSUPP'],
    like: 'ip rule show',
    about:
      'Policy routing rules of both families; src "" is any, table 0 none. more: the rule asks ' +
      'for more than the source, or does something else than look into its table.',
  },
  {
    module: 'kernel',
    name: 'sysctl_read',
    params: { ns: 'ns', key: 'str' },
    reply: 'bytes',
    gives: 'the value without its newline',
    errors: ['ENOENT', 'EACCES'],
    like: 'cat /proc/sys/$key',
    about: 'Reads a sysctl of the namespace; the key is the path below /proc/sys/ and starts net/.',
  },
  {
    module: 'kernel',
    name: 'sysctl_write',
    params: { ns: 'ns', key: 'str', value: 'str' },
    reply: 'none',
    gives: '',
    errors: ['ENOENT', 'EACCES', 'EROFS', 'EINVAL'],
    like: 'echo $value > /proc/sys/$key',
    about: 'Writes a sysctl of the namespace; same keys as sysctl_read.',
  },
  {
    module: 'kernel',
    name: 'conntrack_del',
    params: {
      ns: 'ns',
      family: 'i32',
      protocol: 'i32',
      dst: 'str',
      dport: 'i32',
      dport_end: 'i32',
      reply_src: 'str',
    },
    reply: 'value',
    gives: 'how many there were',
    errors: ['EINVAL'],
    like:
      'conntrack -D -f $family -p $protocol --orig-dst $dst --orig-port-dst $dport-$dport_end ' +
      '--reply-src $reply_src',
    about:
      'Forgets tracked flows: of a family (linux/netfilter.h: 2 IPv4, 10 IPv6) and a protocol ' +
      '(IPPROTO_*), whose first packet went to a port in dport..dport_end and, unless empty, the ' +
      'address dst, and whose answers come, unless empty, from the address reply_src. EINVAL: ' +
      'a kernel without ctnetlink.',
  },
  {
    module: 'nft',
    name: 'batch',
    params: { ns: 'ns', messages: 'bytes', words: 'str' },
    reply: 'none',
    gives: '',
    errors: ['ENOENT', 'EEXIST', 'EBUSY', 'EINVAL', 'ERESTART', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft -f - <<< "$words"',
    about:
      'Sends one nftables transaction; all of it happens or nothing. `messages` are nfnetlink ' +
      'messages from begin to end, numbered from 0, the last before the end asking for an ' +
      'acknowledgement; `words` say the same, a command a line. The error is that of the first ' +
      'message that failed. The begin may name a generation, in the words "# generation N": ' +
      'ERESTART when it is not that of now. What was deleted is out of sight when it answers; ' +
      'the kernel may still be busy freeing it.',
  },
  {
    module: 'nft',
    name: 'generation',
    params: { ns: 'ns' },
    reply: 'json',
    gives: 'a number that is never 0',
    errors: ['EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft monitor',
    about: 'The generation of all tables: each transaction of anybody that changes them ends one.',
  },
  {
    module: 'nft',
    name: 'rule_list',
    params: { ns: 'ns', family: 'i32', table: 'str' },
    reply: 'json',
    gives: '[{"chain":"postrouting","comment":"…"}], in the order of the kernel',
    errors: ['EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft list table $family $table',
    about:
      'The comment of every rule of a table, "" for none. A table that is not there has no ' +
      'rules. family is a number of linux/netfilter.h: 1 inet, 7 bridge.',
  },
  {
    module: 'nft',
    name: 'chain_get',
    params: { ns: 'ns', family: 'i32', table: 'str', chain: 'str' },
    reply: 'json',
    gives:
      '{"use":2,"rules":[{"handle":7,"comment":"…","does":["counter","jump CNI-ADMIN"]}]}, ' +
      'in the order of the kernel',
    errors: ['ENOENT', 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft -a list chain $family $table $chain',
    about:
      'One chain: how many rules it has and rules and elements lead to it, in sum (`use`), and ' +
      'the handle and comment of its rules, and what their expressions are called in the kernel ' +
      '(linux/netfilter/nf_tables.h), a verdict in the words of nft, a match or a target of ' +
      'xtables with its name.',
  },
  {
    module: 'nft',
    name: 'chain_list',
    params: { ns: 'ns', hooknum: 'i32' },
    reply: 'json',
    gives: '[{"family":2,"table":"filter","chain":"FORWARD","priority":0,"policy":"drop"}]',
    errors: ['EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft list chains',
    about:
      'Base chains of all tables and families at a hook, a number of linux/netfilter.h: 2 forward.',
  },
  {
    module: 'nft',
    name: 'element_list',
    params: { ns: 'ns', family: 'i32', table: 'str', set: 'str' },
    reply: 'json',
    gives: ELEMENTS,
    errors: ['ENOENT', 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft list set $family $table $set',
    about: "All elements of a set or map: bytes in hex, a verdict in nft's words.",
  },
  {
    module: 'nft',
    name: 'element_get',
    params: { ns: 'ns', family: 'i32', table: 'str', set: 'str', key: 'bytes' },
    reply: 'json',
    gives: 'as element_list, with one element',
    errors: ['ENOENT', 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft get element $family $table $set { $key }',
    about: 'The element of a key; ENOENT when it, its set or its table is not there.',
  },
  {
    module: 'store',
    name: 'dir_lock',
    params: { dir: 'str', create: 'i32', timeout_ms: 'i32' },
    reply: 'value',
    gives: 'a lock handle, >= 1',
    errors: ['ENOENT', 'ETIMEDOUT'],
    like: 'mkdir -p $dir; flock -x -w $timeout_ms $dir/lock',
    about:
      "Takes the exclusive flock on $dir/lock, host-local's own. create 0: ENOENT when the " +
      'folder is missing. After ETIMEDOUT the reply text says which process holds it.',
  },
  {
    module: 'store',
    name: 'dir_unlock',
    params: { lock: 'i32' },
    reply: 'none',
    gives: '',
    errors: [],
    like: 'exec {lock}>&-',
    about: 'Gives the lock back.',
  },
  {
    module: 'store',
    name: 'dir_make',
    params: { dir: 'str' },
    reply: 'none',
    gives: '',
    errors: [],
    like: 'mkdir -p $dir',
    about: 'Makes a folder (mode 0755) and those above it; one that is there is fine.',
  },
  {
    module: 'store',
    name: 'file_before_boot',
    params: { path: 'str' },
    reply: 'value',
    gives: '1 when the file was written before this machine was started, else 0',
    errors: ['ENOENT'],
    like: '[ $path -ot /proc/1 ]',
    about: 'Compares the time a file was last written with the boot time (btime of proc_stat(5)).',
  },
  {
    module: 'store',
    name: 'file_mtime',
    params: { path: 'str' },
    reply: 'bytes',
    gives: 'the text "1764248932.123456789": seconds since 1970, a point, nine digits',
    errors: ['ENOENT'],
    like: 'stat -L -c %.9Y $path',
    about:
      'The time a file was last written, or a name in a folder last made or removed, as the file ' +
      'system keeps it; links are followed.',
  },
  {
    module: 'store',
    name: 'file_set_mtime',
    params: { path: 'str', mtime: 'str' },
    reply: 'none',
    gives: '',
    errors: ['ENOENT', 'EINVAL', 'EPERM'],
    like: 'touch -c -m -d @$mtime $path',
    about:
      'Sets the time that file_mtime gives, of a file or folder, to the nanosecond if the file ' +
      'system can; the time of the last access stays. EINVAL: another form of text.',
  },
  {
    module: 'store',
    name: 'dir_list',
    params: { dir: 'str' },
    reply: 'json',
    gives: '["10-podnet.conflist"], names, sorted bytewise',
    errors: ['ENOENT', 'ENOTDIR'],
    like: 'find -L $dir -maxdepth 1 -type f -printf "%f\\n"',
    about: 'Names of the regular files of a folder, links followed.',
  },
  {
    module: 'store',
    name: 'file_list',
    params: { dir: 'str' },
    reply: 'json',
    gives: '[{"name":"10.1.2.3","content":"c1\\r\\neth0"}], by name; content null: see there',
    errors: ['ENOENT'],
    like: 'tail -n +1 $dir/*',
    about:
      'Regular files of a folder with their text; the content of one that is longer than 64 KiB ' +
      'or no UTF-8 is null.',
  },
  {
    module: 'store',
    name: 'file_read',
    params: { path: 'str', limit_bytes: 'i32' },
    reply: 'bytes',
    gives: 'the content',
    errors: ['ENOENT', 'EISDIR', 'EFBIG'],
    like: 'cat $path',
    about: 'Reads a file; EFBIG when it is larger than the limit.',
  },
  {
    module: 'store',
    name: 'file_create',
    params: { path: 'str', content: 'bytes', replace_empty: 'i32' },
    reply: 'none',
    gives: '',
    errors: ['EEXIST', 'ENOENT', 'ENOSPC'],
    like: 'set -C; cat > $path',
    about:
      'Makes a file (mode 0600) with its content at once: a reader sees all of it or no file. ' +
      'replace_empty 1 takes the place of a zero-byte file, the trace of a crashed writer.',
  },
  {
    module: 'store',
    name: 'file_write',
    params: { path: 'str', content: 'bytes' },
    reply: 'none',
    gives: '',
    errors: ['ENOENT', 'ENOSPC'],
    like: 'cat > $path.new; mv $path.new $path',
    about: 'Replaces a file (mode 0600) at once.',
  },
  {
    module: 'store',
    name: 'file_remove',
    params: { path: 'str' },
    reply: 'none',
    gives: '',
    errors: ['ENOENT'],
    like: 'rm $path',
    about: 'Removes a file.',
  },
  {
    module: 'plugin',
    name: 'exec',
    params: { path: 'str', env: 'bytes', stdin: 'bytes', timeout_ms: 'i32' },
    reply: 'json',
    gives: '{"exit_code":0,"signal":"","stdout":"…","stderr":"…"}; exit_code -1 after a signal',
    errors: ['ENOENT', 'EACCES', 'ETIMEDOUT', 'EFBIG'],
    like: 'env $env timeout $timeout_ms $path <<< "$stdin"',
    about:
      "Runs a program to its end: the host's environment with $env (NAME=value, each ended by a " +
      'NUL byte) over it, at most 1 MiB of output. What it says on standard error is passed on.',
  },
] as const satisfies readonly Operation[];

type Op = (typeof OPERATIONS)[number];
type Arg<T> = T extends 'i32' | 'ns' ? number : T extends 'str' ? string : Uint8Array;
type Args<P> = { -readonly [K in keyof P]: Arg<P[K]> };
type Reply<R> = R extends 'value'
  ? number
  : R extends 'json'
    ? unknown
    : R extends 'bytes'
      ? Uint8Array
      : void;

/**
 * What performs the operations of all modules but host. Arguments come by name. A method
 * returns its value or reply, or throws an {@link OsError}. A driver that lacks an operation does
 * not compile.
 */
export type Driver = {
  [O in Exclude<Op, { module: 'host' }> as O['name']]: (
    args: Args<O['params']>,
  ) => Reply<O['reply']>;
};

/** A failed operation: POSIX errno, and the kernel's own words where it gave any. */
export class OsError extends Error {
  readonly errno: number;
  readonly text: string;
  constructor(errno: number, text = '') {
    super(text === '' ? `errno ${errno}` : `errno ${errno}: ${text}`);
    this.errno = errno;
    this.text = text;
  }
}

/** A link, as link_get gives it. */
export interface Link {
  readonly ifindex: number;
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly mtu_bytes: number;
  readonly up: boolean;
  readonly promisc: boolean;
  readonly allmulti: boolean;
  readonly txqlen: number;
  readonly operstate: string;
  readonly master: number;
  readonly peer: number;
  readonly vlan_filtering: boolean;
  readonly table: number;
}

/** An address, as addr_list gives it; scope is the kernel's number (rtnetlink(7): 0 global). */
export interface Address {
  readonly address: string;
  readonly scope: number;
  readonly tentative: boolean;
  readonly dadfailed: boolean;
}

/**
 * A route, as route_list gives it; dst always has a prefix length, "" stands for an absent gw or
 * src.
 */
export interface Route {
  readonly dst: string;
  readonly gw: string;
  readonly src: string;
  readonly scope: number;
  readonly table: number;
  readonly priority: number;
  readonly mtu_bytes: number;
  readonly advmss: number;
  readonly protocol: number;
}

/** A route with the link it leaves by, as route_get gives it. */
export interface RouteTo extends Route {
  readonly ifindex: number;
}

/** A policy routing rule, as fib_rule_list gives it. */
export interface FibRule {
  readonly src: string;
  readonly table: number;
  readonly priority: number;
  readonly more: boolean;
}

/** A VLAN of a bridge port, as bridge_vlan_list gives it. */
export interface PortVlan {
  readonly vid: number;
  readonly pvid: boolean;
  readonly untagged: boolean;
}

/** A qdisc, as qdisc_get gives it: rate in bytes a second, limit in bytes, buffer in 64 ns. */
export interface Qdisc {
  readonly kind: string;
  readonly handle: number;
  readonly rate: number;
  readonly limit: number;
  readonly buffer: number;
}

/** A filter of incoming packets, as filter_list gives it. */
export interface Filter {
  readonly pref: number;
  readonly kind: string;
  readonly handle: number;
  readonly to: number;
}

/** A rule, as rule_list gives it. */
export interface NftRule {
  readonly chain: string;
  readonly comment: string;
}

/** A chain, as chain_get gives it. */
export interface NftChain {
  readonly use: number;
  readonly rules: readonly {
    readonly handle: number;
    readonly comment: string;
    readonly does: readonly string[];
  }[];
}

/** A base chain, as chain_list gives it. */
export interface NftBase {
  readonly family: number;
  readonly table: string;
  readonly chain: string;
  readonly priority: number;
  readonly policy: string;
}

/** An element of a set or map, as element_list gives it. */
export interface NftElement {
  readonly key: string;
  readonly data: string;
  readonly comment: string;
}

/** The part of the table that a driver serves. */
export const DRIVER_OPERATIONS: readonly Operation[] = OPERATIONS.filter(
  (op) => op.module !== 'host',
);
