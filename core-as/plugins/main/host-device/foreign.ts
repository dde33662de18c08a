// SPDX-License-Identifier: Apache-2.0
// A device that the reference gave to a container: no record names it, and its former name is its
// alias. It refuses what has none: nothing says that it came from the host.
import { Site } from "../../../attach/effect";
import { held_by_other } from "../../../attach/living";
import { Attachment } from "../../../attach/record";
import { host_netns_id, record_look, record_write } from "../../../attach/store";
import { Link, link_list, netns_id } from "../../../host/kernel";
import { ifname_problem } from "../../../lib/name";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Former } from "./former";
import { Moved } from "./moved";

/** CNI_IFNAME; else one that has its name of the host again: a DEL of ours came no further. */
function find(links: Link[], ifname: string): Link | null {
  let renamed: Link | null = null;
  for (let i = 0; i < links.length; i++) {
    if (links[i].name == ifname) return links[i];
    if (links[i].name == links[i].alias) renamed = links[i];
  }
  return renamed;
}

/** Gives the device back. */
export function device_unrecorded(request: Request, errors: CniError[]): void {
  const env = request.env;
  const site = new Site(request.network, env.containerID, env.ifname);
  site.ns = request.netns;
  if (site.ns == 0 || held_by_other(site)) return;
  const links = link_list(site.ns);
  if (!links) errors.push(os_error(`look for "${env.ifname}" of ${env.containerID}`));
  const link = links ? find(links, env.ifname) : null;
  if (!link) return;
  if (ifname_problem(link.alias).length > 0) {
    errors.push(
      new CniError(
        Code.Kernel,
        `interface "${env.ifname}" of ${env.containerID} has no alias that says its name on the ` +
          "host: it stays, move it by hand (ip link set … netns 1) if it is to go",
      ),
    );
    return;
  }
  const former = new Former(link.alias);
  former.look(link);
  const moved = new Moved(former);
  moved.by = request.type;
  adopt(request, moved);
  moved.undo(site, errors);
}

/**
 * Makes a record of it first, so that the next DEL goes on where this one failed or was killed. It
 * goes with the end of this one, as what lies at its path and was no record when it began.
 */
function adopt(request: Request, moved: Moved): void {
  const record = new Attachment();
  record.network = request.network;
  record.containerID = request.env.containerID;
  record.ifname = request.env.ifname;
  record.netns = request.env.netns;
  record.netnsID = netns_id(request.netns);
  record.hostNetnsID = host_netns_id();
  record.effects.push(moved);
  if (record.netnsID.length == 0 || record.hostNetnsID.length == 0) return;
  const looked = record_look(record.name);
  if (!looked.found && !looked.error) record_write(record);
}
