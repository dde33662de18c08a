// SPDX-License-Identifier: Apache-2.0
// Sysctls that a configuration names: their spelling, and the allow-list of the node's
// administrator (/etc/cni/tuning/allowlist.conf, the reference's own).
import { failure_errno } from "../../../host/failure";
import { file_read } from "../../../host/store";
import { ENOENT } from "../../../lib/errno";
import { JsonValue, Kind } from "../../../lib/json";
import { Regex } from "../../../lib/regex";
import { utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { CniError, Code, os_error } from "../../../spec/error";
import { Reader } from "../../../spec/reader";

const ALLOWLIST = "/etc/cni/tuning/allowlist.conf";
const LIMIT_BYTES = 1 << 20;

/** A sysctl to set: as it is written, its path below /proc/sys, its value. */
export class Sysctl {
  constructor(
    public key: string,
    public path: string,
    public value: string,
  ) {}
}

/**
 * The path of a key: "." and "/" change places if "." comes first, as sysctl(8) has it. The first
 * IFNAME is the interface. "" unless it is a plain path below net/.
 */
function sysctl_path(key: string, ifname: string): string {
  const slash = key.indexOf("/");
  const dot = key.indexOf(".");
  let path = key;
  if (dot >= 0 && (slash < 0 || dot < slash)) {
    path = key.replaceAll("/", "\0").replaceAll(".", "/").replaceAll("\0", ".");
  }
  const parts = path.replace("IFNAME", ifname).split("/");
  if (parts.length < 2 || parts[0] != "net") return "";
  for (let i = 0; i < parts.length; i++) {
    if (parts[i].length == 0 || parts[i] == "." || parts[i] == "..") return "";
  }
  return parts.join("/");
}

/** Adds an object of sysctls to the list; a key that is in it already takes the new value. */
export function sysctls_read(
  reader: Reader,
  object: JsonValue,
  ifname: string,
  into: Sysctl[],
): void {
  for (let i = 0; i < object.keys.length; i++) {
    const key = object.keys[i];
    const value = object.items[i];
    const path = sysctl_path(key, ifname);
    if (object.keys.indexOf(key) != i) {
      reader.invalid(`duplicated sysctl keys are not allowed: remove one of "${key}"`, value);
    } else if (value.kind != Kind.String) {
      reader.fail(Code.Decode, `the value of sysctl "${key}" must be a string`, value);
    } else if (path.length == 0) {
      reader.invalid(
        `invalid net sysctl key: "${key}": it must be one below net, such as net.core.somaxconn`,
        value,
      );
    } else {
      put(into, new Sysctl(key, path, value.text));
    }
  }
}

function put(into: Sysctl[], sysctl: Sysctl): void {
  for (let i = 0; i < into.length; i++) {
    if (into[i].path != sysctl.path) continue;
    into[i] = sysctl;
    return;
  }
  into.push(sysctl);
}

/** Whether a sysctl's value is the wanted one, however its numbers are spaced. */
export function sysctl_equal(value: string, wanted: string): bool {
  return value == wanted || fields(value) == fields(wanted);
}

function fields(value: string): string {
  const words = value.replaceAll("\t", " ").replaceAll("\n", " ").split(" ");
  return words.filter((word) => word.length > 0).join(" ");
}

/** Why the administrator does not allow one of the sysctls; without a list all are allowed. */
export function sysctls_forbidden(sysctls: Sysctl[]): CniError | null {
  if (sysctls.length == 0) return null;
  const bytes = file_read(ALLOWLIST, LIMIT_BYTES);
  if (!bytes) return failure_errno == ENOENT ? null : os_error(`read ${ALLOWLIST}`, Code.Io);
  if (utf8_invalid_at(bytes.ptr, bytes.len) >= 0) {
    return new CniError(Code.InvalidConfig, `${ALLOWLIST} is not UTF-8 text: correct it`);
  }
  const lines = utf8_decode(bytes.ptr, bytes.len).split("\n");
  for (let i = 0; i < sysctls.length; i++) {
    const error = forbidden(sysctls[i].key, lines);
    if (error) return error;
  }
  return null;
}

function forbidden(key: string, lines: string[]): CniError | null {
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].length == 0) continue;
    const regex = new Regex(lines[i]);
    if (regex.problem.length > 0) {
      return new CniError(
        Code.InvalidConfig,
        `${ALLOWLIST} has a line that cannot be used, "${lines[i]}": ${regex.problem}`,
        `line ${i + 1}`,
      );
    }
    if (regex.matches(key)) return null;
  }
  const allowed = lines.filter((line) => line.length > 0).join(" ");
  return new CniError(
    Code.InvalidConfig,
    `Sysctl ${key} is not allowed. Only the following sysctls are allowed: [${allowed}]`,
    `the list is ${ALLOWLIST}`,
  );
}
