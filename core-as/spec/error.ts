// SPDX-License-Identifier: Apache-2.0
// CNI errors as values (spec 1.1.0, section 5 "Error"), and the log of a command's trouble.
// A message says what is wrong and what to do next; details carry the cause.
import { failure_errno, failure_text } from "../host/failure";
import {
  EACCES,
  EAFNOSUPPORT,
  EDQUOT,
  ELOOP,
  EMFILE,
  ENFILE,
  ENOENT,
  ENOMEM,
  ENOSPC,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  errno_name,
} from "../lib/errno";
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

/**
 * The error for the operation that just failed: what was tried, the kernel's own words, and what to
 * do where the number alone tells it.
 */
export function os_error(tried: string, code: i32 = Code.Kernel): CniError {
  let words = errno_name(failure_errno);
  if (failure_text.length > 0) words += `: ${failure_text}`;
  const cure = errno_cure(failure_errno, tried, code);
  return new CniError(code, `cannot ${tried}`, cure.length > 0 ? `${words}: ${cure}` : words);
}

const NO_IPV6 =
  "this kernel has no IPv6: take IPv6 ranges, addresses and routes out of the configuration, or " +
  "start the kernel with IPv6 (without ipv6.disable=1)";

/** What an operator can do about an error number, whatever was tried; "" when that depends. */
function errno_cure(errno: i32, tried: string, code: i32): string {
  switch (errno) {
    case EPERM:
      return "run it as root, with CAP_NET_ADMIN and CAP_SYS_ADMIN";
    case EACCES:
      // The kernel has another meaning for it: an address that the interface cannot have.
      return code == Code.Io ? "run it as root, or give this user the right" : "";
    case EMFILE:
      return "the process has too many open files: raise its limit (ulimit -n, LimitNOFILE)";
    case ENFILE:
      return "the machine has too many open files: raise the sysctl fs.file-max";
    case ENOMEM:
      return "there is no memory left for it";
    case EDQUOT:
      return "the quota is used up: raise it or remove files";
    case ENOSPC:
      return code == Code.Io ? "no space is left there: remove files" : "";
    case EROFS:
      return "the file system is read-only: mount it writable, or name another folder";
    case ELOOP:
      return "symbolic links lead round in a circle: remove one";
    case EAFNOSUPPORT:
      return NO_IPV6;
    case EOPNOTSUPP:
      return adds_ipv6(tried) ? NO_IPV6 : "";
    case ENOENT:
      return tried.includes("sysctl net/ipv6/") ? NO_IPV6 : "";
    default:
      return "";
  }
}

/** Whether an IPv6 address or route was to be added, which a kernel without IPv6 does not know. */
function adds_ipv6(tried: string): bool {
  const words = tried.split(" ");
  if (words.length < 3 || words[0] != "add") return false;
  const kind = words[1] == "address" || words[1] == "route";
  return (kind ? words[2] : words[1]).includes(":");
}

/** Several errors as one: the first one's code, every message. */
export function join_errors(errors: CniError[]): CniError | null {
  if (errors.length == 0) return null;
  if (errors.length == 1) return errors[0];
  const texts = new Array<string>();
  for (let i = 0; i < errors.length; i++) texts.push(errors[i].toString());
  return new CniError(errors[0].code, texts_joined(texts, " | "));
}
