// Keys that several plugin kinds share.
import { JsonValue } from "../lib/json";
import { Code } from "./error";
import { Reader } from "./reader";
import { Request } from "./request";
import { dns_read } from "./result";
import { DNS } from "./types";

/** A feature of the reference plugin that is asked for and not there yet: said, never ignored. */
export function not_supported(reader: Reader, config: JsonValue, key: string): void {
  if (!reader.bool(config, key)) return;
  reader.fail(
    Code.NotSupported,
    `"${key}" is not supported yet: remove it, or use the reference plugin for this network`,
    config.get(key),
  );
}

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
