// SPDX-License-Identifier: Apache-2.0
// The table of CNI types: adding one is one file and one row here. Only the entries import it, for
// what it does: it fills the table of plugin/find.ts. What a type is, its plugin says (describe).

import { Effect, effects_fill } from "./attach/effect";
import { elements_read } from "./attach/elements";
import { uses_read } from "./attach/uses";
import { JsonValue } from "./lib/json";
import { inside_read } from "./net/inside";
import { pair_read } from "./net/veth";
import { Row, types_fill } from "./plugin/find";
import { Plugin } from "./plugin/plugin";
import { foreign_types } from "./plugins/foreign";
import { Dhcp } from "./plugins/ipam/dhcp/dhcp";
import { dhcp_leased_read } from "./plugins/ipam/dhcp/taken";
import { HostLocal } from "./plugins/ipam/host-local/host-local";
import { leases_read } from "./plugins/ipam/host-local/leases-taken";
import { Static } from "./plugins/ipam/static/static";
import { Bridge } from "./plugins/main/bridge/bridge";
import { Dummy } from "./plugins/main/dummy";
import { Fused } from "./plugins/main/fairlead/fairlead";
import { FairleadOverlay } from "./plugins/main/fairlead-overlay";
import { Flannel } from "./plugins/main/flannel";
import { HostDevice } from "./plugins/main/host-device/host-device";
import { moved_read } from "./plugins/main/host-device/moved";
import { Ipvlan } from "./plugins/main/ipvlan/ipvlan";
import { Loopback } from "./plugins/main/loopback";
import { Macvlan } from "./plugins/main/macvlan";
import { Ptp } from "./plugins/main/ptp/ptp";
import { Tap } from "./plugins/main/tap";
import { Vlan } from "./plugins/main/vlan";
import { Bandwidth } from "./plugins/meta/bandwidth/bandwidth";
import { limited_read } from "./plugins/meta/bandwidth/limits";
import { Firewall } from "./plugins/meta/firewall/firewall";
import { Portmap } from "./plugins/meta/portmap/portmap";
import { Sbr } from "./plugins/meta/sbr/sbr";
import { sourced_read } from "./plugins/meta/sbr/sourced";
import { Tuned } from "./plugins/meta/tuning/restore";
import { Tuning } from "./plugins/meta/tuning/tuning";
import { joined_read } from "./plugins/meta/vrf/joined";
import { Vrf } from "./plugins/meta/vrf/vrf";

/** In the order of the help text. */
const ROWS: Row[] = [
  new Row("bridge", (): Plugin => new Bridge()),
  new Row("ptp", (): Plugin => new Ptp()),
  new Row("macvlan", (): Plugin => new Macvlan()),
  new Row("ipvlan", (): Plugin => new Ipvlan()),
  new Row("vlan", (): Plugin => new Vlan()),
  new Row("host-device", (): Plugin => new HostDevice()),
  new Row("tap", (): Plugin => new Tap()),
  new Row("dummy", (): Plugin => new Dummy()),
  new Row("loopback", (): Plugin => new Loopback()),
  new Row("host-local", (): Plugin => new HostLocal()),
  new Row("static", (): Plugin => new Static()),
  new Row("dhcp", (): Plugin => new Dhcp()),
  new Row("portmap", (): Plugin => new Portmap()),
  new Row("tuning", (): Plugin => new Tuning()),
  new Row("bandwidth", (): Plugin => new Bandwidth()),
  new Row("sbr", (): Plugin => new Sbr()),
  new Row("vrf", (): Plugin => new Vrf()),
  new Row("firewall", (): Plugin => new Firewall()),
  new Row("fairlead-overlay", (): Plugin => new FairleadOverlay()),
  new Row("flannel", (): Plugin => new Flannel()),
  new Row("fairlead", (): Plugin => new Fused()),
];

/** What reads the effects of records: a row for each word. */
function effect_of(word: string, from: JsonValue): Effect | null {
  if (word == "veth") return pair_read(from);
  if (word == "link") return inside_read(from);
  if (word == "device") return moved_read(from);
  if (word == "leases") return leases_read(from);
  if (word == "dhcp") return dhcp_leased_read(from);
  if (word == "elements") return elements_read(from);
  if (word == "uses") return uses_read(from);
  if (word == "bandwidth") return limited_read(from);
  if (word == "tuning") return new Tuned(from);
  if (word == "sbr") return sourced_read(from);
  if (word == "vrf") return joined_read(from);
  return null;
}

types_fill(ROWS, foreign_types);
effects_fill(effect_of);
