// SPDX-License-Identifier: Apache-2.0
// What 0.1.0 wrote beside the record of an attachment: a file for each chained plugin that changed
// something, /run/fairlead/<type>/<containerID>:<ifname>, with the members that the type's effect
// has today. A node that was upgraded has them until its pods are gone. It writes none.

import { failure_errno } from "../host/failure";
import { dir_list, file_read } from "../host/store";
import { EFBIG, ENOENT } from "../lib/errno";
import { json_parse, Kind } from "../lib/json";
import { state_dir } from "../lib/state-dir";
import { Attachments } from "../spec/attachments";
import { CniError, Code, os_error } from "../spec/error";
import { Effect, effect_read, Site } from "./effect";
import { Attachment } from "./record";
import { file_drop } from "./store";

const TYPES: string[] = ["bandwidth", "tuning", "sbr", "vrf"];
const LIMIT_BYTES = 65536;

/** An effect that has a file of its own, which goes with it. */
class Older extends Effect {
  constructor(
    private type: string,
    private path: string,
    private inner: Effect | null,
    private error: CniError | null,
  ) {
    super();
  }
  get kind(): string {
    return this.type;
  }
  undo(site: Site, errors: CniError[]): bool {
    const error = this.error;
    if (error) {
      errors.push(error);
      return false;
    }
    const inner = this.inner;
    if (inner && !inner.undo(site, errors)) return false;
    return file_drop(this.path, errors);
  }
}

/**
 * The effects of an attachment that lie in such files; `by`: of one type, "" for all. One that was
 * never recorded learns from them where its namespace is.
 */
export function older_effects(of_it: Attachment, by: string): Effect[] {
  const found = new Array<Effect>();
  for (let i = 0; i < TYPES.length; i++) {
    if (by.length > 0 && TYPES[i] != by) continue;
    const effect = older_read(TYPES[i], of_it);
    if (effect) found.push(effect);
  }
  return found;
}

/** null when there is no such file, or it is another network's. Garbage has nothing to undo. */
function older_read(type: string, of_it: Attachment): Effect | null {
  const path = `${state_dir()}/${type}/${of_it.name}`;
  const bytes = file_read(path, LIMIT_BYTES);
  if (!bytes && failure_errno == ENOENT) return null;
  if (!bytes && failure_errno != EFBIG) {
    return new Older(type, path, null, os_error(`read ${path}`, Code.Io));
  }
  if (!bytes) return null;
  const parsed = json_parse(bytes.ptr, bytes.len);
  if (parsed.failed || parsed.value.kind != Kind.Object) return null;
  const network = parsed.value.text_at("network");
  if (of_it.network.length > 0 && network != of_it.network) return null;
  const netns = parsed.value.text_at("netns");
  if (of_it.netns.length == 0) of_it.netns = netns;
  // Of a namespace that is gone: there is nothing left that it could bring back.
  const elsewhere = netns.length > 0 && netns != of_it.netns;
  // What bandwidth made on the host is found by what it is.
  if (elsewhere && type != "bandwidth") return new Older(type, path, null, null);
  const effect = effect_read(type, parsed.value);
  effect.by = type;
  return new Older(type, path, effect, null);
}

/** GC: attachments of the network that have such files and are not valid; `by` as above. */
export function older_stale(
  network: string,
  by: string,
  valid: Attachments,
  errors: CniError[],
): Attachment[] {
  const names = new Set<string>();
  const stale = new Array<Attachment>();
  for (let i = 0; i < TYPES.length; i++) {
    if (by.length > 0 && TYPES[i] != by) continue;
    const files = dir_list(`${state_dir()}/${TYPES[i]}`);
    if (!files) {
      if (failure_errno != ENOENT)
        errors.push(os_error(`read ${state_dir()}/${TYPES[i]}`, Code.Io));
      continue;
    }
    for (let k = 0; k < files.length; k++) {
      const cut = files[k].indexOf(":");
      if (cut < 0 || names.has(files[k])) continue;
      const made = new Attachment();
      made.network = network;
      made.containerID = files[k].substring(0, cut);
      made.ifname = files[k].substring(cut + 1);
      if (valid.has(`${made.containerID}\r\n${made.ifname}`)) continue;
      names.add(files[k]);
      stale.push(made);
    }
  }
  return stale;
}
