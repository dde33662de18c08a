// SPDX-License-Identifier: Apache-2.0
// Ports of a bridge: flags and VLANs, of the container's own port and of the uplink.
import { undone } from "../../../attach/changes";
import { Shared } from "../../../attach/shared-change";
import {
  bridge_vlan_add,
  bridge_vlan_del,
  bridge_vlan_list,
  HOST,
  Link,
  link_get,
  link_set_bridge_port,
} from "../../../host/kernel";
import { JsonValue } from "../../../lib/json";
import { CniError, Code, os_error } from "../../../spec/error";
import { Reader } from "../../../spec/reader";

/** The VLAN every port of a new bridge is in. */
const DEFAULT_VID = 1;

/** VLANs low..high that pass a port tagged. */
class Trunk {
  constructor(
    public low: i32,
    public high: i32,
  ) {}
}

/** What a configuration says of its container's port. */
export class PortPlan {
  hairpin: bool = false;
  isolated: bool = false;
  /** The VLAN of untagged frames, 0 for none. */
  vlan: i32 = 0;
  trunk: Trunk[] = [];
  /** Whether vlanTrunk is there, be it empty: it switches the bridge's filter on. */
  trunk_given: bool = false;
  preserveDefaultVlan: bool = false;
  uplink: string = "";

  read(reader: Reader, config: JsonValue): void {
    this.hairpin = reader.bool(config, "hairpinMode");
    this.isolated = reader.bool(config, "portIsolation");
    this.preserveDefaultVlan = reader.bool(config, "preserveDefaultVlan");
    this.uplink = reader.ifname(config, "uplinkInterface");
    vlans_read(reader, config, this);
  }
}

/** Reads vlan and vlanTrunk. */
function vlans_read(reader: Reader, config: JsonValue, plan: PortPlan): void {
  const vlan = reader.integer(config, "vlan", i32.MIN_VALUE, i32.MAX_VALUE);
  if (vlan < 0 || vlan > 4094) {
    reader.invalid(`invalid VLAN ID ${vlan} (must be between 0 and 4094)`, config.get("vlan"));
  }
  plan.vlan = <i32>vlan;
  const trunk = reader.array(config, "vlanTrunk");
  if (!trunk) return;
  plan.trunk_given = true;
  for (let i = 0; i < trunk.items.length; i++) {
    const item = trunk.items[i];
    if (!reader.isObject(item, "an entry of vlanTrunk")) continue;
    const low = vlan_id(reader, item, "minID");
    const high = vlan_id(reader, item, "maxID");
    if (low > high && high > 0)
      reader.invalid("minID is greater than maxID in trunk parameter", item);
    if (low > 0 != high > 0) {
      const missing = low > 0 ? "maxID" : "minID";
      reader.invalid(
        `minID and maxID should be configured simultaneously, ${missing} is missing`,
        item,
      );
    }
    if (low > 0) plan.trunk.push(new Trunk(low, high));
    const id = vlan_id(reader, item, "id");
    if (id > 0) plan.trunk.push(new Trunk(id, id));
  }
}

/** 1..4094; 0 when absent. */
function vlan_id(reader: Reader, item: JsonValue, key: string): i32 {
  if (!item.get(key)) return 0;
  const id = reader.integer(item, key, i32.MIN_VALUE, i32.MAX_VALUE);
  if (id >= 1 && id <= 4094) return <i32>id;
  reader.invalid(`incorrect trunk ${key} parameter: ${id} (must be between 1 and 4094)`, item);
  return 0;
}

/** Sets flags and VLANs of the port. Nothing is noted for undoing: the port itself goes. */
export function port_configure(port: Link, plan: PortPlan): CniError | null {
  if (plan.hairpin || plan.isolated) {
    if (link_set_bridge_port(HOST, port.ifindex, plan.hairpin, plan.isolated) < 0) {
      return os_error(`set the flags of bridge port "${port.name}"`);
    }
  }
  if (plan.vlan == 0 && plan.trunk.length == 0) return null;
  if (!plan.preserveDefaultVlan) {
    const error = port_vlans_clear(port);
    if (error) return error;
  }
  if (plan.vlan != 0 && bridge_vlan_add(HOST, port.ifindex, plan.vlan, plan.vlan, true, true) < 0) {
    return os_error(`put bridge port "${port.name}" in VLAN ${plan.vlan}`);
  }
  for (let i = 0; i < plan.trunk.length; i++) {
    const trunk = plan.trunk[i];
    if (bridge_vlan_add(HOST, port.ifindex, trunk.low, trunk.high, false, false) < 0) {
      return os_error(`put bridge port "${port.name}" in VLAN ${trunk.low}-${trunk.high}`);
    }
  }
  if (plan.vlan != 0) return null;
  // A pure trunk still needs a VLAN for untagged frames.
  if (bridge_vlan_add(HOST, port.ifindex, DEFAULT_VID, DEFAULT_VID, true, true) >= 0) return null;
  return os_error(`put bridge port "${port.name}" in VLAN ${DEFAULT_VID}`);
}

function port_vlans_clear(port: Link): CniError | null {
  const list = bridge_vlan_list(HOST, port.ifindex);
  if (!list) return os_error(`read the VLANs of bridge port "${port.name}"`);
  for (let i = 0; i < list.length; i++) {
    if (bridge_vlan_del(HOST, port.ifindex, list[i].vid, list[i].vid) < 0) {
      return os_error(`take bridge port "${port.name}" out of VLAN ${list[i].vid}`);
    }
  }
  return null;
}

/** Makes a port an access port of a network's VLAN, as its containers' ports are. */
export function port_vlan_access(port: Link, network: PortPlan): CniError | null {
  const plan = new PortPlan();
  plan.vlan = network.vlan;
  plan.preserveDefaultVlan = network.preserveDefaultVlan;
  return port_configure(port, plan);
}

/** Lets the network's VLANs pass the bridge's uplink, tagged. They stay there after DEL. */
export class UplinkVlans extends Shared {
  private added: i32[] = [];
  private ifindex: i32 = 0;

  constructor(
    private plan: PortPlan,
    private bridge: Link,
  ) {
    super();
  }
  get what(): string {
    return `vlans ${this.plan.uplink}`;
  }
  get changed(): bool {
    return this.added.length > 0;
  }

  take(): CniError | null {
    const plan = this.plan;
    const uplink = link_get(HOST, plan.uplink);
    if (!uplink || uplink.master != this.bridge.ifindex) {
      return new CniError(
        Code.InvalidConfig,
        `"uplinkInterface" is "${plan.uplink}", ` +
          `which is no port of bridge "${this.bridge.name}": add it to the bridge`,
      );
    }
    this.ifindex = uplink.ifindex;
    const list = bridge_vlan_list(HOST, uplink.ifindex);
    if (!list) return os_error(`read the VLANs of "${plan.uplink}"`);
    const present = new StaticArray<bool>(4096);
    for (let i = 0; i < list.length; i++) present[list[i].vid] = true;
    const wanted = plan.trunk.slice();
    if (plan.vlan != 0) wanted.push(new Trunk(plan.vlan, plan.vlan));
    for (let i = 0; i < wanted.length; i++) {
      for (let vid = wanted[i].low; vid <= wanted[i].high; vid++) {
        if (present[vid]) continue;
        present[vid] = true;
        if (bridge_vlan_add(HOST, uplink.ifindex, vid, vid, false, false) < 0) {
          return os_error(`let VLAN ${vid} pass "${plan.uplink}"`);
        }
        this.added.push(vid);
      }
    }
    return null;
  }

  give_back(errors: CniError[]): void {
    for (let i = this.added.length - 1; i >= 0; i--) {
      const vid = this.added[i];
      undone(bridge_vlan_del(HOST, this.ifindex, vid, vid), `remove VLAN ${vid}`, errors);
    }
  }
}
