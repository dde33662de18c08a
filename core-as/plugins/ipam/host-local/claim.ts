// SPDX-License-Identifier: Apache-2.0
// The addresses of an ADD: one of each range set, those that the runtime asked for first. Which
// address of a set it is, is allocate.ts's.
import { Ip, ip_parse } from "../../../lib/ip";
import { texts_joined } from "../../../lib/utf8";
import { CniError, Code } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import { Allocated, allocate_next, allocate_requested } from "./allocate";
import { Leases } from "./leases";
import { Plan } from "./plan";
import { RangeSet } from "./ranges";

/** Takes them into the result; `taken` gets each as soon as its lease is written. */
export function claim(
  plan: Plan,
  request: Request,
  leases: Leases,
  result: Result,
  taken: string[],
): CniError | null {
  const owned = owned_by(leases);
  if (leases.error) return leases.error;
  const wanted = plan.requested.slice();
  for (let i = 0; i < plan.sets.length; i++) {
    const made = claim_one(request, leases, owned, wanted, plan.sets[i], i, taken);
    const ip = made.ip;
    const error = made.error;
    if (!ip) {
      const reason = error ? error : new CniError(Code.Internal, "no address");
      return new CniError(
        reason.code,
        `failed to allocate for range ${i}: ${reason.msg}`,
        reason.details,
      );
    }
    result.ips.push(ip);
  }
  if (wanted.length == 0) return null;
  const left = new Array<string>();
  for (let i = 0; i < wanted.length; i++) left.push(wanted[i].toString());
  return new CniError(
    Code.NoAddress,
    `failed to allocate all requested IPs: ${texts_joined(left, ",")}: ` +
      `they lie in no range of "${request.network}"`,
  );
}

/** Addresses that the attachment holds already; what it held before a reboot is given back. */
function owned_by(leases: Leases): string[] {
  const owned = new Array<string>();
  const found = leases.find();
  for (let i = 0; i < found.length; i++) {
    // A record says nothing here: this very ADD may have written it.
    if (leases.before_boot(found[i], leases.owner)) leases.release(found[i], leases.owner);
    else owned.push(found[i]);
  }
  return owned;
}

/** Takes one address of one set, and takes it off the wanted list when it was wanted. */
function claim_one(
  request: Request,
  leases: Leases,
  owned: string[],
  wanted: Ip[],
  set: RangeSet,
  index: i32,
  taken: string[],
): Allocated {
  let made: Allocated | null = null;
  for (let k = 0; k < wanted.length && !made; k++) {
    const ip = wanted[k];
    if (set.indexOf(ip) < 0) continue;
    made = allocate_requested(leases, set, ip, taken);
    wanted.splice(k, 1);
  }
  if (!made) {
    for (let k = 0; k < owned.length; k++) {
      const ip = ip_parse(owned[k]);
      if (!ip || set.indexOf(ip) < 0) continue;
      const id = request.env.containerID;
      return new Allocated(
        null,
        new CniError(
          Code.NoAddress,
          `${owned[k]} has been allocated to ${id}, ` +
            "duplicate allocation is not allowed: run DEL for it first",
        ),
      );
    }
    made = allocate_next(leases, set, leases.last(index), taken);
  }
  const ip = made.ip;
  if (ip && !leases.setLast(index, ip.address.ip.toString())) {
    return new Allocated(null, leases.error);
  }
  return made;
}
