// SPDX-License-Identifier: Apache-2.0
// Whether the namespace of an entry in a runtime's cache is there. It asks for the path alone:
// such an entry says nothing of identity.
import { failure_errno } from "../../host/failure";
import { netns_close, netns_open } from "../../host/kernel";
import { EINVAL, ENOENT } from "../../lib/errno";

/** Whether a sandbox may still be in use; one that cannot be looked at is. */
export function inhabited(netns: string): bool {
  if (netns.length == 0) return false;
  const ns = netns_open(netns);
  if (ns >= 0) netns_close(ns);
  return ns >= 0 || (failure_errno != ENOENT && failure_errno != EINVAL);
}
