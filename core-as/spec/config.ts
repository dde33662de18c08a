// Keys that several plugin kinds share.
import { JsonValue } from "../lib/json";
import { Code } from "./error";
import { Reader } from "./reader";
import { Request } from "./request";
import { dns_read } from "./result";
import { Result } from "./types";

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
 * dns of the configuration replaces that of IPAM as soon as it has any key, be it an empty list.
 */
export function dns_override(request: Request, result: Result): void {
  const dns = request.reader.object(request.config, "dns");
  if (!dns) return;
  const keys: string[] = ["nameservers", "domain", "search", "options"];
  for (let i = 0; i < keys.length; i++) {
    if (dns.get(keys[i])) {
      result.dns = dns_read(request.reader, dns);
      return;
    }
  }
}
