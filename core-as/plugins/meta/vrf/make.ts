// SPDX-License-Identifier: Apache-2.0
// Making a VRF, and whether this kernel has any.
import { failure_errno } from "../../../host/failure";
import { HOST, Link, link_add_vrf } from "../../../host/kernel";
import { EEXIST, EINVAL, EOPNOTSUPP } from "../../../lib/errno";
import { Tables } from "../../../net/tables";
import { CniError, Code, os_error } from "../../../spec/error";

/** No VRF of this name is ever made: table 0 is refused after the kind is known. */
const PROBE = "fairlead-probe";

/** Makes it over a table, 0 for the lowest free one. */
export function vrf_make(ns: i32, name: string, given: i32, links: Link[]): CniError | null {
  let table = given;
  if (table == 0) {
    const tables = new Tables(ns, links);
    if (tables.error) return tables.error;
    table = tables.take(1);
  }
  if (link_add_vrf(ns, name, table) >= 0) return null;
  if (failure_errno == EOPNOTSUPP) return unsupported(Code.Kernel);
  return os_error(`make the VRF "${name}" over table ${<u32>table}`);
}

/** STATUS: why none could be made. */
export function vrf_possible(): CniError | null {
  const made = link_add_vrf(HOST, PROBE, 0);
  if (made < 0 && (failure_errno == EINVAL || failure_errno == EEXIST)) return null;
  if (made < 0 && failure_errno == EOPNOTSUPP) return unsupported(Code.NotAvailable);
  return made < 0 ? os_error("ask the kernel for VRFs", Code.NotAvailable) : null;
}

function unsupported(code: i32): CniError {
  return new CniError(
    code,
    "this kernel has no VRFs: it needs CONFIG_NET_VRF (the module vrf)",
    "EOPNOTSUPP",
  );
}
