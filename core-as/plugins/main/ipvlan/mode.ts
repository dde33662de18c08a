// SPDX-License-Identifier: Apache-2.0
// The mode of ipvlans. The kernel gives all of them on a link that of the newest: what is there
// already keeps its own here, and another is refused. It looks and changes nothing.
import { Adding } from "../../../attach/adding";
import { user_of } from "../../../attach/users";
import { Link, link_list } from "../../../host/kernel";
import { Lower } from "../../../net/lower";
import { CniError, Code, os_error } from "../../../spec/error";

/** IPVLAN_MODE_*, in the words of ip(8); the first is the default. */
export const MODES: string[] = ["l2", "l3", "l3s"];

/** What records call the mode of all ipvlans on a link of the host. */
export function mode_what(mode: string, port: Link): string {
  return `ipvlan ${mode} ${port.name}`;
}

/** Why an ipvlan in a mode cannot come to those that the host and other containers have there. */
export function mode_clash(
  mode: string,
  port: Link,
  lower: Lower,
  adding: Adding,
): CniError | null {
  const links = link_list(lower.ns);
  if (!links) return os_error(`look for ipvlans on "${port.name}"`);
  for (let i = 0; i < links.length; i++) {
    const link = links[i];
    if (link.kind != "ipvlan" || link.lower != port.ifindex || link.mode == mode) continue;
    return clash(mode, port, `"${link.name}"`, link.mode);
  }
  if (lower.in_container) return null;
  const others = new Array<string>();
  for (let i = 0; i < MODES.length; i++) {
    if (MODES[i] != mode) others.push(mode_what(MODES[i], port));
  }
  const user = user_of(others, adding);
  if (user.error || user.name.length == 0) return user.error;
  return clash(mode, port, `of ${user.name}`, user.what.split(" ")[1]);
}

function clash(mode: string, port: Link, other: string, theirs: string): CniError {
  return new CniError(
    Code.InvalidConfig,
    `"mode" is ${mode}, but the ipvlan ${other} on "${port.name}" is in mode ${theirs}, and all ` +
      `on an interface have one: write "mode": "${theirs}", or name another master`,
  );
}
