// SPDX-License-Identifier: Apache-2.0
// Keys that several plugin kinds share.
import { Request } from "./request";
import { dns_read } from "./result";
import { DNS } from "./types";

/**
 * dns of the configuration, which replaces that of IPAM as soon as it has any key, be it an empty
 * list; null when it does not. Problems land in the reader.
 */
export function dns_override(request: Request): DNS | null {
  const dns = request.reader.object(request.config, "dns");
  if (!dns) return null;
  const keys: string[] = ["nameservers", "domain", "search", "options"];
  for (let i = 0; i < keys.length; i++) {
    if (dns.get(keys[i])) return dns_read(request.reader, dns);
  }
  return null;
}
