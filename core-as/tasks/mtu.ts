// SPDX-License-Identifier: Apache-2.0
// The task `mtu`: what is left for pods inside encapsulations, by the maths of lib/mtu.ts. It asks
// nothing of the node.
import { JsonValue, json_text } from "../lib/json";
import { Layer, layer_parse, MtuResult, mss_bytes, mtu_asked, mtu_inner } from "../lib/mtu";
import { Answer } from "../plugin/dispatch";

/** The encapsulations that lib/mtu.ts knows by name; each takes options. */
const NAMES: string[] = [
  "vlan",
  "vxlan",
  "vxlan-vlan",
  "vxlan-gpe",
  "geneve",
  "wireguard",
  "ipip",
  "sit",
  "ip6tnl",
  "gre",
  "gretap",
  "nvgre",
  "erspan2",
  "erspan3",
  "l2tpv3",
  "stt",
  "fou-ipip",
  "gue-ipip",
  "udp",
  "esp",
  "ah",
  "mpls",
  "srv6",
  "macsec",
  "pppoe",
];

function found(result: MtuResult): JsonValue {
  const made = JsonValue.object();
  made.append("mtu_bytes", JsonValue.number(result.mtu_bytes));
  if (result.problem.length > 0) made.append("problem", JsonValue.string(result.problem));
  if (result.warning.length > 0) made.append("warning", JsonValue.string(result.warning));
  return made;
}

/** One encapsulation alone, on either version, for pods with IPv4. */
function row(name: string, underlay_bytes: i32): JsonValue {
  const made = JsonValue.object();
  made.append("name", JsonValue.string(name));
  for (let i = 0; i < 2; i++) {
    const layers: Layer[] = [layer_parse(name, i == 1)];
    const v6 = name == "sit";
    made.append(i == 1 ? "ipv6" : "ipv4", found(mtu_inner(underlay_bytes, layers, !v6, v6)));
  }
  return made;
}

/**
 * `{"underlay_bytes", "layers": ["wireguard", "vxlan"], "v6": bool, "pods_v4", "pods_v6",
 * "asked_bytes"?}` gives `{"mtu_bytes", "problem"?, "warning"?, "mss4_bytes", "mss6_bytes",
 * "table": [{"name", "ipv4": {"mtu_bytes", "problem"?}, "ipv6": {…}}]}`: the layers from the
 * outermost in the words of `layer_parse`, and each encapsulation alone.
 */
export function mtu_task(
  underlay_bytes: i32,
  words: string[],
  v6: bool,
  pods_v4: bool,
  pods_v6: bool,
  asked_bytes: i32,
): Answer {
  const layers = new Array<Layer>();
  for (let i = 0; i < words.length; i++) layers.push(layer_parse(words[i], v6));
  let result = mtu_inner(underlay_bytes, layers, pods_v4, pods_v6);
  if (asked_bytes > 0) result = mtu_asked(asked_bytes, underlay_bytes, result, pods_v6);
  const made = found(result);
  made.append("mss4_bytes", JsonValue.number(max(0, mss_bytes(result.mtu_bytes, false))));
  made.append("mss6_bytes", JsonValue.number(max(0, mss_bytes(result.mtu_bytes, true))));
  const table = JsonValue.array();
  for (let i = 0; i < NAMES.length; i++) table.push(row(NAMES[i], underlay_bytes));
  made.append("table", table);
  return new Answer(json_text(made));
}
