// SPDX-License-Identifier: Apache-2.0
// What attachments have in nftables: how it comes there at the end of an ADD, all of it in one
// transaction, who else has it, what was lost is restored. What it is the plugins say
// (request.nft); how it goes again is elements.ts.

import { Element, Owned } from "../nft/element";
import { elements_there } from "../nft/found";
import { host_port_of, rivals_of } from "../nft/hostport";
import { Others } from "../nft/plan";
import { elements_add, elements_check, elements_take_back } from "../nft/tables";
import { Environment } from "../spec/environment";
import { CniError, Code } from "../spec/error";
import { owner_tag } from "../spec/owner-tag";
import { Request } from "../spec/request";
import { Adding } from "./adding";
import { Elements, flows_renew } from "./elements";
import { Life, life_of } from "./living";
import { Attachment, owned_by } from "./record";
import { is_here, LOCK_NOW_MS, Lock, Looked, record_look, records, records_error } from "./store";

/** Attachments but one that live and have elements; null when the records cannot be read. */
function others_filtered(except: string): Attachment[] | null {
  const list = records();
  if (!list) return null;
  const found = new Array<Attachment>();
  for (let i = 0; i < list.length; i++) {
    if (list[i].path == except || list[i].elements.length == 0) continue;
    if (life_of(list[i]) != Life.Ended) found.push(list[i]);
  }
  return found;
}

/** What the attachments beside one have in sets of nftables, and what it has already. */
class Rest extends Others {
  constructor(
    private except: string,
    private own: Owned[],
  ) {
    super();
  }
  read(): Owned[] | null {
    const list = others_filtered(this.except);
    if (!list) return null;
    let owned = this.own;
    for (let i = 0; i < list.length; i++) owned = owned.concat(list[i].owned);
    return owned;
  }
  rivals(wanted: Owned[], lost: Owned[] | null, stale: Owned[]): CniError | null {
    const found = new Array<Owned>();
    const error = rivals_of(wanted, lost, found);
    if (error) return error;
    for (let i = 0; i < found.length; i++) {
      if (found[i].owner == wanted[0].owner) continue;
      stale.push(found[i]);
      const held = holder_of(found[i].element, found[i].owner);
      if (held) return held;
    }
    return null;
  }
  holds(element: Element, tag: string): CniError | null {
    return holder_of(element, tag);
  }
}

/** Why an element cannot be taken from the owner its tag names; null when that owner is dead. */
function holder_of(element: Element, tag: string): CniError | null {
  const looked = owner_of(tag);
  const owner = looked.found;
  if (!owner) return looked.error;
  if (life_of(owner) == Life.Ended) return null;
  const port = host_port_of(element);
  return new CniError(
    Code.NoAddress,
    `${port ? port.text : element.text} is taken by container ${owner.containerID} ` +
      `("${owner.ifname}") on network "${owner.network}": choose another, or run DEL for it`,
    `in ${owner.netns}`,
  );
}

/** The record of the attachment that a tag is of; names may be shortened in it. */
function owner_of(tag: string): Looked {
  const parts = tag.split(" ");
  if (parts.length == 3 && !parts[0].startsWith("~") && !parts[1].startsWith("~")) {
    const looked = record_look(`${parts[1]}:${parts[2]}`);
    const record = looked.found;
    if (record && (record.network != parts[0] || !is_here(record))) looked.found = null;
    return looked;
  }
  const looked = new Looked();
  const list = records();
  if (!list) looked.error = records_error();
  for (let i = 0; list !== null && i < list.length; i++) {
    if (list[i].tag == tag) looked.found = list[i];
  }
  return looked;
}

/**
 * Notes what the plugins want in nftables; gives what the same type had there for the attachment
 * from before, which is to go.
 */
export function nft_note(adding: Adding): Owned[] {
  const earlier = adding.take_elements();
  let stale = new Array<Element>();
  for (let i = 0; i < earlier.length; i++) stale = stale.concat(earlier[i].list);
  const wanted = adding.request.nft;
  if (wanted.length > 0) adding.note(new Elements(wanted));
  return owned_by(stale, adding.tag);
}

/** The end of an ADD: brings into nftables what was noted, once the record says so. */
export function nft_set(adding: Adding, gone: Owned[]): CniError | null {
  const request = adding.request;
  if (request.nft.length == 0 && gone.length == 0) return null;
  let error = adding.empty ? adding.drop() : adding.write();
  if (error) return error;
  request.nft_noted = true;
  const rest = new Rest(adding.path, adding.others.owned);
  error = elements_add(owned_by(request.nft, adding.tag), rest, false, gone);
  if (!error) flows_renew(gone, request.nft);
  return error;
}

/**
 * The end of an ADD that failed, once its record is what it was: another may have restored by it,
 * meanwhile, what it wanted in nftables (Plan.settle is the other's part).
 */
export function nft_unset(request: Request, errors: CniError[]): void {
  if (!request.nft_noted) return;
  const env = request.env;
  const looked = record_look(`${env.containerID}:${env.ifname}`);
  if (looked.error) return;
  const old = looked.found;
  const kept = new Set<string>();
  const left = old ? old.elements : [];
  for (let i = 0; i < left.length; i++) kept.add(left[i].place_key);
  const made = new Array<Element>();
  for (let i = 0; i < request.nft.length; i++) {
    if (!kept.has(request.nft[i].place_key)) made.push(request.nft[i]);
  }
  const gone = elements_there(owned_by(made, tag_of(request)));
  const rest = gone.length > 0 ? new Rest("", []).read() : null;
  const error = elements_take_back(gone, rest ? rest : []);
  if (error) errors.push(error);
}

/** CHECK: what the plugins want in nftables is there. */
export function nft_check(request: Request): CniError | null {
  return elements_check(owned_by(request.nft, tag_of(request)));
}

function tag_of(request: Request): string {
  return owner_tag(request.network, request.env.containerID, request.env.ifname);
}

/**
 * Restores in nftables what attachments that live have lost, one after the other; gives those that
 * had lost something.
 */
export function attachments_repair(env: Environment, errors: CniError[]): Attachment[] {
  const repaired = new Array<Attachment>();
  const list = others_filtered("");
  if (!list) {
    errors.push(records_error());
    return repaired;
  }
  for (let i = 0; i < list.length; i++) {
    const lock = new Lock();
    // A call at work on it says itself what is there in the end.
    if (!lock.take(list[i].name, env, true, LOCK_NOW_MS)) continue;
    const found = record_look(list[i].name).found;
    const owned: Owned[] = found ? found.owned : [];
    if (owned.length > 0 && elements_check(owned)) {
      const error = elements_add(owned, null, true);
      if (error) errors.push(error);
      else repaired.push(list[i]);
    }
    lock.release();
  }
  return repaired;
}
