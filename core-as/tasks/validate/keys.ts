// The keys that each CNI type reads, of our plugins and of the reference's, and what there is
// beside them: slips of the finger, keys of another place, keys given twice, keys that are the
// runtime's to write. It refuses to look at values.
import { equals_fold, JsonValue, Kind } from "../../lib/json";
import { nearest } from "../../lib/nearest";
import { FileReport } from "./report";

/**
 * A place and its keys, divided by blanks. A place is a CNI type, TYPE/KEY for the objects under a
 * key of it, or one that several types share, which begins with "@". A place may have two rows.
 * @needed/TYPE are keys without which ADD fails, of types that are not ours; @served/TYPE are the
 * capabilities that a type reads (CNI conventions, "Dynamic plugin specific fields").
 */
const TABLES: string[] = [
  "@list cniVersion cniVersions name disableCheck disableGC loadOnlyInlinedPlugins plugins",
  "@plugin type name cniVersion capabilities",
  "@runtime prevResult runtimeConfig args",
  "@dns nameservers domain search options",
  "@routes dst gw mtu advmss priority table scope",
  "@ranges subnet rangeStart rangeEnd gateway",
  "bridge bridge isGateway isDefaultGateway forceAddress mtu hairpinMode promiscMode ipam dns",
  "bridge portIsolation vlan vlanTrunk preserveDefaultVlan uplinkInterface enabledad",
  "bridge disableContainerInterface ipMasq ipMasqBackend macspoofchk",
  "bridge/vlanTrunk id minID maxID",
  "ptp mtu ipMasq ipMasqBackend ipam dns",
  "loopback",
  "fairlead plugins",
  "macvlan master mode mtu mac linkInContainer bcqueuelen ipam dns",
  "ipvlan master mode mtu linkInContainer ipam dns",
  "vlan master vlanId mtu linkInContainer ipam dns",
  "host-device device hwaddr kernelpath pciBusID useInterfaceNetwork ipam dns",
  "dummy ipam dns",
  "tap multiQueue mtu mac owner group selinuxContext bridge ipam dns",
  "host-local type ranges subnet rangeStart rangeEnd gateway routes dataDir resolvConf",
  "static type addresses routes dns",
  "static/addresses address gateway",
  "dhcp type daemonSocketPath provide request priority",
  "dhcp/provide option value fromArg",
  "dhcp/request skipDefault option",
  "portmap backend snat masqAll markMasqBit externalSetMarkChain conditionsV4 conditionsV6",
  "bandwidth ingressRate ingressBurst egressRate egressBurst",
  "tuning sysctl mac promisc mtu allmulti txQLen dataDir",
  "firewall backend iptablesAdminChainName firewalldZone ingressPolicy",
  "sbr table gateways addSourceHints",
  "vrf vrfname table",
  "@needed/vlan master ipam",
  "@needed/dummy ipam",
  "@served/bridge mac",
  "@served/macvlan mac",
  "@served/tap mac",
  "@served/tuning mac",
  "@served/host-device deviceID",
  "@served/portmap portMappings",
  "@served/bandwidth bandwidth",
  "@served/host-local ips ipRanges",
  "@served/static ips",
];

/** Types that make the interface; those that only work on one; those that give addresses. */
export const MAKERS: string[] = [
  "bridge",
  "ptp",
  "macvlan",
  "ipvlan",
  "vlan",
  "host-device",
  "dummy",
  "tap",
];
export const CHAINED: string[] = ["portmap", "bandwidth", "tuning", "firewall", "sbr", "vrf"];
export const IPAM: string[] = ["host-local", "static", "dhcp"];

/** The tables by place. Made at the first use: most commands never ask. */
const by_place: Map<string, string[]> = new Map<string, string[]>();
let filled: bool = false;

/** The keys of a place; null when nothing is known of it. */
export function keys_of(place: string): string[] | null {
  for (let i = 0; i < TABLES.length && !filled; i++) {
    const words = TABLES[i].split(" ");
    const before = by_place.has(words[0]) ? by_place.get(words[0]) : [];
    by_place.set(words[0], before.concat(words.slice(1)));
  }
  filled = true;
  return by_place.has(place) ? by_place.get(place) : null;
}

const SPECIAL: string[] = ["loopback", "fairlead"];

/** Whether a CNI type is known here. */
export function type_known(type: string): bool {
  return (
    MAKERS.includes(type) || CHAINED.includes(type) || IPAM.includes(type) || SPECIAL.includes(type)
  );
}

/** The known type that someone may have meant, "" when none is near. */
export function type_near(type: string): string {
  return nearest(type, MAKERS.concat(CHAINED).concat(IPAM).concat(SPECIAL));
}

/** The place of the objects under a key; "" when nothing is known of them. */
function place_under(place: string, key: string, value: JsonValue): string {
  if (key == "ipam") {
    const type = value.get("type");
    const named = type && type.kind == Kind.String ? type.text : "";
    return IPAM.includes(named) ? named : "";
  }
  if (key == "dns" || key == "routes" || key == "ranges") return `@${key}`;
  const own = `${place}/${key}`;
  return keys_of(own) ? own : "";
}

/** The key of a list that a written one is read as; "" when it is none of them. */
function meant(written: string, keys: string[]): string {
  if (keys.includes(written)) return written;
  for (let i = 0; i < keys.length; i++) {
    if (equals_fold(written, keys[i])) return keys[i];
  }
  return "";
}

/** Comments, and keys under somebody's own name such as example.com/x, are nobody's mistake. */
function foreign(key: string): bool {
  return key.startsWith("_") || key.startsWith("#") || key.includes("/");
}

/** Where a key that is unknown here belongs, and "" when it is known nowhere near. */
function belongs(key: string, place: string, beside: string[]): string {
  if (place == "@list") {
    const places = by_place.keys();
    for (let i = 0; i < places.length; i++) {
      const of_plugin = places[i] == "@plugin" || !places[i].startsWith("@");
      if (of_plugin && meant(key, by_place.get(places[i])).length > 0) {
        return `move it into an entry of "plugins"`;
      }
    }
    return "";
  }
  if (IPAM.includes(place)) return beside.includes(key) ? `move it out of "ipam"` : "";
  for (let i = 0; i < IPAM.length; i++) {
    const inside = keys_of(IPAM[i]);
    if (inside && beside.includes("ipam") && inside.includes(key)) return `move it into "ipam"`;
  }
  return "";
}

/** Judges the keys of an object and of those under it. `more`: keys that it may have as well. */
export class KeyCheck {
  constructor(private file: FileReport) {}

  /** A list, without its plugins. */
  list(value: JsonValue): void {
    this.object(value, "@list", [], []);
  }

  /** A plugin of a known type. */
  plugin(value: JsonValue, type: string): void {
    this.runtimes(value);
    const common = keys_of("@plugin");
    const runtime = keys_of("@runtime");
    if (!common || !runtime || !keys_of(type)) return;
    // As a plugin, an IPAM type has its keys one level down.
    const extra = common.concat(runtime);
    if (IPAM.includes(type)) this.object(value, "@plugin", runtime.concat(["ipam"]), []);
    else this.object(value, type, extra, []);
  }

  /** An ipam object under a plugin of which nothing is known. */
  ipam(value: JsonValue): void {
    const place = place_under("", "ipam", value);
    if (place.length > 0) this.object(value, place, [], []);
  }

  /** Keys that only a running network has. */
  private runtimes(value: JsonValue): void {
    const runtime = keys_of("@runtime");
    for (let i = 0; i < value.items.length && !this.file.full; i++) {
      const key = value.keys[i];
      const own = key.startsWith("cni.dev/") || (runtime && meant(key, runtime).length > 0);
      if (!own || value.items[i].kind == Kind.Null) continue;
      this.file.warning(
        `"${key}" is the runtime's to write, and it may replace this: remove it`,
        value.items[i].key_offset,
      );
    }
  }

  private object(value: JsonValue, place: string, more: string[], beside: string[]): void {
    const own = keys_of(place);
    if (!own) return;
    const known = own.concat(more);
    for (let i = 0; i < value.items.length && !this.file.full; i++) {
      const item = value.items[i];
      const key = meant(value.keys[i], known);
      if (key.length == 0) this.unknown(value.keys[i], item.key_offset, place, known, beside);
      else if (key != value.keys[i]) this.miswritten(value, i, key);
      if (key.length == 0) continue;
      const under = place_under(place, key, item);
      if (under.length > 0) this.below(item, under, own);
    }
  }

  /** Objects of a place in however many arrays. */
  private below(value: JsonValue, place: string, beside: string[]): void {
    if (value.kind == Kind.Object) {
      this.object(value, place, [], beside);
      return;
    }
    for (let i = 0; i < value.items.length && !this.file.full; i++) {
      this.below(value.items[i], place, beside);
    }
  }

  private miswritten(value: JsonValue, i: i32, key: string): void {
    const written = value.keys[i];
    const msg = value.keys.includes(key)
      ? `"${written}" and "${key}" are one key to plugins: remove one`
      : `"${written}" is read as "${key}", which is its name: write "${key}"`;
    this.file.warning(msg, value.items[i].key_offset);
  }

  private unknown(
    key: string,
    offset: i32,
    place: string,
    known: string[],
    beside: string[],
  ): void {
    if (foreign(key)) return;
    const near = nearest(key, known);
    let cure = belongs(key, place, beside.length > 0 ? beside : known);
    if (cure.length == 0) cure = near.length > 0 ? `did you mean "${near}"?` : "remove it";
    this.file.warning(`unknown key "${key}", which is ignored: ${cure}`, offset);
  }
}

/** Keys that one object has twice, in a value and all below it. */
export function duplicates(file: FileReport, value: JsonValue): void {
  if (value.kind == Kind.Object && value.items.length > 1) {
    const last = new Map<string, i32>();
    for (let i = 0; i < value.items.length; i++) last.set(value.keys[i], i);
    const twice = last.size < value.items.length;
    for (let i = 0; twice && i < value.items.length && !file.full; i++) {
      const key = value.keys[i];
      if (last.get(key) == i) continue;
      file.warning(
        `"${key}" is given again below, and the last one counts: remove one`,
        value.items[i].key_offset,
      );
    }
  }
  for (let i = 0; i < value.items.length && !file.full; i++) duplicates(file, value.items[i]);
}
