// SPDX-License-Identifier: Apache-2.0
// What the plugins of a chain in one call are handed: each its own request, and the result of the
// one before. It refuses to know any plugin's keys.
import { JsonValue, Kind } from "../lib/json";
import { CniError, Code } from "../spec/error";
import { Request } from "../spec/request";
import { result_json } from "../spec/result";
import { Result } from "../spec/types";

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
export function pass(request: Request, result: Result | null): CniError | null {
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
