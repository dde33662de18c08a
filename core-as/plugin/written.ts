// SPDX-License-Identifier: Apache-2.0
// A plugin's configuration as it stands in a file, before any container: what is said of it beyond
// what `load` says, and what the runtime is going to pass. It refuses to keep findings.
import { JsonValue, Kind } from "../lib/json";
import { Request } from "../spec/request";

export abstract class Written {
  constructor(
    /** As it stands in the file. */
    public object: JsonValue,
    /** What the plugin would get for it. */
    public request: Request,
  ) {}
  /** Where to say what has no place of its own, a byte offset: at the type. */
  get offset(): i32 {
    const type = this.object.get("type");
    return type ? type.offset : this.object.offset;
  }
  /** Whether the runtime is told to pass the values of a capability. */
  capable(name: string): bool {
    const declared = this.object.get("capabilities");
    if (!declared || declared.kind != Kind.Object) return false;
    const value = declared.get(name);
    return value !== null && value.kind == Kind.Bool && value.bool;
  }
  /** Whether values of a capability may come from outside the configuration. */
  may_get(name: string): bool {
    if (this.capable(name) || this.object.get("args")) return true;
    return this.object.get("runtimeConfig") !== null;
  }
  /** What makes ADD fail; `offset` is of the document, in bytes. */
  abstract error(msg: string, offset: i32): void;
  /** What ADD does not refuse. */
  abstract warning(msg: string, offset: i32): void;
}
