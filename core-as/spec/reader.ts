// Reads typed members out of a JSON document and remembers the first thing wrong with it, with the
// line and column. It owns the wording of type errors, not the meaning of any key.
import { JsonValue, Kind, Parsed } from "../lib/json";
import { CniError, Code } from "./error";

const KINDS: string[] = ["null", "a boolean", "a number", "a string", "an array", "an object"];

export class Reader {
  /** The first problem found. */
  error: CniError | null = null;
  constructor(
    public document: Parsed,
    /** What the document is called in errors. */
    public source: string = "the configuration",
  ) {}

  /** Notes a problem of a value, unless one is there. */
  fail(code: i32, msg: string, at: JsonValue | null = null): void {
    if (this.error) return;
    let details = "";
    if (at && at.offset >= 0) details = `${this.document.position(at.offset)} of ${this.source}`;
    this.error = new CniError(code, msg, details);
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
  string(object: JsonValue, key: string, fallback: string = ""): string {
    const value = this.member(object, key, Kind.String);
    return value ? value.text : fallback;
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
  array(object: JsonValue, key: string): JsonValue | null {
    return this.member(object, key, Kind.Array);
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
