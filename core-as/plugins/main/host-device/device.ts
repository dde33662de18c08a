// SPDX-License-Identifier: Apache-2.0
// Which device of the host a configuration means, by its keys and what sysfs says, and whether a
// container may have it. It looks, and changes nothing.
import { failure_errno } from "../../../host/failure";
import { HOST, Link, link_get, link_get_index, link_list, route_list } from "../../../host/kernel";
import { subdir_list } from "../../../host/store";
import { ENODEV, ENOENT, ENOTDIR } from "../../../lib/errno";
import { mac_normal, pci_address_valid } from "../../../lib/name";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { holder_of } from "./moved";

const PCI = "/sys/bus/pci/devices";
const AUXILIARY = "/sys/bus/auxiliary/devices";
const DEVICES = "/sys/devices/";
/** Drivers that give a device to a process: the kernel then has no interface of it. */
const PROCESS_DRIVERS: string[] = ["vfio-pci", "uio_pci_generic", "igb_uio"];
const CURE = "correct the configuration, or give the node the device";

/** A name that sysfs may have a folder of. */
function plain(name: string): bool {
  return !name.includes("/") && name != "." && name != "..";
}

export class Device {
  link: Link = new Link();
  /** A driver has given it to processes, and there is no link. */
  without_link: bool = false;
  /** What it is called when it comes back. */
  name: string = "";
  /** The runtime is going to pass an ID. */
  promised: bool = false;
  private device: string = "";
  private hwaddr: string = "";
  private kernelpath: string = "";
  private pciBusID: string = "";
  private deviceID: string = "";

  /** Problems land in the request's reader. */
  read(request: Request): void {
    const reader = request.reader;
    const config = request.config;
    this.device = reader.ifname(config, "device");
    this.hwaddr = reader.string(config, "hwaddr");
    this.kernelpath = reader.string(config, "kernelpath");
    this.pciBusID = reader.string(config, "pciBusID");
    const runtime = request.runtimeConfig();
    if (runtime) this.deviceID = reader.string(runtime, "deviceID");
    const hwaddr = this.hwaddr;
    if (hwaddr.length > 0 && mac_normal(hwaddr).length == 0) {
      reader.invalid(
        `"hwaddr" "${hwaddr}" is not a unicast address such as 02:42:ac:11:00:02`,
        config.get("hwaddr"),
      );
    }
    const path = this.kernelpath;
    if (path.length > 0 && (!path.startsWith(DEVICES) || `${path}/`.includes("/../"))) {
      reader.invalid(
        `kernel device path "${path}" must be absolute and begin with ${DEVICES}`,
        config.get("kernelpath"),
      );
    }
    if (this.device == "lo") {
      reader.invalid('"lo" is the host\'s own: name another device', config.get("device"));
    }
    if ((this.pciBusID.length > 0 && !pci_address_valid(this.pciBusID)) || !plain(this.deviceID)) {
      reader.invalid(
        `"${plain(this.deviceID) ? this.pciBusID : this.deviceID}" is no PCI address such as ` +
          "0000:04:00.5",
        config.get("pciBusID"),
      );
    }
    const named = this.device.length + hwaddr.length + path.length;
    if (this.promised || named + this.pciBusID.length + this.deviceID.length > 0) return;
    reader.invalid(
      'specify either "device", "hwaddr", "kernelpath" or "pciBusID", ' +
        'or have the runtime pass the capability "deviceID"',
    );
  }

  /** How many keys say which device: the first counts. */
  get keys(): i32 {
    let count = 0;
    const all: string[] = [this.device, this.hwaddr, this.kernelpath, this.pciBusID];
    for (let i = 0; i < all.length; i++) if (all[i].length > 0) count++;
    return count;
  }

  /** It is told by where it is on a bus, where also one without a link is. */
  get on_bus(): bool {
    return this.device.length + this.hwaddr.length + this.kernelpath.length == 0;
  }

  get because(): string {
    if (this.device.length > 0) return `"device" names it`;
    if (this.hwaddr.length > 0) return `"hwaddr": it has the address ${this.hwaddr}`;
    if (this.kernelpath.length > 0) return `"kernelpath" leads to it`;
    return this.deviceID.length > 0 ? `the runtime chose ${this.deviceID}` : `"pciBusID" names it`;
  }

  /** Finds it: as a link, or as one that processes have. */
  find(): CniError | null {
    if (this.device.length > 0) return this.by_name(this.device, true);
    if (this.hwaddr.length > 0) return this.by_address(mac_normal(this.hwaddr));
    if (this.kernelpath.length > 0) return this.below(this.kernelpath, this.kernelpath);
    const id = this.deviceID.length > 0 ? this.deviceID : this.pciBusID;
    if (subdir_list(`${PCI}/${id}`)) return this.at(id);
    if (!absent()) return os_error(`read ${PCI}/${id}`);
    if (this.deviceID.length == 0) {
      return new CniError(Code.InvalidConfig, `there is no PCI device ${id}: ${CURE}`);
    }
    if (subdir_list(`${AUXILIARY}/${id}`)) return this.below(`${AUXILIARY}/${id}`, id);
    if (!absent()) return os_error(`read ${AUXILIARY}/${id}`);
    return new CniError(
      Code.InvalidConfig,
      `runtime config DeviceID ${id} not found or unsupported: neither ${PCI} nor ${AUXILIARY} ` +
        "has it",
    );
  }

  private at(id: string): CniError | null {
    for (let i = 0; i < PROCESS_DRIVERS.length; i++) {
      const bound = subdir_list(`/sys/bus/pci/drivers/${PROCESS_DRIVERS[i]}`);
      if (!bound && !absent()) return os_error(`read the driver of PCI device ${id}`);
      if (!bound || !bound.includes(id)) continue;
      this.without_link = true;
      return null;
    }
    return this.below(`${PCI}/${id}`, id);
  }

  /** The interface of a device of sysfs, or of a virtio device in it. */
  private below(folder: string, shown: string): CniError | null {
    const inside = subdir_list(folder);
    if (!inside && !absent()) return os_error(`read ${folder}`);
    for (let i = -1; inside !== null && i < inside.length; i++) {
      if (i >= 0 && !inside[i].startsWith("virtio")) continue;
      const path = i < 0 ? `${folder}/net` : `${folder}/${inside[i]}/net`;
      const names = subdir_list(path);
      if (!names && !absent()) return os_error(`read ${path}`);
      if (names && names.length > 0) return this.by_name(names[0], false);
    }
    return new CniError(
      Code.Kernel,
      `device ${shown} has no network interface on the host: another container may have it, or ` +
        "its driver is not bound",
    );
  }

  private by_name(name: string, asked: bool): CniError | null {
    this.name = name;
    const link = link_get(HOST, name);
    if (link) {
      this.link = link;
      return null;
    }
    if (failure_errno != ENODEV) return os_error(`look for "${name}" on the host`);
    return asked ? this.returned(name) : new CniError(Code.Kernel, `"${name}" has just gone`);
  }

  /** A device that came back by itself, its container's namespace gone, under that one's name. */
  private returned(name: string): CniError | null {
    const links = link_list(HOST);
    if (!links) return os_error("list the links of the host");
    for (let i = 0; i < links.length; i++) {
      if (links[i].alias != name || links[i].kind.length > 0) continue;
      this.link = links[i];
      return null;
    }
    const holder = holder_of(name, "");
    if (holder.length > 0) return taken(`"${name}"`, holder);
    return new CniError(Code.InvalidConfig, `there is no interface "${name}" on the host: ${CURE}`);
  }

  private by_address(mac: string): CniError | null {
    const links = link_list(HOST);
    if (!links) return os_error("list the links of the host");
    for (let i = 0; i < links.length; i++) {
      if (links[i].address != mac) continue;
      this.link = links[i];
      this.name = links[i].name;
      return null;
    }
    const holder = holder_of("", mac);
    if (holder.length > 0) return taken(mac, holder);
    return new CniError(
      Code.InvalidConfig,
      `no interface of the host has the address ${mac}: ${CURE}`,
    );
  }

  /** Why no container may have it, null when one may. */
  refusal(): CniError | null {
    const link = this.link;
    const shown = `"${link.name}"`;
    if (link.name == "lo") {
      return new CniError(Code.InvalidConfig, `${shown} is the host's own: name another device`);
    }
    if (link.master != 0) {
      const master = link_get_index(HOST, link.master);
      const above = master ? ` "${master.name}"` : "";
      return new CniError(
        Code.Kernel,
        `${shown} is a port of${above}: take it out (ip link set ${link.name} nomaster), or name ` +
          "another device",
      );
    }
    return this.last_uplink();
  }

  /** The node would lose its network with the only link that has a default route. */
  private last_uplink(): CniError | null {
    const own = has_default(this.link);
    if (own < 0) return os_error(`read the routes of "${this.link.name}"`);
    if (own == 0) return null;
    const links = link_list(HOST);
    if (!links) return os_error("list the links of the host");
    for (let i = 0; i < links.length; i++) {
      if (links[i].ifindex == this.link.ifindex) continue;
      const other = has_default(links[i]);
      if (other < 0) return os_error(`read the routes of "${links[i].name}"`);
      if (other > 0) return null;
    }
    return new CniError(
      Code.InvalidConfig,
      `"${this.link.name}" has the host's only default route, which would be cut off: name ` +
        `another device, or take the route away (ip route del default dev ${this.link.name})`,
    );
  }
}

/** Whether the last failure was that there is no such folder. */
function absent(): bool {
  return failure_errno == ENOENT || failure_errno == ENOTDIR;
}

/** 1 when a default route leaves by a link, else 0; -1 on failure. */
function has_default(link: Link): i32 {
  const routes = route_list(HOST, link.ifindex);
  if (!routes) return -1;
  for (let i = 0; i < routes.length; i++) if (routes[i].dst.endsWith("/0")) return 1;
  return 0;
}

function taken(shown: string, holder: string): CniError {
  return new CniError(
    Code.Kernel,
    `${shown} is with container ${holder}: run DEL for that, or name another device`,
  );
}
