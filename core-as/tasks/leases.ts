// SPDX-License-Identifier: Apache-2.0
// The task `leases`: what host-local has given of each network, whose it is, and what is free. It
// takes no lock and changes nothing, so that what is given meanwhile may be missing; and it refuses
// to call a lease leaked of whose owner nothing here can know.
import { Life, life_of } from "../attach/living";
import { Attachment, records_dir } from "../attach/record";
import { records, records_error } from "../attach/store";
import { failure_errno } from "../host/failure";
import { dir_list, file_mtime, Reading } from "../host/store";
import { ENOENT, ENOTDIR } from "../lib/errno";
import { Ip, ip_parse } from "../lib/ip";
import { JsonValue, json_text, Kind } from "../lib/json";
import { Answer, refuse } from "../plugin/dispatch";
import { ipam_pools } from "../plugin/ipam";
import { Pool } from "../plugin/pool";
import { EachLease, OWNER_LIMIT_BYTES } from "../plugins/ipam/host-local/each-lease";
import { data_dir } from "../plugins/ipam/host-local/plan";
import { pools_read } from "../plugins/ipam/host-local/ranges";
import { Environment } from "../spec/environment";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { ended } from "./retire";
import { CacheEntry, cache_list } from "./runtime/cache";
import { networks_in } from "./runtime/discover";
import { inhabited } from "./runtime/sandbox";
import { unreadable } from "./runtime/unreadable";
import { Parts } from "./validate/parts";
import { Report } from "./validate/report";

/** So many leases of a network are told one by one; all are counted. */
const TOLD_LIMIT = 10000;

/** A folder of leases. */
class Folder {
  pools: Pool[] = [];
  used: i32 = 0;
  leaked: i32 = 0;
  /** How many take an address of the pools. */
  inside: u64 = 0;
  told: JsonValue = JsonValue.array();
  /** One of the same network whose pools leases of this one take addresses of, too. */
  beside: Folder | null = null;
  constructor(
    public network: string,
    public dataDir: string,
  ) {}
  get path(): string {
    return `${this.dataDir}/${this.network}`;
  }
}

/** Folders by network, those of configurations first. */
class Folders {
  list: Folder[] = [];
  of(network: string, dataDir: string): Folder {
    for (let i = 0; i < this.list.length; i++) {
      if (this.list[i].network == network && this.list[i].dataDir == dataDir) return this.list[i];
    }
    const made = new Folder(network, dataDir);
    this.list.push(made);
    return made;
  }
}

/** The folders that the configurations of a folder name. */
function configured(confDir: string, folders: Folders): CniError | null {
  const found = networks_in(confDir);
  if (found.error) return found.error;
  for (let i = 0; i < found.lists.length; i++) {
    const list = found.lists[i];
    if (list.file.document.failed || list.name.length == 0) continue;
    const parts = new Parts(list, new Report());
    for (let k = 0; k < parts.chain.length; k++) {
      const part = parts.chain[k];
      if (part.ipam_type != "host-local") continue;
      part.reader();
      const folder = folders.of(list.name, data_dir(part.request));
      folder.pools = folder.pools.concat(ipam_pools(part.request));
    }
  }
  return null;
}

/** Those that records name: of networks whose configuration is gone. */
function recorded(list: Attachment[], folders: Folders): void {
  for (let i = 0; i < list.length; i++) {
    for (let k = 0; k < list[i].effects.length; k++) {
      if (list[i].effects[k].word != "leases") continue;
      const members = JsonValue.object();
      list[i].effects[k].write(members);
      folders.of(list[i].network, members.text_at("dataDir"));
    }
  }
}

/**
 * What host-local gives of a network of whose subnets no configuration says anything. Of IPv4, as
 * IPv6 has no end.
 */
function own_pools(own: JsonValue | null, folders: Folders): void {
  const subnets = own ? own.get("subnets") : null;
  if (!own || !subnets || subnets.kind != Kind.Array) return;
  const ranges = JsonValue.array();
  for (let i = 0; i < subnets.items.length; i++) {
    const subnet = subnets.items[i];
    if (subnet.kind != Kind.String || subnet.text.includes(":")) continue;
    const range = JsonValue.object();
    range.append("subnet", subnet);
    ranges.push(range);
  }
  const ipam = JsonValue.object();
  ipam.append("ranges", ranges);
  const pools = pools_read(new Request("host-local", new Environment(0, 0)), ipam);
  const network = own.text_at("network");
  let first: Folder | null = null;
  for (let i = 0; i < folders.list.length; i++) {
    const folder = folders.list[i];
    if (folder.network != network || folder.pools.length > 0) continue;
    if (first) folder.beside = first;
    else {
      folder.pools = pools;
      first = folder;
    }
  }
}

/** Who owns what, as far as this node knows. */
class Owners {
  /** States by network and owner. */
  private lives: Map<string, Map<string, string>> = new Map<string, Map<string, string>>();

  constructor(list: Attachment[], cached: CacheEntry[]) {
    for (let i = 0; i < cached.length; i++) {
      const one = cached[i];
      const state = inhabited(one.netns) ? "used" : "leaked";
      this.of(one.network).set(`${one.containerID}\r\n${one.ifname}`, state);
    }
    for (let i = 0; i < list.length; i++) {
      const one = list[i];
      const life = life_of(one);
      const state = life == Life.GoesOn ? "used" : ended(one) ? "leaked" : "unknown";
      this.of(one.network).set(`${one.containerID}\r\n${one.ifname}`, state);
    }
  }
  /** Those of a network, which are looked up without another text for each lease. */
  of(network: string): Map<string, string> {
    if (!this.lives.has(network)) this.lives.set(network, new Map<string, string>());
    return this.lives.get(network);
  }
}

/** Looks at each lease of a folder. */
function read(folder: Folder, owners: Owners): CniError | null {
  const names = dir_list(folder.path);
  if (!names) {
    const none = failure_errno == ENOENT || failure_errno == ENOTDIR;
    return none ? null : os_error(`read ${folder.path}`, Code.Io);
  }
  const file = new Reading(folder.path, OWNER_LIMIT_BYTES);
  const each = new EachLease(file, names);
  const states = owners.of(folder.network);
  while (each.next()) {
    if (each.error) return each.error;
    if (each.empty) continue;
    const known = states.has(each.owner) ? states.get(each.owner) : "unknown";
    const old = known == "unknown" && file.before_boot(each.name) == 1;
    const state = old ? "leaked" : known;
    folder.used++;
    if (state == "leaked") folder.leaked++;
    const beside = folder.beside;
    const whole = beside ? beside : folder;
    if (takes(each.name, whole.pools)) whole.inside++;
    if (folder.told.items.length >= TOLD_LIMIT) continue;
    const parts = each.owner.split("\r\n");
    const item = JsonValue.object();
    item.append("network", JsonValue.string(folder.network));
    item.append("address", JsonValue.string(each.name));
    item.append("containerID", JsonValue.string(parts[0]));
    item.append("ifname", JsonValue.string(parts.length > 1 ? parts[1] : ""));
    item.append("since_s", JsonValue.string(file_mtime(`${folder.path}/${each.name}`)));
    item.append("state", JsonValue.string(state));
    folder.told.push(item);
  }
  return null;
}

/** How many addresses pools have: as text, as there may be more than numbers of JSON hold. */
function size(pools: Pool[]): string {
  const sorted = pools.slice(0).sort((a, b) => a.first.compare(b.first));
  let sum: u64 = 0;
  let gateways: u64 = 0;
  let covered: Pool | null = null;
  for (let i = 0; i < sorted.length; i++) {
    const pool = sorted[i];
    // Of ranges that overlap each address counts once.
    const more = beyond(pool, covered);
    sum = sum + more < sum ? u64.MAX_VALUE : sum + more;
    if (covered === null || more > 0) covered = pool;
    if (is_first_gateway(sorted, i)) gateways++;
  }
  return sum == u64.MAX_VALUE ? "" : (sum - gateways).toString();
}

/** How many addresses a pool has that lie behind those of one that begins no later. */
function beyond(pool: Pool, covered: Pool | null): u64 {
  const apart = covered === null || covered.last.compare(pool.first) < 0;
  if (apart) return span(pool.first, pool.last);
  const end = (<Pool>covered).last;
  if (pool.last.compare(end) <= 0) return 0;
  const more = span(end, pool.last);
  return more == u64.MAX_VALUE ? more : more - 1;
}

/** Whether a pool has a gateway among its addresses, and none before it has the same. */
function is_first_gateway(pools: Pool[], at: i32): bool {
  const gateway = pools[at].gateway;
  if (gateway === null || !lies(gateway, pools[at])) return false;
  for (let i = 0; i < at; i++) {
    const other = pools[i].gateway;
    if (other !== null && other.equals(gateway) && lies(gateway, pools[i])) return false;
  }
  return true;
}

function span(first: Ip, last: Ip): u64 {
  if (first.high != last.high) return u64.MAX_VALUE;
  const count = last.low - first.low;
  return count == u64.MAX_VALUE ? count : count + 1;
}

function lies(ip: Ip, pool: Pool): bool {
  return ip.v6 == pool.first.v6 && pool.first.compare(ip) <= 0 && ip.compare(pool.last) <= 0;
}

/** Whether a lease takes an address of the pools, among which their gateways are not counted. */
function takes(address: string, pools: Pool[]): bool {
  const ip = ip_parse(address);
  let found = false;
  for (let i = 0; ip !== null && i < pools.length; i++) {
    if (!lies(ip, pools[i])) continue;
    const gateway = pools[i].gateway;
    if (gateway !== null && gateway.equals(ip)) return false;
    found = true;
  }
  return found;
}

/** How many addresses are free, of so many; "" when that is not known. */
function free(all: string, taken: u64): string {
  if (all.length == 0) return "";
  const count = U64.parseInt(all);
  return count > taken ? (count - taken).toString() : "0";
}

function summary(folder: Folder): JsonValue {
  const ranges = JsonValue.array();
  for (let i = 0; i < folder.pools.length; i++) {
    ranges.push(JsonValue.string(folder.pools[i].toString()));
  }
  const item = JsonValue.object();
  item.append("network", JsonValue.string(folder.network));
  item.append("dataDir", JsonValue.string(folder.dataDir));
  item.append("ranges", ranges);
  const all = folder.pools.length > 0 ? size(folder.pools) : "";
  item.append("size", JsonValue.string(all));
  item.append("used", JsonValue.number(folder.used));
  item.append("leaked", JsonValue.number(folder.leaked));
  item.append("free", JsonValue.string(free(all, folder.inside)));
  item.append("more", JsonValue.number(folder.used - folder.told.items.length));
  return item;
}

/**
 * `{"networks": [{"network", "dataDir", "ranges", "size", "used", "leaked", "free", "more"}],
 * "leases": [{"network", "address", "containerID", "ifname", "since_s", "state"}]}`: of the
 * networks that configurations or records name. `size` and `free` are texts, "" when they are not
 * known or beyond 64 bits. `own`: `{"network", "subnets"}` of a network whose ranges no
 * configuration says; one of its folders has the sizes. `more` leases are counted and not in the
 * list. `state` is `used`, `leaked` (its container is gone) or `unknown`: whose container nothing
 * here knows. `cacheDir` is "" where the runtime's namespaces may not be seen: what its cache tells
 * of would all look gone.
 */
export function leases(
  network: string,
  confDir: string,
  cacheDir: string,
  own: JsonValue | null,
): Answer {
  const hidden = unreadable(records_dir(), "");
  if (hidden) return refuse(hidden, "");
  const list = records();
  if (!list) return refuse(records_error(), "");
  const folders = new Folders();
  const wrong = configured(confDir, folders);
  if (wrong) return refuse(wrong, "");
  recorded(list, folders);
  own_pools(own, folders);
  const cached: CacheEntry[] = cacheDir.length > 0 ? cache_list(cacheDir, "") : [];
  const owners = new Owners(list, cached);
  const asked = new Array<Folder>();
  for (let i = 0; i < folders.list.length; i++) {
    const folder = folders.list[i];
    if (network.length > 0 && folder.network != network) continue;
    const error = read(folder, owners);
    if (error) return refuse(error, "");
    asked.push(folder);
  }
  const summaries = JsonValue.array();
  const told = JsonValue.array();
  for (let i = 0; i < asked.length; i++) {
    summaries.push(summary(asked[i]));
    for (let k = 0; k < asked[i].told.items.length; k++) told.push(asked[i].told.items[k]);
  }
  if (network.length > 0 && summaries.items.length == 0) {
    const msg = `no network "${network}" has leases of host-local: see "fairlead networks"`;
    return refuse(new CniError(Code.Io, msg), "");
  }
  const made = JsonValue.object();
  made.append("networks", summaries);
  made.append("leases", told);
  return new Answer(json_text(made));
}
