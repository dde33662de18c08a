// SPDX-License-Identifier: Apache-2.0
// GC of leases: which of a network go. It refuses to look at anything but leases and records.
import { leases_recorded } from "../../../attach/living";
import { log } from "../../../host/store";
import { Kind } from "../../../lib/json";
import { plugin_find } from "../../../plugin/find";
import { Attachments } from "../../../spec/attachments";
import { CniError } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Leases } from "./leases";

/**
 * Leases of attachments that are not valid go, and zero-byte ones, which nobody owns. Where ours
 * wire, and so have a record of each, a lease without one is another plugin's, whose container may
 * live, or have left rules that lead to the address: it goes by its DEL, or with the boot.
 */
export function leases_collect(
  request: Request,
  leases: Leases,
  valid: Attachments,
  errors: CniError[],
): void {
  const records = records_all(request);
  let strange = 0;
  if (leases.open(false)) {
    for (const lease = leases.all(); lease.next(); ) {
      const owner = lease.owner;
      const unread = lease.error;
      if (unread) errors.push(unread);
      const stale = owner.length > 0 && !valid.has(owner);
      // Of an ADD at work, of another host, or of a GC that could not do all: by its record.
      if (stale && leases_recorded(owner, request.network)) continue;
      if (stale && records && !of_before_boot(leases, lease.name)) strange++;
      else if (lease.empty || stale) leases.release(lease.name, owner);
    }
    leases.close();
  }
  if (strange > 0) {
    log(
      `host-local: leases of network "${request.network}" that are not valid and stay, as no ` +
        `record says that we made them: ${strange}; DEL of their containers gives them back, or ` +
        "the next boot",
    );
  }
  const error = leases.error;
  if (error) errors.push(error);
}

/** Whether a lease is from before the boot, which the index has to tell. */
function of_before_boot(leases: Leases, name: string): bool {
  return leases.ready() && leases.stale_owner(name).length > 0;
}

/** Whether the plugin that asks for addresses is one of ours, which records all that it wires. */
function records_all(request: Request): bool {
  const type = request.config.get("type");
  const main = type && type.kind == Kind.String ? plugin_find(type.text) : null;
  return main !== null && main.wires;
}
