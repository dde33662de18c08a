// SPDX-License-Identifier: Apache-2.0
// Whether this kernel can limit at all: for STATUS. It leaves nothing behind.
import { failure_errno } from "../../../host/failure";
import { Bucket, HOST, link_add_ifb, qdisc_add_tbf } from "../../../host/kernel";
import { EADDRNOTAVAIL, EEXIST, EINVAL, ENOENT, EOPNOTSUPP } from "../../../lib/errno";
import { CniError, Code, os_error } from "../../../spec/error";
import { Ifb } from "./shaper";

const LOOPBACK_INDEX = 1;
/** No interface may have it: a kernel that knows ifb says so and makes none. */
const MULTICAST = "01:00:00:00:00:00";

/** Asks for what the kernel must refuse: how it does tells whether it knows the kind. */
export function limits_possible(ifb: Ifb): CniError | null {
  if (link_add_ifb(HOST, ifb.name, MULTICAST, 0) < 0 && failure_errno != EADDRNOTAVAIL) {
    return unserved("ifb", "an ifb", failure_errno == EOPNOTSUPP);
  }
  if (qdisc_add_tbf(HOST, LOOPBACK_INDEX, 0x10000, new Bucket(0, 0, 0)) < 0) {
    if (failure_errno == EINVAL || failure_errno == EEXIST) return null;
    return unserved("sch_tbf", "a token bucket filter", failure_errno == ENOENT);
  }
  return null;
}

function unserved(module: string, what: string, missing: bool): CniError {
  const cure = missing ? `: load the module ${module} (modprobe ${module})` : "";
  const error = os_error(`limit bandwidth, as the kernel gives no ${what}`, Code.NotAvailable);
  error.msg += cure;
  return error;
}
