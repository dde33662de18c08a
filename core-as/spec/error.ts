// CNI errors as values (spec 1.1.0, section 5 "Error"), and the log of a command's trouble.
// A message says what is wrong and what to do next; details carry the cause.
import { failure_errno, failure_text } from "../host/failure";
import { errno_name } from "../lib/errno";
import { texts_joined } from "../lib/utf8";

/** Well-known codes of the spec, and Fairlead's own from 100 (spec: plugin specific). */
export const enum Code {
  IncompatibleVersion = 1,
  UnsupportedField = 2,
  InvalidEnvironment = 4,
  Io = 5,
  Decode = 6,
  InvalidConfig = 7,
  InvalidNetns = 8,
  TryAgainLater = 11,
  /** STATUS: ADD cannot be served. */
  NotAvailable = 50,
  /** The kernel refused an operation. */
  Kernel = 100,
  /** No address is left, or the requested one, or a port of the host, is taken. */
  NoAddress = 101,
  /** The interface name is taken in the container. */
  InterfaceExists = 102,
  /** CHECK found something missing or changed. */
  CheckFailed = 103,
  Internal = 999,
}

export class CniError {
  constructor(
    public code: i32,
    public msg: string,
    public details: string = "",
  ) {}
  /** msg, and details after a semicolon, as the reference joins them. */
  toString(): string {
    return this.details.length > 0 ? `${this.msg}; ${this.details}` : this.msg;
  }
}

/** The error for the operation that just failed: what was tried, and the kernel's own words. */
export function os_error(tried: string, code: i32 = Code.Kernel): CniError {
  const name = errno_name(failure_errno);
  const words = failure_text.length > 0 ? `${name}: ${failure_text}` : name;
  return new CniError(code, `cannot ${tried}`, words);
}

/** Several errors as one: the first one's code, every message. */
export function join_errors(errors: CniError[]): CniError | null {
  if (errors.length == 0) return null;
  if (errors.length == 1) return errors[0];
  const texts = new Array<string>();
  for (let i = 0; i < errors.length; i++) texts.push(errors[i].toString());
  return new CniError(errors[0].code, texts_joined(texts, " | "));
}
