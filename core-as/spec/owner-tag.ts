// SPDX-License-Identifier: Apache-2.0
// Whose a thing in nftables is: the comment of an element, network, container and interface.
import { hash64 } from "../lib/name";

/** nft refuses longer comments. */
const COMMENT_MAX = 128;
const NAME_MAX = 40;

/** A name, or its hash where the comment would become too long; '~' is in no valid name. */
function short(name: string, whole: i32): string {
  if (whole <= COMMENT_MAX || name.length <= NAME_MAX) return name;
  return "~" + hash64(name).toString(16).padStart(16, "0");
}

/** Whose an element is: network, container and interface, valid names without spaces. */
export function owner_tag(network: string, containerID: string, ifname: string): string {
  const whole = network.length + containerID.length + String.UTF8.byteLength(ifname) + 2;
  return `${short(network, whole)} ${short(containerID, whole)} ${ifname}`;
}

/** Whether a tag is of a network, be its name shortened or not. */
export function owner_of_network(tag: string, network: string): bool {
  const name = tag.substring(0, max(tag.indexOf(" "), 0));
  return name == network || name == short(network, COMMENT_MAX + 1);
}
