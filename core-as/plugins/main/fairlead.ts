// The CNI type `fairlead`: a whole chain in one call. Its "plugins" are the very objects of a
// conflist; ours run inside this instance, foreign ones are executed. prevResult is passed from one
// to the next, and one list of effects serves all. It knows no inner plugin's keys.

import { Adding } from "../../attach/adding";
import { log } from "../../host/store";
import { JsonValue, Kind } from "../../lib/json";
import { plugin_find, plugin_or_foreign } from "../../plugin/find";
import { failed, Outcome, Plugin } from "../../plugin/plugin";
import { CONFIG, Role, Type } from "../../plugin/type";
import { Attachments } from "../../spec/attachments";
import { CniError, Code } from "../../spec/error";
import { Request } from "../../spec/request";
import { result_json } from "../../spec/result";
import { Result } from "../../spec/types";

/** One plugin of the chain and the request that it is to see. */
export class Inner {
  constructor(
    public plugin: Plugin,
    public request: Request,
  ) {}
}

export class Fused extends Plugin {
  /** What `read` found. */
  chain: Inner[] = [];
  private read_done: bool = false;

  /** `outer`: it is a runtime's own list, which may hold a plugin of the type `fairlead`. */
  constructor(private outer: bool = false) {
    super();
  }

  get uses_netns(): bool {
    return true;
  }

  /** Behind another plugin, which has made the interface, it shares the record of that one. */
  get wires(): bool {
    return !this.behind;
  }

  get chained(): bool {
    return this.behind;
  }

  /** Whether the chain begins with one of ours that makes no interface. Known once it is read. */
  private get behind(): bool {
    if (this.chain.length == 0) return false;
    const first = this.chain[0];
    return !first.plugin.wires && plugin_find(first.request.type) !== null;
  }

  nft_sets(request: Request): string[] {
    this.read(request);
    let sets = new Array<string>();
    for (let i = 0; i < this.chain.length; i++) {
      sets = sets.concat(this.chain[i].plugin.nft_sets(this.chain[i].request));
    }
    return sets;
  }

  /** Reads the list; what is wrong lands in the reader, what is right is kept: DEL needs it. */
  read(request: Request): void {
    if (this.read_done) return;
    this.read_done = true;
    const reader = request.reader;
    const list = reader.array(request.config, "plugins");
    if (!list || list.items.length == 0) {
      if (list || !request.config.get("plugins")) {
        reader.invalid(`the chain is empty: put the objects of a conflist into "plugins"`);
      }
      return;
    }
    for (let i = 0; i < list.items.length; i++) {
      const object = list.items[i];
      if (!reader.isObject(object, "an entry of plugins")) continue;
      const type = reader.string(object, "type");
      // A chain inside a chain would say no more than one chain.
      const nested = type == "fairlead" && !this.outer;
      const plugin = plugin_or_foreign(nested ? "" : type);
      if (plugin) this.chain.push(new Inner(plugin, inner_request(request, object, type)));
      else if (type.length > 0 || reader.lacks(object, "type"))
        reader.invalid(`"type" of a plugin of the chain cannot be "${type}"`, object);
    }
  }

  describe(type: Type): void {
    type.role = Role.Chain;
    type.about = "a whole chain of these in one process";
    type.at(CONFIG, "plugins");
  }

  load(request: Request): CniError | null {
    this.read(request);
    if (request.reader.error) return request.reader.error;
    for (let i = 0; i < this.chain.length; i++) {
      const error = this.chain[i].plugin.load(this.chain[i].request);
      if (error) return named(this.chain[i], error);
    }
    return null;
  }

  /** The namespace is opened after load. */
  private enter(request: Request): void {
    for (let i = 0; i < this.chain.length; i++) {
      this.chain[i].request.netns = request.netns;
      this.chain[i].request.netns_unknown = request.netns_unknown;
    }
  }

  add(request: Request, adding: Adding): Outcome {
    this.enter(request);
    if (!this.outer) this.tell_unheard(request);
    let result = request.prevResult();
    for (let i = 0; i < this.chain.length; i++) {
      const inner = this.chain[i];
      const error = pass(inner.request, result);
      if (error) return failed(error);
      const outcome = inner.plugin.add(inner.request, adding);
      const wrong = outcome.error;
      if (!outcome.result) return wrong ? failed(named(inner, wrong)) : outcome;
      result = outcome.result;
    }
    return new Outcome(result);
  }

  /** A runtime passes what the outer object declares, and podman at times replaces that. */
  private tell_unheard(request: Request): void {
    const outer = request.config.get("capabilities");
    const given = request.config.get("runtimeConfig");
    for (let i = 0; i < this.chain.length; i++) {
      const declared = this.chain[i].request.config.get("capabilities");
      for (let k = 0; declared !== null && k < declared.items.length; k++) {
        const item = declared.items[k];
        const key = declared.keys[k];
        if (item.kind != Kind.Bool || !item.bool || (given && given.get(key))) continue;
        const passed = outer ? outer.get(key) : null;
        if (passed && passed.kind == Kind.Bool && passed.bool) continue;
        log(
          `"${this.chain[i].request.type}" wants ${key} of the runtime, which passes what the ` +
            `type "fairlead" declares: run fairlead unfuse and fairlead fuse, for podman with ` +
            "--first-apart",
        );
      }
    }
  }

  check(request: Request): CniError | null {
    this.enter(request);
    for (let i = 0; i < this.chain.length; i++) {
      const error = this.chain[i].plugin.check(this.chain[i].request);
      if (error) return named(this.chain[i], error);
    }
    return null;
  }

  /** In reverse, as a runtime does; every plugin gets its turn whatever the others say. */
  del(request: Request, recorded: bool, errors: CniError[]): void {
    this.read(request);
    const wrong = request.reader.error;
    if (wrong && errors.length == 0) errors.push(wrong);
    this.enter(request);
    for (let i = this.chain.length - 1; i >= 0; i--) {
      this.chain[i].plugin.del(this.chain[i].request, recorded, errors);
    }
  }

  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    this.read(request);
    const wrong = request.reader.error;
    if (wrong) errors.push(wrong);
    for (let i = 0; i < this.chain.length; i++) {
      this.chain[i].plugin.gc(this.chain[i].request, valid, errors);
    }
  }

  status(request: Request): CniError | null {
    for (let i = 0; i < this.chain.length; i++) {
      const error = this.chain[i].plugin.status(this.chain[i].request);
      if (error) return named(this.chain[i], error);
    }
    return null;
  }
}

/** An error of the chain says which plugin it is of; code and details stay. */
function named(inner: Inner, error: CniError): CniError {
  return new CniError(
    error.code,
    `plugin type="${inner.request.type}" failed: ${error.msg}`,
    error.details,
  );
}

/**
 * What a runtime would send the inner plugin (spec 1.1.0 section 3): its own object with name,
 * cniVersion, the attachments of GC, prevResult, and of runtimeConfig what it has the capability
 * for.
 */
export function inner_request(outer: Request, object: JsonValue, type: string): Request {
  const inner = new Request(type, outer.env);
  const config = JsonValue.object();
  for (let i = 0; i < object.items.length; i++) config.append(object.keys[i], object.items[i]);
  const keys: string[] = [
    "cniVersion",
    "name",
    "args",
    "prevResult",
    "cni.dev/valid-attachments",
    "cni.dev/attachments",
  ];
  for (let i = 0; i < keys.length; i++) {
    const at = outer.config.indexOf(keys[i]);
    if (at >= 0) config.set(keys[i], outer.config.items[at]);
  }
  const runtime = capable(outer, object);
  if (runtime) config.set("runtimeConfig", runtime);
  inner.document = outer.document;
  inner.config = config;
  inner.reader = outer.reader;
  inner.version = outer.version;
  inner.network = outer.network;
  inner.nft = outer.nft;
  return inner;
}

/** The members of runtimeConfig that the object declares a capability for; null for none. */
function capable(outer: Request, object: JsonValue): JsonValue | null {
  const given = outer.reader.object(outer.config, "runtimeConfig");
  const wanted = outer.reader.object(object, "capabilities");
  if (!given || !wanted) return null;
  const made = JsonValue.object();
  for (let i = 0; i < given.items.length; i++) {
    const declared = wanted.get(given.keys[i]);
    if (declared && declared.kind == Kind.Bool && declared.bool) {
      made.append(given.keys[i], given.items[i]);
    }
  }
  return made.items.length > 0 ? made : null;
}

/** Hands a result on as prevResult. */
function pass(request: Request, result: Result | null): CniError | null {
  if (!result) return null;
  const document = result_json(result, request.version);
  if (document) {
    request.config.set("prevResult", document);
    return null;
  }
  return new CniError(
    Code.IncompatibleVersion,
    "cannot convert: no valid IP addresses: " +
      `a result of cniVersion ${request.version} needs one, use 0.3.0 or later`,
  );
}
