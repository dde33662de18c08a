// SPDX-License-Identifier: Apache-2.0
// The file that `resolvConf` names (resolv.conf(5)), whose content becomes the DNS of a result.
import { file_read } from "../../../host/store";
import { utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { CniError, Code, os_error } from "../../../spec/error";
import { DNS } from "../../../spec/types";

const RESOLV_CONF_LIMIT_BYTES = 65536;

/** Reads a resolv.conf (resolv.conf(5)) into the result's dns. */
export function resolv_conf(path: string, dns: DNS): CniError | null {
  const bytes = file_read(path, RESOLV_CONF_LIMIT_BYTES);
  if (!bytes) return os_error(`read resolvConf ${path}`, Code.Io);
  if (utf8_invalid_at(bytes.ptr, bytes.len) >= 0) {
    return new CniError(Code.Decode, `resolvConf ${path} is not UTF-8 text`);
  }
  const lines = utf8_decode(bytes.ptr, bytes.len).split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i].trim();
    if (line.length == 0 || line.charCodeAt(0) == 35 || line.charCodeAt(0) == 59) continue;
    const fields = words(line);
    if (fields.length < 2) continue;
    if (fields[0] == "nameserver") dns.nameservers.push(fields[1]);
    else if (fields[0] == "domain") dns.domain = fields[1];
    for (let k = 1; k < fields.length; k++) {
      if (fields[0] == "search") dns.search.push(fields[k]);
      else if (fields[0] == "options") dns.options.push(fields[k]);
    }
  }
  return null;
}

/** Splits at runs of blanks and tabs. */
function words(line: string): string[] {
  const found = new Array<string>();
  let start = -1;
  for (let i = 0; i <= line.length; i++) {
    const c = i < line.length ? line.charCodeAt(i) : 32;
    const blank = c == 32 || c == 9 || c == 13;
    if (!blank && start < 0) start = i;
    if (blank && start >= 0) {
      found.push(line.substring(start, i));
      start = -1;
    }
  }
  return found;
}
