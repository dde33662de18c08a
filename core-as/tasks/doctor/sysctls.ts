// SPDX-License-Identifier: Apache-2.0
// Sysctls of the host that decide whether packets of containers get anywhere. It reads them, and
// says nothing of those that only tune.
import { HOST, Link, link_list, route_list, sysctl_read } from "../../host/kernel";
import { os_error } from "../../spec/error";
import { counted, Findings, Severity, some_of } from "./findings";

/** RTPROT_RA, linux/rtnetlink.h */
const RTPROT_RA = 9;
const FORWARD4 = "net/ipv4/ip_forward";
const FORWARD6 = "net/ipv6/conf/all/forwarding";

/** A sysctl as sysctl(8) writes it: a name with dots in it stands between slashes. */
const dotted = (key: string): string => (key.includes(".") ? key : key.replaceAll("/", "."));

/** `routed4`, `routed6`: how many attachments rely on forwarding. */
export function sysctls_look(routed4: i32, routed6: i32, findings: Findings): void {
  forwarding_look(FORWARD4, routed4, findings);
  forwarding_look(FORWARD6, routed6, findings);
  const links = link_list(HOST);
  if (!links) return findings.miss(os_error("list the links of the host"));
  advertised_look(links, findings);
  reverse_path_look(links, findings);
  bridged_look(links, findings);
}

function forwarding_look(key: string, routed: i32, findings: Findings): void {
  if (routed == 0 || sysctl_read(HOST, key) != "0") return;
  findings.tell(
    "forwarding-off",
    Severity.Error,
    `${dotted(key)} is 0, and ${counted(routed, "attachment")} of this host need forwarding`,
    `sysctl -w ${dotted(key)}=1, and look into /etc/sysctl.d for who switches it off`,
  );
}

/** Routes from router advertisements that are not renewed, as the host forwards. */
function advertised_look(links: Link[], findings: Findings): void {
  if (sysctl_read(HOST, FORWARD6) != "1") return;
  for (let i = 0; i < links.length; i++) {
    const key = `net/ipv6/conf/${links[i].name}/accept_ra`;
    if (sysctl_read(HOST, key) != "1") continue;
    const routes = route_list(HOST, links[i].ifindex);
    let advertised = false;
    for (let k = 0; routes !== null && k < routes.length; k++) {
      advertised = advertised || routes[k].protocol == RTPROT_RA;
    }
    if (!advertised) continue;
    findings.tell(
      "routes-expire",
      Severity.Warning,
      `"${links[i].name}" has routes from router advertisements, and as the host forwards IPv6 ` +
        `with ${dotted(key)} 1 they are not renewed`,
      `sysctl -w ${dotted(key)}=2`,
    );
  }
}

/** Answers that come back by another uplink are dropped where the reverse path must be strict. */
function reverse_path_look(links: Link[], findings: Findings): void {
  const all = sysctl_read(HOST, "net/ipv4/conf/all/rp_filter");
  const strict = new Array<string>();
  let uplinks = 0;
  for (let i = 0; i < links.length; i++) {
    const routes = route_list(HOST, links[i].ifindex);
    let leads = false;
    for (let k = 0; routes !== null && k < routes.length; k++) {
      leads = leads || routes[k].dst == "0.0.0.0/0";
    }
    if (!leads) continue;
    uplinks++;
    const own = sysctl_read(HOST, `net/ipv4/conf/${links[i].name}/rp_filter`);
    // The larger of the two counts (ip-sysctl of the kernel), and 2 is loose.
    if (own != "2" && all != "2" && (own == "1" || all == "1")) strict.push(links[i].name);
  }
  if (uplinks < 2 || strict.length == 0) return;
  findings.tell(
    "reverse-path-strict",
    Severity.Warning,
    `default routes leave by ${uplinks} links, and rp_filter is 1 on ${some_of(strict)}: what ` +
      "comes in by one and would go out by the other is dropped",
    "sysctl -w net.ipv4.conf.all.rp_filter=2",
  );
}

function bridged_look(links: Link[], findings: Findings): void {
  let bridges = 0;
  for (let i = 0; i < links.length; i++) if (links[i].kind == "bridge") bridges++;
  if (bridges == 0 || sysctl_read(HOST, "net/bridge/bridge-nf-call-iptables") != "1") return;
  findings.tell(
    "bridge-calls-iptables",
    Severity.Info,
    "net.bridge.bridge-nf-call-iptables is 1: packets between ports of one bridge pass the " +
      "forward hook of iptables and nftables too",
    "kube-proxy wants it so; where nobody does: sysctl -w net.bridge.bridge-nf-call-iptables=0",
  );
}
