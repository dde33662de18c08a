// CNI types and the plugins that serve them. Adding a plugin is one file and one row here.
import { Bandwidth } from "./chain/bandwidth";
import { Firewall } from "./chain/firewall";
import { Portmap } from "./chain/portmap";
import { Sbr } from "./chain/sbr";
import { Tuning } from "./chain/tuning";
import { Vrf } from "./chain/vrf";
import { Foreign } from "./ipam/foreign";
import { HostLocal } from "./ipam/host-local";
import { Static } from "./ipam/static";
import { Bridge } from "./kinds/bridge";
import { Fused } from "./kinds/fairlead";
import { Loopback } from "./kinds/loopback";
import { Ptp } from "./kinds/ptp";
import { Plugin } from "./plugin";

/** The plugin of a CNI type, null when it is not ours. */
export function plugin_of(type: string): Plugin | null {
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
export const TYPES: string[] = [
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

/**
 * The plugin of a type in a chain: ours or a foreign one; null when the name cannot be a file's.
 */
export function plugin_or_foreign(type: string): Plugin | null {
  const ours = plugin_of(type);
  if (ours) return ours;
  if (type.length == 0 || type.includes("/") || type.includes("\\")) return null;
  return new Foreign(type);
}
