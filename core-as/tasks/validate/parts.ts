// SPDX-License-Identifier: Apache-2.0
// A network as validation walks it: each plugin with the file it stands in and the request that it
// would get, chains inside one plugin opened up. It refuses to judge and to run anything.

import { JsonValue, Kind } from "../../lib/json";
import { plugin_find, type_find } from "../../plugin/find";
import { inner_request } from "../../plugin/inner";
import { Inner, Plugin } from "../../plugin/plugin";
import { Role, Type } from "../../plugin/type";
import { Written } from "../../plugin/written";
import { Environment } from "../../spec/environment";
import { Reader } from "../../spec/reader";
import { Request } from "../../spec/request";
import { NetworkList } from "../runtime/conflist";
import { FileReport, Report } from "./report";

/** No chain has more; each costs some memory, which a command does not give back. */
const PARTS_LIMIT = 1000;

/** One plugin of a network. */
export class Part extends Written {
  /** The plugin with the chain that this one is inside; null when it stands in a list. */
  outer: Part | null = null;
  constructor(
    public file: FileReport,
    object: JsonValue,
    request: Request,
  ) {
    super(object, request);
  }
  get type(): string {
    return this.request.type;
  }
  /** What is known of the type; null when nothing is. */
  get row(): Type | null {
    return type_find(this.type);
  }
  /** The role of the type; of one that is not known, either. */
  get role(): Role {
    const row = this.row;
    return row ? row.role : Role.Either;
  }
  /** What serves it; null when it is not one of ours. */
  get plugin(): Plugin | null {
    return plugin_find(this.type);
  }
  get ipam(): JsonValue | null {
    const ipam = this.object.get("ipam");
    return ipam && ipam.kind == Kind.Object ? ipam : null;
  }
  /** ipam.type, "" without one. */
  get ipam_type(): string {
    const ipam = this.ipam;
    return ipam ? text_at(ipam, "type") : "";
  }
  /** A reader of its own, so that what one plugin has wrong hides nothing of another. */
  reader(): Reader {
    this.request.reader = new Reader(this.request.document, this.file.path);
    return this.request.reader;
  }
  error(msg: string, offset: i32): void {
    this.file.error(msg, offset);
  }
  warning(msg: string, offset: i32): void {
    this.file.warning(msg, offset);
  }
}

export function text_at(object: JsonValue, key: string): string {
  const value = object.get(key);
  return value && value.kind == Kind.String ? value.text : "";
}

export function bool_at(object: JsonValue, key: string): bool {
  const value = object.get(key);
  return value ? value.kind == Kind.Bool && value.bool : false;
}

/** The plugins of a network. */
export class Parts {
  /** All, a plugin with a chain before those inside it. */
  all: Part[] = [];
  /** Those that do the work, in the order of their ADD. */
  chain: Part[] = [];
  /** Whether there are more than are looked at. */
  get cut(): bool {
    return this.all.length >= PARTS_LIMIT;
  }
  /** Whether nothing is missing that should be there: what is first, is first. */
  complete: bool = true;
  private top: Request = new Request("", new Environment(0, 0));

  constructor(
    public list: NetworkList,
    report: Report,
  ) {
    // A name of an interface may be part of a value (IFNAME of tuning); any will do.
    this.top.env.ifname = "eth0";
    const file = list.file;
    this.top.version = list.cniVersion;
    this.top.network = list.name;
    this.top.config.append("cniVersion", JsonValue.string(list.cniVersion));
    this.top.config.append("name", JsonValue.string(list.name));
    this.complete = !list.error;
    this.top.document = file.document;
    const at = report.file(list.path, file.document);
    for (let i = 0; i < list.inlined; i++) this.add(at, list.plugins[i]);
    let next = list.inlined;
    for (let i = 0; i < list.dropins.length; i++) {
      const dropin = list.dropins[i];
      const used = next < list.plugins.length && list.plugins[next] === dropin.value;
      if (!used) continue;
      this.top.document = dropin.document;
      this.add(report.file(dropin.path, dropin.document), list.plugins[next++]);
    }
  }

  private add(file: FileReport, object: JsonValue): void {
    if (this.all.length >= PARTS_LIMIT) {
      this.complete = false;
      return;
    }
    const type = text_at(object, "type");
    const part = new Part(file, object, inner_request(this.top, object, type));
    this.all.push(part);
    if (part.role != Role.Chain) {
      this.chain.push(part);
      return;
    }
    const reader = part.reader();
    const plugin = part.plugin;
    const chain = plugin ? plugin.inner(part.request) : [];
    file.take(reader, part.offset);
    if (reader.error || chain.length > PARTS_LIMIT) this.complete = false;
    const plugins = object.get("plugins");
    if (plugins) this.open(part, plugins.items, chain);
  }

  /** Adds what is inside a plugin with a chain; that lacks what cannot be used. */
  private open(outer: Part, objects: JsonValue[], chain: Inner[]): void {
    let next = 0;
    for (let i = 0; i < objects.length && next < min(chain.length, PARTS_LIMIT); i++) {
      const request = chain[next].request;
      if (objects[i].get("type") !== request.config.get("type")) continue;
      next++;
      const inner = new Part(outer.file, objects[i], request);
      inner.outer = outer;
      this.all.push(inner);
      this.chain.push(inner);
    }
  }
}
