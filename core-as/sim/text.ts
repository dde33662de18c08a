// SPDX-License-Identifier: Apache-2.0
// The state of the simulated kernel as text, and the one description of that text's format. The
// real kernel is printed in the same (test/support/oracle.ts), so that both can be compared.
// Reading it back is parse.ts.
//
//   # a comment; blank lines are ignored
//   netns host
//   link lo up address 00:00:00:00:00:00 mtu 65536
//   link cni0 kind bridge up address 02:00:5e:00:00:02 mtu 1500 vlan_filtering promisc operstate up
//   link eth5 kind veth up address 02:… mtu 1500 operstate up master cni0 peer pod/eth0 hairpin
//   link eth6 kind veth up address 02:… mtu 1400 allmulti txqlen 500 operstate up peer pod/eth1
//   link vrf0 kind vrf up address 02:… mtu 65575 operstate up table 10
//   link eth7 kind veth up address 02:… mtu 1500 operstate up master vrf0 peer pod/eth2
//   link eth8 kind macvlan up address 02:… mtu 1500 operstate up mode bridge lower host/eth0
//   link eth9 kind ipvlan up address 02:… mtu 1500 mode l2 lower host/eth0
//   link eth10 kind vlan up address 02:… mtu 1500 operstate up id 100 lower host/eth0
//   link eth9 up address 02:… mtu 1500 operstate up permaddr 02:… alias net1
//   link tap0 kind tun up address 02:… mtu 1500 multi_queue owner 0 group 12 operstate down
//   addr 10.1.2.1/24 dev cni0
//   vlan 1 dev eth5 pvid untagged
//   route 10.1.2.0/24 dev cni0 proto kernel scope link src 10.1.2.1
//   route 0.0.0.0/0 via 10.1.2.2 dev cni0 proto boot metric 100 table 200 mtu 1400 advmss 1360
//   rule 32765 from 10.1.2.3/32 table 100
//   rule 50 from 10.1.2.3/32 fwmark 7 table 100 somebody else's
//   sysctl net/ipv4/ip_forward 1
//   filter u32 dev eth5 pref 1 redirect ifb0    of what comes in; without redirect whatever it does
//   qdisc tbf 1: dev eth5 rate 125000 limit 13125 buffer 156250
//   qdisc ingress ffff: dev eth5                or clsact; any other kind is somebody's at the root
//   nft masq 1                                  the chains of a part of our tables, intact
//   nft chain masq-10.1.2.0/24                  and those that elements lead to
//   nft element masq4 10.1.2.3 : goto masq-10.1.2.0/24 "net c1 eth0"
//   nft admin CNI-ADMIN                         a chain of an administrator, jumped to
//   nft rule CNI-ADMIN ip saddr 10.1.2.3 drop   what he wrote there
//   nft table ip filter                         somebody else's, whatever lies in it
//   nft forward ip filter FORWARD 0 drop        a base chain in it: priority, policy
//   nft chain ip filter CNI-ADMIN               one that is in no hook
//   nft in ip filter FORWARD 1 counter drop     the first rule of such a chain
//   conntrack udp src 192.0.2.2 sport 5000 dst 192.0.2.1 dport 53 reply src 10.1.2.3 sport 53
//   netns pod
//   link lo down address 00:00:00:00:00:00 mtu 65536
//   …
//   file /var/lib/cni/networks/n/10.1.2.3 "c1\r\neth0"
//   plugin /opt/cni/bin/other-ipam 0 "{…}"      says that and exits so, whatever it is asked
//   file /var/lib/cni/networks/n/10.1.2.4 "c9\r\neth0" before-boot
//
// The path /run/netns/NAME leads to a namespace. One that other paths lead to has lines of its own
// for them, and no line with its name alone unless /run/netns/NAME is there too:
//   netns proc-4242 path /proc/4242/ns/net
//   netns proc-4242 path /run/user/1000/netns/pod
//
// A link of a kind that is not modelled has any kind, hardware address and MTU, and its master may
// be of any kind. "address none" stands for a link without a hardware address, "peer ?" for a veth
// whose other end lies in a namespace that the text does not have.
//
// Read, and never written:
//   complete              the text says all: an address brings no route, lo no addresses, a bridge
//                         port no VLAN but those that have a line
//   folder /run/fairlead  a folder; those above a file or folder are there anyway
//
// Order: the host, then other namespaces by name; in each the groups link, addr, vlan, route,
// rule, sysctl, tc (qdisc and filter), nft, conntrack, each sorted bytewise; files last, by path.
// The rate of a tbf is in bytes a second, its limit in bytes, its buffer in ticks of 64 ns.
// Words stand in the order shown; "isolated" follows "hairpin". Left out are: a word that says
// nothing (no master, promisc off, txqlen 1000, bcqueuelen 1000, a lower link that is not in the
// text); the operstate of lo and of ipvlans, and "lowerlayerdown" is "down" (which of both the
// kernel says depends on ifindexes that happen to be equal in two namespaces); scope global, table
// main, metric 0 of IPv4 and 1024 of IPv6; fe80::/10 and ff00::/8, addresses and routes; table
// local; rules that every namespace or VRF has, and those that ask for more than source and mark;
// VLANs of a bridge itself and of ports of a bridge without vlan_filtering, where they do nothing;
// sysctls that have their default, and of `all` and `default` any but forwarding and
// net/ipv4/conf/all/accept_redirects, whose default is that of a router or of a host; folders,
// files called lock, the times of files but for before-boot, and what is below
// /run/fairlead/leases: it says of the leases what their files say, or nothing that anybody
// believes.
import { Ip } from "../lib/ip";
import { json_write_string } from "../lib/json";
import { ByteWriter, utf8_decode } from "../lib/utf8";
import { flow_lines } from "./conntrack";
import { LOCK_NAME } from "./files";
import { TXQLEN_DEFAULT } from "./kinds";
import { Conf, KNOBS, Knob } from "./knobs";
import { nft_lines } from "./nft";
import { operstate } from "./operstate";
import {
  Addr,
  Link,
  Route,
  SCOPE_HOST,
  SCOPE_LINK,
  Space,
  state,
  TABLE_LOCAL,
  TABLE_MAIN,
} from "./state";
import { tc_lines } from "./tc";

/** Words for numbers, by which protocols and scopes are read and written. */
export const PROTOCOL_NAMES: string[] = ["kernel", "boot", "static", "ra"];
export const PROTOCOL_NUMBERS: i32[] = [2, 3, 4, 9];
export const SCOPE_NAMES: string[] = ["global", "site", "link", "host", "nowhere"];
export const SCOPE_NUMBERS: i32[] = [0, 200, SCOPE_LINK, SCOPE_HOST, 255];
/** The index of leases (core-as/plugins/ipam/host-local/lease-index.ts). */
const INDEX_DIR = "/run/fairlead/leases/";
export const METRIC_DEFAULT6: u32 = 1024;

function word_for(number: i32, names: string[], numbers: i32[]): string {
  const at = numbers.indexOf(number);
  return at < 0 ? number.toString() : names[at];
}

export function by_bytes(a: string, b: string): i32 {
  return a < b ? -1 : i32(a > b);
}

function by_name(a: Space, b: Space): i32 {
  return a.index == 0 ? -1 : b.index == 0 ? 1 : by_bytes(a.name, b.name);
}

/** Link-local and multicast, which the kernel makes for itself. */
function is_unlisted(ip: Ip): bool {
  return ip.v6 && (ip.isLinkLocal() || ip.high >> 56 == 0xff);
}

function place_of(link: Link): string {
  const space = state.home(link);
  return space ? `${space.name}/${link.name}` : link.name;
}

function link_line(space: Space, link: Link): string {
  const peer = link.peer;
  const lower = link.lower;
  const master = link.master != 0 ? space.by_index(link.master) : null;
  let line = `link ${link.name}`;
  if (link.kind.length > 0) line += ` kind ${link.kind}`;
  line += link.up ? " up" : " down";
  line += ` address ${link.address.length > 0 ? link.address : "none"} mtu ${link.mtu_bytes}`;
  if (link.multi_queue) line += " multi_queue";
  if (link.owner >= 0) line += ` owner ${link.owner}`;
  if (link.group >= 0) line += ` group ${link.group}`;
  if (link.vlan_filtering) line += " vlan_filtering";
  if (link.promisc) line += " promisc";
  if (link.allmulti) line += " allmulti";
  if (link.txqlen != TXQLEN_DEFAULT) line += ` txqlen ${link.txqlen}`;
  const works = operstate(space, link);
  if (!link.loopback && !link.is.operstate_vague)
    line += ` operstate ${works == "lowerlayerdown" ? "down" : works}`;
  if (master) line += ` master ${master.name}`;
  if (link.table != 0) line += ` table ${link.table}`;
  if (peer) line += ` peer ${place_of(peer)}`;
  else if (link.paired) line += " peer ?";
  if (link.mode.length > 0) line += ` mode ${link.mode}`;
  if (link.bcqueuelen != 0) line += ` bcqueuelen ${link.bcqueuelen}`;
  if (link.kind == "vlan") line += ` id ${link.vid}`;
  if (lower) line += ` lower ${place_of(lower)}`;
  if (link.hairpin) line += " hairpin";
  if (link.isolated) line += " isolated";
  if (link.permaddr.length > 0) line += ` permaddr ${link.permaddr}`;
  if (link.alias.length > 0) line += ` alias ${link.alias}`;
  return line;
}

function route_line(route: Route): string {
  const gw = route.gw;
  const src = route.src;
  let line = `route ${route.dst.toString()}`;
  if (gw) line += ` via ${gw.toString()}`;
  line += ` dev ${route.dev.name}`;
  line += ` proto ${word_for(route.protocol, PROTOCOL_NAMES, PROTOCOL_NUMBERS)}`;
  if (route.scope != 0) line += ` scope ${word_for(route.scope, SCOPE_NAMES, SCOPE_NUMBERS)}`;
  if (src) line += ` src ${src.toString()}`;
  if (route.metric != (route.dst.ip.v6 ? METRIC_DEFAULT6 : 0)) line += ` metric ${route.metric}`;
  if (route.table != TABLE_MAIN) line += ` table ${route.table}`;
  if (route.mtu_bytes != 0) line += ` mtu ${route.mtu_bytes}`;
  if (route.advmss != 0) line += ` advmss ${route.advmss}`;
  return line;
}

function addr_lines(link: Link, into: string[]): void {
  for (let i = 0; i < link.addrs.length; i++) {
    const addr: Addr = link.addrs[i];
    if (is_unlisted(addr.cidr.ip)) continue;
    into.push(`addr ${addr.cidr.toString()} dev ${link.name}`);
  }
}

function vlan_lines(space: Space, link: Link, into: string[]): void {
  const bridge = space.bridge_of(link);
  if (!bridge || !bridge.vlan_filtering) return;
  for (let i = 0; i < link.vlans.length; i++) {
    const vlan = link.vlans[i];
    const pvid = vlan.pvid ? " pvid" : "";
    const untagged = vlan.untagged ? " untagged" : "";
    into.push(`vlan ${vlan.vid} dev ${link.name}${pvid}${untagged}`);
  }
}

/** The key of a link's sysctl: net/ipv6/conf/eth0/accept_ra. */
function key_of(knob: i32, owner: string): string {
  const name = KNOBS[knob];
  return `net/${name.substring(0, 4)}/conf/${owner}/${name.substring(5)}`;
}

function sysctl_lines(link: Link, into: string[]): void {
  const usual = new Conf();
  if (link.is.no_arp) usual.set(Knob.AcceptDad, -1);
  for (let knob = 0; knob < KNOBS.length; knob++) {
    // Those of `all` tell the same.
    if (knob == Knob.Forwarding4 || knob == Knob.Forwarding6) continue;
    if (!link.ipv6 && KNOBS[knob].startsWith("ipv6")) continue;
    const value = link.conf.values[knob];
    if (value != usual.values[knob]) into.push(`sysctl ${key_of(knob, link.name)} ${value}`);
  }
}

function flush(group: string[], out: ByteWriter): void {
  group.sort(by_bytes);
  for (let i = 0; i < group.length; i++) out.text(group[i]).text("\n");
}

function dump_space(space: Space, out: ByteWriter): void {
  const links = new Array<string>();
  const addrs = new Array<string>();
  const vlans = new Array<string>();
  const routes = new Array<string>();
  const sysctls = new Array<string>();
  const tc = new Array<string>();
  for (let i = 0; i < space.links.length; i++) {
    const link = space.links[i];
    links.push(link_line(space, link));
    addr_lines(link, addrs);
    vlan_lines(space, link, vlans);
    sysctl_lines(link, sysctls);
    tc_lines(link, tc);
  }
  for (let i = 0; i < space.routes.length; i++) {
    const route = space.routes[i];
    if (route.table == TABLE_LOCAL || is_unlisted(route.dst.ip)) continue;
    routes.push(route_line(route));
  }
  const rules = new Array<string>();
  for (let i = 0; i < space.rules.length; i++) {
    const rule = space.rules[i];
    const mark = rule.mark > 0 ? ` fwmark ${rule.mark}` : "";
    rules.push(`rule ${rule.priority} from ${rule.src.toString()}${mark} table ${rule.table}`);
  }
  const forward4 = space.conf_all.get(Knob.Forwarding4);
  const redirects = space.conf_all.get(Knob.AcceptRedirects);
  if (redirects != i32(forward4 == 0)) {
    sysctls.push(`sysctl ${key_of(Knob.AcceptRedirects, "all")} ${redirects}`);
  }
  if (forward4 != 0) sysctls.push(`sysctl net/ipv4/ip_forward ${forward4}`);
  const forward6 = space.conf_all.get(Knob.Forwarding6);
  if (forward6 != 0) sysctls.push(`sysctl net/ipv6/conf/all/forwarding ${forward6}`);
  if (space.named || space.paths.length == 0) out.text(`netns ${space.name}\n`);
  for (let i = 0; i < space.paths.length; i++) {
    out.text(`netns ${space.name} path ${space.paths[i]}\n`);
  }
  flush(links, out);
  flush(addrs, out);
  flush(vlans, out);
  flush(routes, out);
  flush(rules, out);
  flush(sysctls, out);
  flush(tc, out);
  const nft = new Array<string>();
  nft_lines(space, nft);
  flush(nft, out);
  const flows = new Array<string>();
  flow_lines(space, flows);
  flush(flows, out);
}

/** Writes the whole state. */
export function dump(out: ByteWriter): void {
  const spaces = state.spaces.slice();
  spaces.sort(by_name);
  for (let i = 0; i < spaces.length; i++) dump_space(spaces[i], out);
  const programs = state.programs.keys();
  programs.sort(by_bytes);
  for (let i = 0; i < programs.length; i++) {
    const program = state.programs.get(programs[i]);
    out.text(`plugin ${programs[i]} ${program.exit_code} `);
    json_write_string(out, program.stdout);
    out.text("\n");
  }
  const sockets = state.daemons.keys();
  sockets.sort(by_bytes);
  for (let i = 0; i < sockets.length; i++) {
    out.text(`dhcp ${sockets[i]} ${state.daemons.get(sockets[i]).text()}\n`);
  }
  const paths = state.files.keys();
  paths.sort(by_bytes);
  for (let i = 0; i < paths.length; i++) {
    if (paths[i].endsWith(`/${LOCK_NAME}`) || paths[i].startsWith(INDEX_DIR)) continue;
    const file = state.files.get(paths[i]);
    out.text(`file ${paths[i]} `);
    json_write_string(out, utf8_decode(file.ptr, file.len));
    out.text(file.before_boot ? " before-boot\n" : "\n");
  }
}
