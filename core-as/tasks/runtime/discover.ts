// SPDX-License-Identifier: Apache-2.0
// Which file of a folder such as /etc/cni/net.d is a network's, in the order of libcni: lists by
// name, then single plugins' files. A file that cannot be read hides no network but its own.
import { failure_errno } from "../../host/failure";
import { dir_list } from "../../host/store";
import { ENOENT, ENOTDIR } from "../../lib/errno";
import { CniError, Code, os_error } from "../../spec/error";
import { NetworkList, network_list } from "./conflist";

/** The networks of a folder, or why the folder could not be read. */
export class Networks {
  lists: NetworkList[] = [];
  error: CniError | null = null;
  /** The folder is not there. */
  missing: bool = false;
}

/** Every configuration of a folder, also those with errors, in the order of discovery. */
export function networks_in(dir: string): Networks {
  const made = new Networks();
  const names = dir_list(dir);
  if (!names) {
    if (failure_errno == ENOTDIR) {
      made.error = new CniError(Code.Io, `${dir} is no folder: name the one that networks are in`);
    } else if (failure_errno != ENOENT) made.error = os_error(`read ${dir}`, Code.Io);
    else made.missing = true;
    return made;
  }
  for (let i = 0; i < names.length; i++) {
    if (names[i].endsWith(".conflist")) made.lists.push(network_list(`${dir}/${names[i]}`));
  }
  for (let i = 0; i < names.length; i++) {
    const single = names[i].endsWith(".conf") || names[i].endsWith(".json");
    if (single) made.lists.push(network_list(`${dir}/${names[i]}`));
  }
  return made;
}

/** What a search for a network gave: the first list of that name, or why there is none. */
export class Found {
  list: NetworkList | null = null;
  error: CniError | null = null;
}

/** Looks a network up by name. */
export function network_find(dir: string, name: string): Found {
  const found = new Found();
  const networks = networks_in(dir);
  if (networks.error) {
    found.error = networks.error;
    return found;
  }
  const known = new Array<string>();
  let broken = "";
  for (let i = 0; i < networks.lists.length; i++) {
    const list = networks.lists[i];
    if (list.name == name) {
      found.list = list;
      found.error = list.error;
      return found;
    }
    const wrong = list.error;
    if (wrong && broken.length == 0) broken = `${list.path}: ${wrong.toString()}`;
    else if (!wrong) known.push(list.name);
  }
  const has = known.length > 0 ? `it has ${known.join(", ")}` : "it has no network at all";
  found.error = new CniError(
    Code.InvalidConfig,
    `no net configuration with name "${name}" in ${dir}: ${has}`,
    broken.length > 0 ? `it may be in a file that cannot be read: ${broken}` : "",
  );
  return found;
}
