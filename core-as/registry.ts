// The table of CNI types: adding one is one file and one row here. Only the entries import it, for
// what it does: it fills the table of plugin/find.ts. What a type is, its plugin says (describe).

import { Row, types_fill } from "./plugin/find";
import { Plugin } from "./plugin/plugin";
import { foreign_types } from "./plugins/foreign";
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

/** In the order of the help text. */
const ROWS: Row[] = [
  new Row("bridge", (): Plugin => new Bridge()),
  new Row("ptp", (): Plugin => new Ptp()),
  new Row("loopback", (): Plugin => new Loopback()),
  new Row("host-local", (): Plugin => new HostLocal()),
  new Row("static", (): Plugin => new Static()),
  new Row("portmap", (): Plugin => new Portmap()),
  new Row("tuning", (): Plugin => new Tuning()),
  new Row("bandwidth", (): Plugin => new Bandwidth()),
  new Row("sbr", (): Plugin => new Sbr()),
  new Row("vrf", (): Plugin => new Vrf()),
  new Row("firewall", (): Plugin => new Firewall()),
  new Row("fairlead", (): Plugin => new Fused()),
];

types_fill(ROWS, foreign_types);
