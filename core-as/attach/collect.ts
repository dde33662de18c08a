// SPDX-License-Identifier: Apache-2.0
// GC, as far as records and nftables go: attachments of the network that are not valid any more go,
// with all that is recorded of them.
import { Owned } from "../nft/element";
import { elements_gc } from "../nft/left";
import { Attachments } from "../spec/attachments";
import { CniError } from "../spec/error";
import { Request } from "../spec/request";
import { flows_drop } from "./elements";
import { collect_one } from "./leaving";
import { older_stale } from "./older";
import { Attachment } from "./record";
import { records, records_error } from "./store";

/** Records of a network; none when they cannot be read, which attachments_gc tells. */
export function records_of(network: string): Attachment[] {
  const found = new Array<Attachment>();
  const list = records();
  for (let i = 0; list !== null && i < list.length; i++) {
    if (list[i].network == network) found.push(list[i]);
  }
  return found;
}

/**
 * `by`: the chained type whose effects go, "" for those of all types; `sets`: those of nftables
 * that are looked through, none for all.
 */
export function attachments_gc(
  request: Request,
  by: string,
  sets: string[],
  valid: Attachments,
  errors: CniError[],
): void {
  const before = errors.length;
  const network = request.network;
  flows_gone(elements_gc(network, sets, valid, flows_gone, errors), errors);
  const elements_gone = errors.length == before;
  const list = records();
  if (!list) errors.push(records_error());
  for (let i = 0; list !== null && i < list.length; i++) {
    const one = list[i];
    if (one.network != network || valid.has(`${one.containerID}\r\n${one.ifname}`)) continue;
    collect_one(request, one, by, elements_gone, errors);
  }
  const older: Attachment[] = older_stale(network, by, valid, errors);
  for (let i = 0; i < older.length; i++) {
    collect_one(request, older[i], by, elements_gone, errors);
  }
}

function flows_gone(owned: Owned[], errors: CniError[]): void {
  flows_drop(owned, errors);
}
