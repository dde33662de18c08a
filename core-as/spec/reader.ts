// SPDX-License-Identifier: Apache-2.0
// Reads typed members out of a JSON document and remembers what is wrong with it: a plugin's call
// answers with the first problem, `fairlead validate` shows all. It owns the wording of type
// errors, not the meaning of any key.
import { JsonValue, Kind, Parsed } from "../lib/json";
import { dir_usable, ifname_problem } from "../lib/name";
import { CniError, Code } from "./error";

const KINDS: string[] = ["null", "a boolean", "a number", "a string", "an array", "an object"];

/**
 * Far more than any list of a configuration or a result has. Some are compared entry by entry with
 * others, and memory is not given back during a call.
 */
export const LIST_LIMIT: i32 = 4000;

/** More problems of one document are counted and not kept: nobody reads them. */
const PROBLEMS_LIMIT = 200;

/** What is wrong, and the byte offset of where; -1 without a place. */
export class Problem {
  constructor(
    public error: CniError,
    public offset: i32,
  ) {}
}

export class Reader {
  /** The first problem found. */
  error: CniError | null = null;
  /** The problems in the order they were found, up to a limit. */
  problems: Problem[] = [];
  /** How many there are. */
  count: i32 = 0;
  constructor(
    public document: Parsed,
    /** What the document is called in errors. */
    public source: string = "the configuration",
  ) {}

  /** Whether no more problems are kept: to look for them is in vain. */
  get full(): bool {
    return this.count >= PROBLEMS_LIMIT;
  }
  /** Notes a problem. */
  note(error: CniError, offset: i32 = -1): void {
    if (!this.error) this.error = error;
    if (!this.full) this.problems.push(new Problem(error, offset));
    this.count++;
  }
  /** Notes a problem of a value. */
  fail(code: i32, msg: string, at: JsonValue | null = null): void {
    const offset = at ? at.offset : -1;
    let details = "";
    // To count lines takes time; of the others it is asked only when they are shown.
    if (!this.error && offset >= 0) {
      details = `${this.document.position(offset)} of ${this.source}`;
    }
    this.note(new CniError(code, msg, details), offset);
  }
  /** Notes an invalid value: code 7, "invalid network config". */
  invalid(msg: string, at: JsonValue | null = null): void {
    this.fail(Code.InvalidConfig, msg, at);
  }

  private member(object: JsonValue, key: string, kind: Kind): JsonValue | null {
    const value = object.get(key);
    if (!value) return null;
    if (value.kind == kind) return value;
    this.fail(Code.Decode, `"${key}" must be ${KINDS[kind]}, not ${KINDS[value.kind]}`, value);
    return null;
  }
  /** Whether a text is missing or empty; not when it is of another type, which is told already. */
  lacks(object: JsonValue, key: string): bool {
    const value = object.get(key);
    return !value || (value.kind == Kind.String && value.text.length == 0);
  }
  string(object: JsonValue, key: string, fallback: string = ""): string {
    const value = this.member(object, key, Kind.String);
    return value ? value.text : fallback;
  }
  /** The name of an interface; "" when there is none. */
  ifname(object: JsonValue, key: string): string {
    const name = this.string(object, key);
    const problem = name.length > 0 ? ifname_problem(name) : "";
    if (problem.length > 0) this.invalid(`"${key}" is "${name}": ${problem}`, object.get(key));
    return name;
  }
  /** An absolute path. */
  path(object: JsonValue, key: string, fallback: string): string {
    const path = this.string(object, key, fallback);
    if (!dir_usable(path)) {
      this.invalid(`"${key}" must be an absolute path without ".."`, object.get(key));
    }
    return path;
  }
  bool(object: JsonValue, key: string, fallback: bool = false): bool {
    const value = this.member(object, key, Kind.Bool);
    return value ? value.bool : fallback;
  }
  /** A whole number within [low, high]. */
  integer(object: JsonValue, key: string, low: i64, high: i64, fallback: i64 = 0): i64 {
    const value = this.member(object, key, Kind.Number);
    if (!value) return fallback;
    if (!value.isInteger()) {
      this.fail(Code.Decode, `"${key}" must be a whole number, not ${value.text}`, value);
      return fallback;
    }
    const number = value.integer();
    if (number < low || number > high) {
      this.invalid(`"${key}" is ${value.text} but must lie in ${low}..${high}`, value);
      return fallback;
    }
    return number;
  }
  object(object: JsonValue, key: string): JsonValue | null {
    return this.member(object, key, Kind.Object);
  }
  /** A list of at most `limit` entries. */
  array(object: JsonValue, key: string, limit: i32 = LIST_LIMIT): JsonValue | null {
    const value = this.member(object, key, Kind.Array);
    if (!value || value.items.length <= limit) return value;
    this.invalid(`"${key}" has ${value.items.length} entries: at most ${limit} are read`, value);
    return null;
  }
  /** An array of texts; null when absent. */
  strings(object: JsonValue, key: string): string[] | null {
    const value = this.array(object, key);
    if (!value) return null;
    const list = new Array<string>();
    for (let i = 0; i < value.items.length; i++) {
      const item = value.items[i];
      if (item.kind == Kind.String) {
        list.push(item.text);
      } else {
        this.fail(Code.Decode, `"${key}" must hold strings, not ${KINDS[item.kind]}`, item);
      }
    }
    return list;
  }
  /** Notes an error when an element is not an object. */
  isObject(value: JsonValue, what: string): bool {
    if (value.kind == Kind.Object) return true;
    this.fail(Code.Decode, `${what} must be an object, not ${KINDS[value.kind]}`, value);
    return false;
  }
}
