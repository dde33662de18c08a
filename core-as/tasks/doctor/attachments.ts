// SPDX-License-Identifier: Apache-2.0
// The attachments of the node against what the kernel has: containers that are gone, elements that
// somebody flushed, host ends that are missing, MTUs that the uplink does not carry, ports that a
// process listens on. It reads only, and waits for no lock.
import { netns_of } from "../../attach/living";
import { Attachment, records_dir } from "../../attach/record";
import { is_here, records, records_error } from "../../attach/store";
import { Uses } from "../../attach/uses";
import { addr_list, HOST, Link, link_get, netns_close, socket_listens } from "../../host/kernel";
import { cidr_parse } from "../../lib/ip";
import { FORWARDING } from "../../net/forwarding";
import { uplink } from "../../net/uplink";
import { veth_is_ours } from "../../net/veth";
import { Owned } from "../../nft/element";
import { HostPort, host_port_of } from "../../nft/hostport";
import { Passage } from "../../nft/passage";
import { elements_check } from "../../nft/tables";
import { protocol_number } from "../../nft/value";
import { Environment } from "../../spec/environment";
import { CniError, Code, os_error } from "../../spec/error";
import { Request } from "../../spec/request";
import { ended } from "../retire";
import { unreadable } from "../runtime/unreadable";
import { counted, Findings, Severity, some_of } from "./findings";

/** Asking for each port of thousands would take long; who publishes so many knows of none. */
const PORTS_LIMIT = 256;

const called = (record: Attachment): string => `${record.name} on ${record.network}`;

/** Looks at all of them, and counts those that rely on forwarding. */
export class Attached {
  routed4: i32 = 0;
  routed6: i32 = 0;
  private gone: string[] = [];
  private unknown: string[] = [];
  private flushed: string[] = [];
  private why: string = "";
  private severed: string[] = [];
  private large: string[] = [];
  private ports: i32 = 0;
  private out: Link | null = null;

  constructor(private findings: Findings) {}

  look(): void {
    const hidden = unreadable(records_dir(), "");
    if (hidden) return this.findings.miss(hidden);
    const list = records();
    if (!list) return this.findings.miss(records_error());
    this.out = uplink(HOST);
    for (let i = 0; i < list.length; i++) if (is_here(list[i])) this.one(list[i]);
    this.tell();
  }

  private one(record: Attachment): void {
    const entered = netns_of(record);
    if (entered.unknown) {
      this.unknown.push(`${called(record)} (${entered.why})`);
      return;
    }
    const ns = entered.ns;
    let link: Link | null = null;
    if (ns != 0) link = link_get(ns, record.ifname);
    if (link) this.living(record, ns, link);
    else if (ended(record)) this.gone.push(called(record));
    // Where the runtime's mounts are not seen, a path that leads nowhere says nothing.
    else this.unknown.push(`${called(record)} (its interface is not found by ${record.netns})`);
    if (ns != 0) netns_close(ns);
  }

  private living(record: Attachment, ns: i32, link: Link): void {
    const routed = this.families(record, ns, link.ifindex);
    const out = this.out;
    // What is not routed here leaves by another link, or not at all.
    if (routed && out && link.mtu_bytes > out.mtu_bytes) {
      this.large.push(`${called(record)} has ${link.mtu_bytes}`);
    }
    const owned = record.owned;
    if (owned.length > 0) this.elements(record, owned);
    for (let i = 0; i < record.effects.length; i++) {
      if (record.effects[i].word == "veth" && !this.paired(record)) {
        this.severed.push(called(record));
      }
    }
    for (let i = 0; i < owned.length; i++) {
      const port = host_port_of(owned[i].element);
      if (port) this.port(record, port);
    }
  }

  /** What cannot be repaired is a chain of others, which firewalls.ts tells. */
  private elements(record: Attachment, owned: Owned[]): void {
    Passage.beyond_repair = false;
    const error = elements_check(owned);
    if (!error) return;
    if (error.code != Code.CheckFailed) return this.findings.miss(error);
    if (Passage.beyond_repair) return;
    if (this.why.length == 0) this.why = error.msg;
    this.flushed.push(called(record));
  }

  private paired(record: Attachment): bool {
    const request = new Request("fairlead", new Environment(0, 0));
    request.network = record.network;
    request.env.containerID = record.containerID;
    request.env.ifname = record.ifname;
    return veth_is_ours(request);
  }

  /** Counts which kinds of packets the host forwards for it; whether it forwards any. */
  private families(record: Attachment, ns: i32, ifindex: i32): bool {
    let routed = false;
    for (let i = 0; i < record.effects.length; i++) {
      const effect = record.effects[i];
      routed = routed || (effect instanceof Uses && (<Uses>effect).what.includes(FORWARDING));
    }
    if (!routed) return false;
    const list = addr_list(ns, ifindex);
    if (!list) {
      this.findings.miss(os_error(`list the addresses of ${called(record)}`));
      return true;
    }
    let v4 = false;
    let v6 = false;
    for (let i = 0; i < list.length; i++) {
      const cidr = cidr_parse(list[i].address);
      if (!cidr || cidr.ip.isLinkLocal()) continue;
      if (cidr.ip.v6) v6 = true;
      else v4 = true;
    }
    if (v4) this.routed4++;
    if (v6) this.routed6++;
    return true;
  }

  private port(record: Attachment, port: HostPort): void {
    if (++this.ports > PORTS_LIMIT) {
      const msg = `there are more than ${PORTS_LIMIT} ports: who listens on the rest was not asked`;
      return this.findings.miss(new CniError(Code.NotAvailable, msg));
    }
    const any: string[] = port.v6 ? ["::", "::1"] : ["0.0.0.0", "127.0.0.1"];
    const places: string[] = port.address.length > 0 ? [port.address] : any;
    const protocol = protocol_number(port.protocol);
    for (let i = 0; i < places.length; i++) {
      if (socket_listens(HOST, protocol, places[i], port.port) <= 0) continue;
      this.findings.tell(
        "port-taken",
        Severity.Warning,
        `${port.text} leads to ${called(record)}, and a process of the host listens there too`,
        `"ss -ltunp sport = :${port.port}" names it: stop it, or publish another port`,
      );
      return;
    }
  }

  private tell(): void {
    const found = this.findings;
    if (this.gone.length > 0) {
      found.tell(
        "left-behind",
        Severity.Warning,
        `${counted(this.gone.length, "attachment")} of containers that are gone, whose DEL never ` +
          `came: ${some_of(this.gone)}`,
        '"fairlead gc NETWORK" takes back what they left; --fix does where that is certain',
        "drain",
      );
    }
    if (this.unknown.length > 0) {
      found.tell(
        "state-unknown",
        Severity.Info,
        `whether ${counted(this.unknown.length, "container")} live cannot be told: ` +
          some_of(this.unknown),
        "run it as root, in the mount namespace of the runtime",
      );
    }
    if (this.flushed.length > 0) {
      found.tell(
        "nftables-lost",
        Severity.Error,
        `${counted(this.flushed.length, "attachment")} lack what is theirs in nftables ` +
          `(${some_of(this.flushed)}): ${this.why}`,
        '"fairlead repair" puts it back; look for who runs "nft flush ruleset"',
        "repair",
      );
    }
    if (this.severed.length > 0) {
      found.tell(
        "host-end-missing",
        Severity.Error,
        `the host's end of the veth pair is gone or another's: ${some_of(this.severed)}`,
        "nothing brings it back but a new container: restart those pods",
      );
    }
    const out = this.out;
    if (!out || this.large.length == 0) return;
    found.tell(
      "mtu-too-large",
      Severity.Warning,
      `the MTU of "${out.name}", by which packets leave, is ${out.mtu_bytes}, and ` +
        `${some_of(this.large)}: large packets to elsewhere depend on ICMP to get through`,
      `write "mtu": ${out.mtu_bytes} or less into the network, for the pods that come`,
    );
  }
}
