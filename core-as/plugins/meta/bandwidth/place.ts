// SPDX-License-Identifier: Apache-2.0
// Which interface of an attachment is limited. A veth is limited at its end on the host, as the
// reference does it: what the host sends there is the container's ingress. Any other interface is
// limited in the container's namespace, and there its root is egress. It sets no limit.
import { HOST, Link, link_get } from "../../../host/kernel";
import { host_end, link_missing } from "../../../net/peer";
import { CniError } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import { BANDWIDTH } from "./limits";
import { Shaped } from "./shaper";

/** The interface that is limited; `inside` the container's namespace. */
export class Place {
  error: CniError | null = null;
  shaped: Shaped = new Shaped(HOST, new Link());
  inside: bool = false;
  /** Why it may not be what was meant, "" when all is as prevResult says. */
  doubt: string = "";
}

/** Where the limits of CNI_IFNAME go. */
export function place_of(request: Request, result: Result): Place {
  const place = new Place();
  const link = link_get(request.netns, request.env.ifname);
  if (!link) {
    place.error = link_missing(request, BANDWIDTH);
    return place;
  }
  let end = host_end(link, result);
  if (!end.link && !end.error) {
    // A limit inside is one that root of the container removes: a result that says too little is no
    // reason for that.
    end = host_end(link, null);
    place.doubt = doubt(link, end.link);
  }
  const host = end.link;
  place.error = end.error;
  place.inside = host === null;
  place.shaped = host ? new Shaped(HOST, host) : new Shaped(request.netns, link);
  return place;
}

/** What is to be told of a veth that is not as prevResult has it; "" for any other link. */
function doubt(link: Link, host: Link | null): string {
  if (host) {
    return (
      `bandwidth limits "${host.name}", the other end of "${link.name}" on the host, which ` +
      "prevResult does not list"
    );
  }
  if (link.kind != "veth") return "";
  return (
    `bandwidth limits "${link.name}" inside the container, where root can remove the limit: its ` +
    "other end is not in the host's namespace"
  );
}
