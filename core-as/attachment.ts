// Records of attachments that live: /run/fairlead/attachments/<containerID>:<ifname>, written
// before the first change and removed after the last. /run forgets at reboot, as it must. They let
// a DEL work whose configuration does not parse, GC find what a dead container left, and an ADD
// tell an attachment that lives from one whose DEL never came. A chained plugin that is a process
// of its own notes its elements in the record that the wiring plugin made, or makes one.

import { failure_errno } from "./host/failure";
import { HOST, link_get, netns_close, netns_open, netns_same } from "./host/kernel";
import { dir_make, file_list, file_read, file_remove, file_write, log } from "./host/store";
import { EFBIG, EINVAL, ENODEV, ENOENT } from "./lib/errno";
import { JsonValue, json_parse, json_text, Kind } from "./lib/json";
import { dir_usable, identifier_valid } from "./lib/name";
import { Utf8, utf8_decode, utf8_invalid_at } from "./lib/utf8";
import { host_veth_del } from "./net/veth";
import { Element, element_parse, Owned, owner_tag } from "./nft/element";
import { flows_forget, host_port_of, rivals_of } from "./nft/hostport";
import {
  elements_add,
  elements_check,
  elements_gc,
  elements_of,
  elements_remove,
  elements_take_back,
  elements_there,
  Others,
} from "./nft/tables";
import { Leases } from "./plugins/ipam/host-local/leases";
import { Attachments } from "./spec/attachments";
import { CniError, Code, os_error } from "./spec/error";
import { Request } from "./spec/request";
import { Undo } from "./undo";

const DIR = "/run/fairlead/attachments";
/** What file_list gives the content of. */
const LIMIT_BYTES = 65536;

/** What was attached where. */
export class Attachment {
  network: string = "";
  containerID: string = "";
  ifname: string = "";
  /** CNI_NETNS at the time of ADD. */
  netns: string = "";
  /** Whether a plugin of ours wired the container. */
  wired: bool = false;
  /** Where host-local's leases lie; "" for an IPAM plugin without state. */
  dataDir: string = "";
  /** What it has in sets of nftables. */
  nft: Element[] = [];

  /** The name of its file. */
  get name(): string {
    return `${this.containerID}:${this.ifname}`;
  }
  get path(): string {
    return `${DIR}/${this.name}`;
  }
  /** Its elements, each with the tag that says whose it is. */
  get owned(): Owned[] {
    const tag = owner_tag(this.network, this.containerID, this.ifname);
    const list = new Array<Owned>();
    for (let i = 0; i < this.nft.length; i++) list.push(new Owned(this.nft[i], tag));
    return list;
  }
  /** Splits off its elements in some sets. */
  take(sets: string[]): Attachment {
    const taken = new Attachment();
    taken.network = this.network;
    taken.containerID = this.containerID;
    taken.ifname = this.ifname;
    const rest = new Array<Element>();
    for (let i = 0; i < this.nft.length; i++) {
      (sets.includes(this.nft[i].set) ? taken.nft : rest).push(this.nft[i]);
    }
    this.nft = rest;
    return taken;
  }
}

function bare(request: Request): Attachment {
  const made = new Attachment();
  made.network = request.network;
  made.containerID = request.env.containerID;
  made.ifname = request.env.ifname;
  made.netns = request.env.netns;
  return made;
}

/** The attachment of a request that wires, its state folder as its configuration has it. */
export function attachment_of(request: Request, dataDir: string): Attachment {
  const made = bare(request);
  made.wired = true;
  made.dataDir = dataDir;
  return made;
}

function text_of(attachment: Attachment): string {
  const object = JsonValue.object();
  object.append("network", JsonValue.string(attachment.network));
  object.append("containerID", JsonValue.string(attachment.containerID));
  object.append("ifname", JsonValue.string(attachment.ifname));
  object.append("netns", JsonValue.string(attachment.netns));
  if (attachment.wired) object.append("dataDir", JsonValue.string(attachment.dataDir));
  if (attachment.nft.length > 0) {
    const nft = JsonValue.array();
    for (let i = 0; i < attachment.nft.length; i++) {
      nft.push(JsonValue.string(attachment.nft[i].text));
    }
    object.append("nft", nft);
  }
  return json_text(object);
}

/** Writes a record; an ADD that fails gives back `earlier`, the text that was there. */
export function attachment_write(
  attachment: Attachment,
  undo: Undo,
  earlier: string = "",
): CniError | null {
  const text = text_of(attachment);
  const len = String.UTF8.byteLength(text);
  if (len > LIMIT_BYTES) {
    return new CniError(
      Code.InvalidConfig,
      `the record of "${attachment.ifname}" would be longer than the ${LIMIT_BYTES} bytes that ` +
        "are read again: give one container fewer addresses and port mappings",
    );
  }
  let written = file_write(attachment.path, text);
  if (written < 0 && failure_errno == ENOENT) {
    if (dir_make(DIR) < 0) return os_error(`make ${DIR}`, Code.Io);
    written = file_write(attachment.path, text);
  }
  if (written < 0) return os_error(`write ${attachment.path}`, Code.Io);
  if (earlier.length > 0) undo.file_write(attachment.path, earlier);
  else undo.file_remove(attachment.path);
  return null;
}

/**
 * Reads the text of the record in the file of that name; null when it is none: it is state of ours,
 * but anybody may have written. One that names another attachment than its file would lead to that.
 */
function parse(name: string, text: string): Attachment | null {
  const bytes = new Utf8(text);
  const parsed = json_parse(bytes.ptr, bytes.len);
  if (parsed.failed || parsed.value.kind != Kind.Object) return null;
  const made = new Attachment();
  made.network = member(parsed.value, "network");
  made.containerID = member(parsed.value, "containerID");
  made.ifname = member(parsed.value, "ifname");
  made.netns = member(parsed.value, "netns");
  made.wired = parsed.value.get("dataDir") !== null;
  made.dataDir = member(parsed.value, "dataDir");
  const nft = parsed.value.get("nft");
  if (nft && nft.kind == Kind.Array) {
    for (let i = 0; i < nft.items.length; i++) {
      const element = nft.items[i].kind == Kind.String ? element_parse(nft.items[i].text) : null;
      if (element) made.nft.push(element);
    }
  }
  if (!identifier_valid(made.network) || made.name != name) return null;
  return made.dataDir.length == 0 || dir_usable(made.dataDir) ? made : null;
}

function member(object: JsonValue, key: string): string {
  const value = object.get(key);
  return value && value.kind == Kind.String ? value.text : "";
}

/** A record that was looked for: `found` is null when there is none, or none that can be read. */
class Looked {
  found: Attachment | null = null;
  /** What the file says, "" when it says nothing that is text. */
  text: string = "";
  error: CniError | null = null;
}

/** The record of a request's container and interface. Garbage counts as none. */
function look(request: Request): Looked {
  const looked = new Looked();
  const wanted = bare(request);
  const bytes = file_read(wanted.path, LIMIT_BYTES);
  if (bytes && utf8_invalid_at(bytes.ptr, bytes.len) < 0) {
    looked.text = utf8_decode(bytes.ptr, bytes.len);
    looked.found = parse(wanted.name, looked.text);
  } else if (!bytes && failure_errno != ENOENT && failure_errno != EFBIG) {
    looked.error = os_error(`read ${wanted.path}`, Code.Io);
  }
  return looked;
}

/**
 * Whether an attachment of the owner, "<containerID>\r\n<ifname>", has a record of the network. A
 * record that cannot be read may be one.
 */
export function attachment_known(owner: string, network: string): bool {
  const parts = owner.split("\r\n");
  if (parts.length != 2) return false;
  const name = `${parts[0]}:${parts[1]}`;
  const bytes = file_read(`${DIR}/${name}`, LIMIT_BYTES);
  if (!bytes) return failure_errno != ENOENT;
  if (utf8_invalid_at(bytes.ptr, bytes.len) >= 0) return true;
  const record = parse(name, utf8_decode(bytes.ptr, bytes.len));
  return !record || record.network == network;
}

/** Gives back all that a record names. */
function release(attachment: Attachment, errors: CniError[]): void {
  release_wiring(attachment, errors);
  release_nft(attachment.owned, errors);
}

/** Takes elements away, and the flows through them; what fails is tried again by the record. */
function release_nft(owned: Owned[], errors: CniError[]): void {
  const error = elements_remove(owned);
  if (error) errors.push(error);
  else forget(owned, errors);
}

/**
 * The same for elements that have no record: while flows are left the elements stay, by which they
 * are found again. Those that came meanwhile go at the end.
 */
function release_unrecorded(owned: Owned[], errors: CniError[]): void {
  const before = errors.length;
  forget(owned, errors);
  if (errors.length == before) release_nft(owned, errors);
}

/** Makes conntrack forget the flows through what is or was an attachment's. */
function forget(owned: Owned[], errors: CniError[]): void {
  const elements = new Array<Element>();
  for (let i = 0; i < owned.length; i++) elements.push(owned[i].element);
  const error = flows_forget(elements, false);
  if (error) errors.push(error);
}

/** The end of an ADD. Flows that stay all the same end by themselves: a log is enough. */
function forget_old(stale: Owned[], fresh: Element[]): void {
  const errors = new Array<CniError>();
  forget(stale, errors);
  const error = flows_forget(fresh, true);
  if (error) errors.push(error);
  for (let i = 0; i < errors.length; i++) log(errors[i].toString());
}

/** Gives back leases and host link of a record. */
function release_wiring(attachment: Attachment, errors: CniError[]): void {
  host_veth_del(attachment.network, attachment.containerID, attachment.ifname, errors);
  if (attachment.dataDir.length == 0) return;
  const leases = new Leases(
    attachment.dataDir,
    attachment.network,
    attachment.containerID,
    attachment.ifname,
  );
  leases.release_all(errors);
}

const enum Life {
  Ended,
  GoesOn,
  /** The question failed. */
  Unknown,
}

/** Whether the container's side is still there: its namespace opens and holds the interface. */
function life_of(attachment: Attachment): Life {
  const ns = netns_open(attachment.netns);
  if (ns < 0) {
    return failure_errno == ENOENT || failure_errno == EINVAL ? Life.Ended : Life.Unknown;
  }
  const life = life_in(ns, attachment.ifname);
  // What a failed question said is still to be told.
  if (life != Life.Unknown) netns_close(ns);
  return life;
}

function life_in(ns: i32, ifname: string): Life {
  // A path through /proc may lead to the host after its process number was given again.
  const same = netns_same(ns, HOST);
  if (same != 0) return same == 1 ? Life.Ended : Life.Unknown;
  if (link_get(ns, ifname)) return Life.GoesOn;
  return failure_errno == ENODEV ? Life.Ended : Life.Unknown;
}

/**
 * Before an ADD: an attachment of the same container and interface that lives is refused; one whose
 * DEL never came is taken away.
 */
export function attachment_heal(request: Request): CniError | null {
  const looked = look(request);
  const old = looked.found;
  return old ? heal(old) : looked.error;
}

function heal(old: Attachment): CniError | null {
  const life = life_of(old);
  if (life == Life.Unknown) {
    return os_error(`see whether "${old.ifname}" of ${old.containerID} lives in ${old.netns}`);
  }
  if (life == Life.GoesOn) {
    return new CniError(
      Code.InterfaceExists,
      `container ${old.containerID} already has "${old.ifname}", on network "${old.network}": ` +
        "run DEL for it, or choose another CNI_IFNAME",
      `in ${old.netns}`,
    );
  }
  const errors = new Array<CniError>();
  release(old, errors);
  return errors.length > 0 ? errors[0] : null;
}

/**
 * The end of a DEL: takes away what lies in nftables, releases by the record what a configuration
 * that is broken, or that changed since ADD, does not lead to, and removes the record unless
 * something failed. `dataDir` is where the leases lie by the configuration, `nft_sets` where
 * elements may, `before` how many errors were there before the DEL. The record of another network's
 * attachment is not this DEL's to touch.
 */
export function attachment_end(
  request: Request,
  dataDir: string,
  nft_sets: string[],
  before: i32,
  errors: CniError[],
): void {
  const looked = look(request);
  const unread = looked.error;
  if (unread) errors.push(unread);
  const record = looked.found;
  if (record) {
    const other = record.network != request.network;
    if (other && request.network.length > 0) return;
    if (other || record.dataDir != dataDir) release_wiring(record, errors);
    release_nft(record.owned, errors);
  } else if (!unread && request.network.length > 0) {
    // Nobody knows the keys: whose an element is stands in its comment.
    const env = request.env;
    const tag = owner_tag(request.network, env.containerID, env.ifname);
    release_unrecorded(elements_of(tag, nft_sets, errors), errors);
  }
  if (errors.length > before) return;
  remove(bare(request).path, errors);
}

function remove(path: string, errors: CniError[]): void {
  if (file_remove(path) >= 0 || failure_errno == ENOENT) return;
  errors.push(os_error(`remove ${path}`, Code.Io));
}

/**
 * The end of a DEL of a chained plugin: takes away its elements, those of `sets`, and leaves the
 * rest of the record to the plugin that wired the container. Other arguments as for attachment_end.
 */
export function attachment_end_chained(
  request: Request,
  sets: string[],
  before: i32,
  errors: CniError[],
): void {
  const looked = look(request);
  const unread = looked.error;
  if (unread) {
    errors.push(unread);
    return;
  }
  const record = looked.found;
  if (!record) {
    const env = request.env;
    const tag = owner_tag(request.network, env.containerID, env.ifname);
    if (request.network.length > 0) release_unrecorded(elements_of(tag, sets, errors), errors);
    // What could not be read as a record is nobody's.
    if (errors.length == before) remove(bare(request).path, errors);
    return;
  }
  if (record.network != request.network && request.network.length > 0) return;
  const own = record.take(sets);
  release_nft(own.owned, errors);
  if (errors.length == before) leave(record, own, errors);
}

/** Writes what is left of a record after some elements were taken out of it. */
function leave(record: Attachment, taken: Attachment, errors: CniError[]): void {
  if (record.nft.length == 0 && !record.wired) remove(record.path, errors);
  else if (taken.nft.length > 0 && file_write(record.path, text_of(record)) < 0) {
    errors.push(os_error(`write ${record.path}`, Code.Io));
  }
}

/**
 * GC: elements in nftables and records of the network that are not valid go, with what they name.
 */
export function attachment_gc(request: Request, valid: Attachments, errors: CniError[]): void {
  forget(elements_gc(request.network, [], valid, forget, errors), errors);
  const stale = records_stale(request.network, valid, errors);
  for (let i = 0; i < stale.length; i++) {
    const before = errors.length;
    release_wiring(stale[i], errors);
    if (errors.length == before) remove(stale[i].path, errors);
  }
}

/** GC of a chained plugin: its elements go, those of `sets`, out of nftables and the records. */
export function attachment_gc_chained(
  request: Request,
  sets: string[],
  valid: Attachments,
  errors: CniError[],
): void {
  const before = errors.length;
  forget(elements_gc(request.network, sets, valid, forget, errors), errors);
  if (errors.length > before) return;
  const stale = records_stale(request.network, valid, errors);
  for (let i = 0; i < stale.length; i++) leave(stale[i], stale[i].take(sets), errors);
}

/** Records of the network whose attachments are not valid. */
function records_stale(network: string, valid: Attachments, errors: CniError[]): Attachment[] {
  const stale = new Array<Attachment>();
  const files = file_list(DIR);
  if (!files) {
    if (failure_errno != ENOENT) errors.push(os_error(`read ${DIR}`, Code.Io));
    return stale;
  }
  for (let i = 0; i < files.length; i++) {
    const record = parse(files[i].name, files[i].content);
    if (!record || record.network != network) continue;
    if (!valid.has(`${record.containerID}\r\n${record.ifname}`)) stale.push(record);
  }
  return stale;
}

/** Records of a network whose sandbox is there: attachments that live or are being made. */
export function attachments_live(network: string): Attachment[] {
  const live = new Array<Attachment>();
  const files = file_list(DIR);
  if (!files) return live;
  for (let i = 0; i < files.length; i++) {
    const record = parse(files[i].name, files[i].content);
    if (!record || record.network != network) continue;
    const ns = netns_open(record.netns);
    const gone = ns < 0 && (failure_errno == ENOENT || failure_errno == EINVAL);
    if (!gone && (ns < 0 || netns_same(ns, HOST) == 0)) live.push(record);
    if (ns > 0) netns_close(ns);
  }
  return live;
}

/**
 * Attachments but one that live and have elements in nftables; null when the records cannot be
 * read.
 */
function attachments_filtered(except: string): Attachment[] | null {
  const found = new Array<Attachment>();
  const files = file_list(DIR);
  if (!files) return failure_errno == ENOENT ? found : null;
  for (let i = 0; i < files.length; i++) {
    const record = parse(files[i].name, files[i].content);
    if (!record || record.nft.length == 0 || record.path == except) continue;
    if (life_of(record) != Life.Ended) found.push(record);
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
    const records = attachments_filtered(this.except);
    if (!records) return null;
    let owned = this.own;
    for (let i = 0; i < records.length; i++) owned = owned.concat(records[i].owned);
    return owned;
  }
  rivals(wanted: Owned[], lost: Owned[] | null, stale: Owned[]): CniError | null {
    const found = new Array<Owned>();
    const error = rivals_of(wanted, lost, found);
    if (error) return error;
    for (let i = 0; i < found.length; i++) {
      if (found[i].owner == wanted[0].owner) continue;
      stale.push(found[i]);
      const held = attachment_holds(found[i].element, found[i].owner);
      if (held) return held;
    }
    return null;
  }
  holds(element: Element, tag: string): CniError | null {
    return attachment_holds(element, tag);
  }
}

/** Why an element cannot be taken from the owner its tag names; null when that owner is dead. */
function attachment_holds(element: Element, tag: string): CniError | null {
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
  const looked = new Looked();
  const parts = tag.split(" ");
  if (parts.length == 3 && !parts[0].startsWith("~") && !parts[1].startsWith("~")) {
    const name = `${parts[1]}:${parts[2]}`;
    const bytes = file_read(`${DIR}/${name}`, LIMIT_BYTES);
    if (!bytes && failure_errno != ENOENT && failure_errno != EFBIG) {
      looked.error = os_error(`read ${DIR}/${name}`, Code.Io);
    } else if (bytes && utf8_invalid_at(bytes.ptr, bytes.len) < 0) {
      const record = parse(name, utf8_decode(bytes.ptr, bytes.len));
      if (record && record.network == parts[0]) looked.found = record;
    }
    return looked;
  }
  const files = file_list(DIR);
  if (!files && failure_errno != ENOENT) looked.error = os_error(`read ${DIR}`, Code.Io);
  for (let i = 0; files !== null && i < files.length; i++) {
    const record = parse(files[i].name, files[i].content);
    if (!record) continue;
    if (owner_tag(record.network, record.containerID, record.ifname) == tag) looked.found = record;
  }
  return looked;
}

/**
 * Restores in nftables what attachments that live have lost, one after the other; gives those that
 * had lost something.
 */
export function attachments_repair(errors: CniError[]): Attachment[] {
  const repaired = new Array<Attachment>();
  const records = attachments_filtered("");
  if (!records) {
    errors.push(os_error(`read ${DIR}`, Code.Io));
    return repaired;
  }
  for (let i = 0; i < records.length; i++) {
    if (!elements_check(records[i].owned)) continue;
    const error = elements_add(records[i].owned, null, true);
    if (error) errors.push(error);
    else repaired.push(records[i]);
  }
  return repaired;
}

/**
 * The end of an ADD: notes in the record what the plugins want in nftables, then sets all of it in
 * one transaction. Nothing comes after it that could fail, so nothing of it is ever undone.
 */
export function attachment_nft(request: Request, dataDir: string, undo: Undo): CniError | null {
  if (request.nft.length == 0) return null;
  const attachment = attachment_of(request, dataDir);
  attachment.nft = request.nft;
  let error = attachment_write(attachment, undo);
  if (error) return error;
  request.nft_noted = true;
  const rest = new Rest(attachment.path, []);
  const stale = new Array<Owned>();
  error = elements_add(attachment.owned, rest, false, stale);
  if (!error) forget_old(stale, request.nft);
  return error;
}

/**
 * The same for a chained plugin that is a process of its own: its elements, those of `sets`, take
 * the place of what it had, and what other plugins noted in the record stays.
 */
export function attachment_nft_chained(
  request: Request,
  sets: string[],
  undo: Undo,
): CniError | null {
  const looked = look(request);
  if (looked.error) return looked.error;
  const old = looked.found;
  const made = bare(request);
  let stale = new Attachment();
  if (old && old.network != request.network) {
    // The interface is of this network now: the other can only be dead.
    const error = heal(old);
    if (error) return error;
  } else if (old) {
    // The container of another namespace is dead: nothing of its record holds any more.
    const same = old.netns == made.netns;
    stale = old.take(same ? sets : sets_named(old.nft));
    made.wired = same && old.wired;
    made.dataDir = same ? old.dataDir : "";
    made.nft = old.nft;
  }
  if (request.nft.length == 0 && stale.nft.length == 0) return null;
  made.nft = made.nft.concat(request.nft);
  if (made.nft.length > 0 || made.wired) {
    const error = attachment_write(made, undo, looked.text);
    if (error) return error;
  } else {
    const errors = new Array<CniError>();
    remove(made.path, errors);
    if (errors.length > 0) return errors[0];
    undo.file_write(made.path, looked.text);
  }
  request.nft_noted = true;
  const wanted = made.take(sets).owned;
  const gone = stale.owned;
  const error = elements_add(wanted, new Rest(made.path, made.owned), false, gone);
  if (error) return error;
  forget_old(gone, request.nft);
  return null;
}

/**
 * The end of an ADD that failed, once its record is what it was: another may have restored by it,
 * meanwhile, what it wanted in nftables (Plan.settle is the other's part).
 */
export function attachment_nft_undo(request: Request, errors: CniError[]): void {
  if (!request.nft_noted) return;
  const looked = look(request);
  if (looked.error) return;
  const old = looked.found;
  const kept = new Set<string>();
  for (let i = 0; old !== null && i < old.nft.length; i++) kept.add(old.nft[i].place_key);
  const made = bare(request);
  for (let i = 0; i < request.nft.length; i++) {
    if (!kept.has(request.nft[i].place_key)) made.nft.push(request.nft[i]);
  }
  const gone = elements_there(made.owned);
  const rest = gone.length > 0 ? new Rest("", []).read() : null;
  const error = elements_take_back(gone, rest ? rest : []);
  if (error) errors.push(error);
}

function sets_named(elements: Element[]): string[] {
  const names = new Array<string>();
  for (let i = 0; i < elements.length; i++) names.push(elements[i].set);
  return names;
}

/** CHECK: what the plugins want in nftables is there. */
export function attachment_nft_check(request: Request): CniError | null {
  const attachment = bare(request);
  attachment.nft = request.nft;
  return elements_check(attachment.owned);
}
