// SPDX-License-Identifier: Apache-2.0
// The container's interface as a chained plugin finds it, and the host's end of a veth, as the
// kernel and the result of the chain have it.
import { failure_errno } from "../host/failure";
import { HOST, Link, link_get_index } from "../host/kernel";
import { ENODEV } from "../lib/errno";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { Result } from "../spec/types";

/** Why CNI_IFNAME could not be read just now; `type`: the plugin that works on it. */
export function link_missing(request: Request, type: string): CniError {
  const where = `"${request.env.ifname}" in ${request.env.netns}`;
  if (failure_errno != ENODEV) return os_error(`look for ${where}`);
  return new CniError(
    Code.Kernel,
    `there is no ${where}: put ${type} behind the plugin that makes the interface`,
  );
}

/** `link` is null when the other end is not on the host, or there is none. */
export class HostEnd {
  error: CniError | null = null;
  link: Link | null = null;
}

/**
 * The link on the host whose peer is the container's `link`, and the other way round. Indexes of
 * two namespaces may meet by chance, so a result that lists interfaces must list it too; without a
 * result it is taken for what it looks like.
 */
export function host_end(link: Link, result: Result | null): HostEnd {
  const end = new HostEnd();
  if (link.kind != "veth") return end;
  const host = link_get_index(HOST, link.peer);
  if (!host) {
    if (failure_errno != ENODEV) end.error = os_error(`find the other end of "${link.name}"`);
    return end;
  }
  if (host.kind != "veth" || host.peer != link.ifindex) return end;
  if (!result || lists(result, host.name)) end.link = host;
  return end;
}

function lists(result: Result, name: string): bool {
  for (let i = 0; i < result.interfaces.length; i++) {
    const item = result.interfaces[i];
    if (item.name == name && item.sandbox.length == 0) return true;
  }
  // Results before 0.3.0 have no interfaces.
  return result.interfaces.length == 0;
}
