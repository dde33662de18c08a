// SPDX-License-Identifier: Apache-2.0
// The key `gateways` of sbr: one of each family, or none. It refuses to look for others.
import { Ip, ip_parse } from "../../../lib/ip";
import { JsonValue } from "../../../lib/json";
import { Reader } from "../../../spec/reader";

export class Gateways {
  private v4: Ip | null = null;
  private v6: Ip | null = null;

  /** null when the configuration gives none. */
  of_family(v6: bool): Ip | null {
    return v6 ? this.v6 : this.v4;
  }

  read(reader: Reader, config: JsonValue): void {
    const texts = reader.strings(config, "gateways");
    const at = config.get("gateways");
    if (!texts) return;
    if (texts.length > 2) {
      reader.invalid("gateways list cannot contain more than 2 entries: one of each family", at);
    }
    for (let i = 0; i < texts.length; i++) {
      const ip = ip_parse(texts[i]);
      if (!ip) {
        reader.invalid(`invalid static gateway IP address: ${texts[i]}`, at);
        continue;
      }
      const other = this.of_family(ip.v6);
      if (other) {
        const family = ip.v6 ? "IPv6" : "IPv4";
        const both = `${other.toString()} and ${ip.toString()}`;
        reader.invalid(`gateways list contains multiple ${family} addresses: ${both}`, at);
      }
      if (ip.v6) this.v6 = ip;
      else this.v4 = ip;
    }
  }
}
