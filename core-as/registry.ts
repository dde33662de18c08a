// The table of CNI types and the plugins that serve them: adding one is one file and one row here.
// Only the entries import it, for what it does: it fills the table of plugin/find.ts.

import { types_fill } from "./plugin/find";
import { Plugin } from "./plugin/plugin";
import { HostLocal } from "./plugins/ipam/host-local/host-local";
import { Static } from "./plugins/ipam/static";
import { Bridge } from "./plugins/main/bridge/bridge";
import { Fused } from "./plugins/main/fairlead";
import { Loopback } from "./plugins/main/loopback";
import { Ptp } from "./plugins/main/ptp";
import { Bandwidth } from "./plugins/meta/bandwidth/bandwidth";
import { Firewall } from "./plugins/meta/firewall";
import { Portmap } from "./plugins/meta/portmap/portmap";
import { Sbr } from "./plugins/meta/sbr/sbr";
import { Tuning } from "./plugins/meta/tuning/tuning";
import { Vrf } from "./plugins/meta/vrf/vrf";

function plugin_of(type: string): Plugin | null {
  if (type == "bridge") return new Bridge();
  if (type == "ptp") return new Ptp();
  if (type == "loopback") return new Loopback();
  if (type == "host-local") return new HostLocal();
  if (type == "static") return new Static();
  if (type == "portmap") return new Portmap();
  if (type == "bandwidth") return new Bandwidth();
  if (type == "firewall") return new Firewall();
  if (type == "tuning") return new Tuning();
  if (type == "sbr") return new Sbr();
  if (type == "vrf") return new Vrf();
  if (type == "fairlead") return new Fused();
  return null;
}

/** The types that plugin_of knows, beside `fairlead`, the name of the program itself. */
const TYPES: string[] = [
  "bandwidth",
  "bridge",
  "firewall",
  "host-local",
  "loopback",
  "portmap",
  "ptp",
  "sbr",
  "static",
  "tuning",
  "vrf",
];

types_fill(TYPES, plugin_of);
