// SPDX-License-Identifier: Apache-2.0
// A network against the others of its folder: addresses that two of them would give, names that two
// of them have, links that two of them want different gateways on. It refuses to judge a range by
// itself: its plugin does.

import { Span, Spans } from "../../lib/spans";
import { ipam_pools } from "../../plugin/ipam";
import { Gateway, Pool } from "../../plugin/pool";
import { networks_in } from "../runtime/discover";
import { Parts } from "./parts";
import { FileReport, Report } from "./report";

/** What others must know of a network. */
class Network {
  name: string = "";
  /** The file's name in its folder. */
  file: string = "";
  pools: Pool[] = [];
  gateways: Gateway[] = [];
  private sorted: Spans | null = null;

  constructor(parts: Parts) {
    const path = parts.list.path;
    this.name = parts.list.name;
    this.file = path.substring(path.lastIndexOf("/") + 1);
    for (let i = 0; i < parts.chain.length; i++) {
      const part = parts.chain[i];
      const pools = ipam_pools(part.request);
      this.pools = this.pools.concat(pools);
      const plugin = part.plugin;
      if (plugin) this.gateways = this.gateways.concat(plugin.gateways(part.request, pools));
    }
  }

  /** Its pools, to look whether one of another network meets any. */
  get spans(): Spans {
    let sorted = this.sorted;
    if (!sorted) {
      const spans = new Array<Span>();
      for (let i = 0; i < this.pools.length; i++) {
        spans.push(new Span(this.pools[i].first, this.pools[i].last));
      }
      sorted = new Spans(spans);
      this.sorted = sorted;
    }
    return sorted;
  }

  /** "a" of a.conflist */
  toString(): string {
    return `network "${this.name}" of ${this.file}`;
  }
}

/** The networks of a folder, in the order of discovery. */
class Folder {
  networks: Network[] = [];
  constructor(public path: string) {
    const found = networks_in(path);
    for (let i = 0; i < found.lists.length; i++) {
      if (found.lists[i].file.document.failed || found.lists[i].name.length == 0) continue;
      this.networks.push(new Network(new Parts(found.lists[i], new Report())));
    }
  }
}

/** Compares networks with those beside them; a folder is read once. */
export class Neighbours {
  private folders: Folder[] = [];

  private folder(path: string): Folder {
    for (let i = 0; i < this.folders.length; i++) {
      if (this.folders[i].path == path) return this.folders[i];
    }
    const made = new Folder(path);
    this.folders.push(made);
    return made;
  }

  check(parts: Parts, file: FileReport): void {
    const own = new Network(parts);
    if (own.name.length == 0) return;
    const slash = parts.list.path.lastIndexOf("/");
    const others = this.folder(slash > 0 ? parts.list.path.substring(0, slash) : "/").networks;
    let after = false;
    for (let i = 0; i < others.length; i++) {
      const other = others[i];
      if (other.file == own.file) {
        after = true;
      } else if (other.name == own.name) {
        same_name(parts, own, other, after, file);
      } else {
        pools_check(own, other, file);
        gateways_check(own, other, file);
      }
    }
  }
}

function same_name(
  parts: Parts,
  own: Network,
  other: Network,
  after: bool,
  file: FileReport,
): void {
  const name = parts.list.file.value.get("name");
  const wins = after ? own.file : other.file;
  file.warning(
    `network "${own.name}" is in ${other.file} as well, and runtimes that look for the name take ` +
      `${wins}: rename one or remove it`,
    name ? name.offset : -1,
  );
}

function pools_check(own: Network, other: Network, file: FileReport): void {
  const spans = other.spans;
  for (let i = 0; i < own.pools.length && !file.full; i++) {
    if (!spans.meets(own.pools[i].first, own.pools[i].last)) continue;
    for (let k = 0; k < other.pools.length; k++) {
      if (!own.pools[i].overlaps(other.pools[k])) continue;
      const theirs = `${other.pools[k].toString()} of ${other.toString()}`;
      file.warning(
        `${own.pools[i].toString()} overlaps ${theirs}: give each network addresses of its own`,
        own.pools[i].offset,
      );
      break;
    }
  }
}

function gateways_check(own: Network, other: Network, file: FileReport): void {
  for (let i = 0; i < own.gateways.length; i++) {
    const mine = own.gateways[i];
    for (let k = 0; k < other.gateways.length; k++) {
      const theirs = other.gateways[k];
      if (mine.link != theirs.link || mine.address == theirs.address) continue;
      file.warning(
        `${other.toString()} has the gateway ${theirs.address} on "${mine.link}", this one ` +
          `${mine.address}, and a bridge has one: give each network a bridge of its own`,
        mine.offset,
      );
    }
  }
}
