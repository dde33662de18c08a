// SPDX-License-Identifier: Apache-2.0
// MTU maths: what is left of an underlay's MTU inside a stack of encapsulations, to the byte.
// An MTU is the largest IP packet a link takes: the inner Ethernet header a tunnel carries counts,
// the outer one does not. It refuses to clamp: an MTU too small for its IP version is a problem the
// caller must show, and nothing here looks at an interface.

// Building blocks in bytes, each with the document that fixes it.
/** RFC 791, without options. */
const IPV4_BYTES: i32 = 20;
/** RFC 8200, without extension headers. */
const IPV6_BYTES: i32 = 40;
/** RFC 768. */
const UDP_BYTES: i32 = 8;
/** RFC 9293, without options: a sender subtracts those itself. */
const TCP_BYTES: i32 = 20;
/** IEEE 802.3: destination, source, type. */
const ETHERNET_BYTES: i32 = 14;
/** IEEE 802.1Q. */
const VLAN_BYTES: i32 = 4;
/** RFC 7348; draft-ietf-nvo3-vxlan-gpe and group-based policy keep the size. */
const VXLAN_BYTES: i32 = 8;
/** RFC 8926: the fixed header, and the most its 6-bit length can add. */
const GENEVE_BYTES: i32 = 8;
const GENEVE_OPTIONS_LIMIT_BYTES: i32 = 252;
/** RFC 2784; checksum (RFC 2784), key and sequence number (RFC 2890) add 4 each. */
const GRE_BYTES: i32 = 4;
const GRE_FIELD_BYTES: i32 = 4;
/** draft-foschiano-erspan: type II and type III headers, behind GRE with a sequence number. */
const ERSPAN2_BYTES: i32 = 8;
const ERSPAN3_BYTES: i32 = 12;
/** draft-davie-stt: behind a header shaped like TCP's. */
const STT_BYTES: i32 = 18;
/** draft-ietf-intarea-gue, without optional fields. */
const GUE_BYTES: i32 = 4;
/** RFC 3931 over IP: session id; RFC 4719: the default layer-2 sublayer. */
const L2TP_SESSION_BYTES: i32 = 4;
const L2TP_SUBLAYER_BYTES: i32 = 4;
/** RFC 2473: the destination option Linux sends unless "encaplimit none". */
const ENCAPLIMIT_BYTES: i32 = 8;
/** RFC 8754: routing header, and one segment. */
const SRH_BYTES: i32 = 8;
const SRH_SEGMENT_BYTES: i32 = 16;
/** The WireGuard paper, section 5.4.6: data header, and the tag of RFC 8439. */
const WIREGUARD_BYTES: i32 = 16 + 16;
/** The same section: plaintext is padded to a multiple of 16. */
const WIREGUARD_PADDING_BYTES: i32 = 15;
/** RFC 4303: SPI and sequence number; pad length and next header, inside the padded part. */
const ESP_BYTES: i32 = 8;
const ESP_TRAILER_BYTES: i32 = 2;
/** RFC 4302 with the 12-byte ICV of RFC 2404. */
const AH_SHA1_BYTES: i32 = 12 + 12;
/** RFC 3032. */
const MPLS_LABEL_BYTES: i32 = 4;
/** RFC 2516: 6, and the 2 of PPP's protocol field. */
const PPPOE_BYTES: i32 = 8;
/** IEEE 802.1AE: SecTAG with SCI 16, ICV 16; what Linux takes off a macsec device. */
const MACSEC_BYTES: i32 = 32;

/** RFC 791: every module must take 68 bytes; Linux stops IPv4 on a link below. */
export const IPV4_MIN_MTU_BYTES: i32 = 68;
/** RFC 8200 section 5; Linux removes every IPv6 address from a link below. */
export const IPV6_MIN_MTU_BYTES: i32 = 1280;
/** The loopback device; no Linux link has more. */
const LINK_MAX_MTU_BYTES: i32 = 65536;

// What a link or tunnel transports, as a set.
const V4: u32 = 1;
const V6: u32 = 2;
const ETHERNET: u32 = 4;
const MPLS: u32 = 8;
const IP: u32 = V4 | V6;
const FRAMES: u32 = IP | ETHERNET | MPLS;

/** One encapsulation with its options, over one IP version. `layer_parse` makes them. */
export class Layer {
  /** Why the text is no layer; empty when it is one. */
  problem: string = "";
  /** ESP in transport mode, AH: no IP header of its own, the one inside moves out. */
  transport: bool = false;
  /** IPv6's tunnel encapsulation limit option, beside the header. */
  encaplimit_bytes: i32 = 0;
  /** ESP: IV and ICV. */
  crypto_bytes: i32 = 0;
  /** ESP: the padded part is a multiple of this, and ends with `trailer_bytes`. */
  align_bytes: i32 = 1;
  trailer_bytes: i32 = 0;
  constructor(
    public name: string,
    /** Runs over IPv6, where the layer runs over IP at all. */
    public v6: bool,
    /** All headers but the outer IP header. */
    public header_bytes: i32,
    public runs_over: u32,
    public carries: u32,
  ) {}

  /** Takes an IP header's room: its own, or in transport mode the packet's. */
  get over_ip(): bool {
    return (this.runs_over & IP) != 0;
  }
  /** What must be transported for this layer to run. */
  get needs(): u32 {
    if (!this.over_ip) return this.runs_over;
    return this.v6 ? V6 : V4;
  }
  /** The largest packet that fits into `outer_bytes`; negative or tiny when nothing does. */
  inner_bytes(outer_bytes: i32): i32 {
    const ip_bytes = this.over_ip ? (this.v6 ? IPV6_BYTES + this.encaplimit_bytes : IPV4_BYTES) : 0;
    const room_bytes = outer_bytes - ip_bytes - this.header_bytes - this.crypto_bytes;
    const padded_bytes = (room_bytes / this.align_bytes) * this.align_bytes;
    return padded_bytes - this.trailer_bytes + (this.transport ? ip_bytes : 0);
  }
}

/** An MTU, and what is wrong (`problem`) or doubtful (`warning`) about it; empty for nothing. */
export class MtuResult {
  warning: string = "";
  constructor(
    public mtu_bytes: i32,
    public problem: string = "",
  ) {}
}

/**
 * The MTU for pods inside `layers`, the outermost first: WireGuard, then the VXLAN inside it.
 * No layers is a routed network. Never above the underlay's, as every layer only takes away.
 */
export function mtu_inner(
  underlay_bytes: i32,
  layers: Layer[],
  pods_v4: bool,
  pods_v6: bool,
): MtuResult {
  if (underlay_bytes < IPV4_MIN_MTU_BYTES || underlay_bytes > LINK_MAX_MTU_BYTES) {
    const range = `${IPV4_MIN_MTU_BYTES} to ${LINK_MAX_MTU_BYTES}`;
    return new MtuResult(0, `an underlay MTU of ${underlay_bytes} is outside ${range}`);
  }
  let mtu_bytes = underlay_bytes;
  let carrier = "the underlay";
  let place = "on the underlay";
  let carries = FRAMES;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i];
    let problem = layer.problem;
    if (problem.length == 0) problem = cannot_run(layer, carrier, carries);
    if (problem.length == 0 && layer.over_ip) problem = too_small(mtu_bytes, layer.v6, place);
    if (problem.length > 0) return new MtuResult(0, problem);
    mtu_bytes = layer.inner_bytes(mtu_bytes);
    carrier = layer.name;
    place = `inside ${carrier}`;
    carries = layer.transport ? layer.needs : layer.carries;
  }
  let problem = "";
  if (pods_v4 && !(carries & V4)) problem = `${carrier} does not carry IPv4, which pods have`;
  if (pods_v6 && !(carries & V6)) problem = `${carrier} does not carry IPv6, which pods have`;
  // 68 holds whatever pods have: a device that small is of no use to anyone.
  if (problem.length == 0) problem = too_small(mtu_bytes, pods_v6, place);
  return new MtuResult(mtu_bytes, problem);
}

/**
 * An MTU someone asked for, judged by what was computed: above it is a warning, as the underlay may
 * have been misread; above the underlay, or too small for pods, is a problem.
 */
export function mtu_asked(
  asked_bytes: i32,
  underlay_bytes: i32,
  computed: MtuResult,
  pods_v6: bool,
): MtuResult {
  if (computed.problem.length > 0) return computed;
  const result = new MtuResult(asked_bytes, too_small(asked_bytes, pods_v6, "for pods"));
  if (asked_bytes > underlay_bytes) {
    result.problem = `an MTU of ${asked_bytes} is above the underlay's ${underlay_bytes}`;
  } else if (asked_bytes > computed.mtu_bytes) {
    result.warning = `an MTU of ${asked_bytes} is above the ${computed.mtu_bytes} that fit`;
  }
  return result;
}

/** The largest TCP segment in a packet of `mtu_bytes`, for clamping. */
export function mss_bytes(mtu_bytes: i32, v6: bool): i32 {
  return mtu_bytes - (v6 ? IPV6_BYTES : IPV4_BYTES) - TCP_BYTES;
}

function cannot_run(layer: Layer, carrier: string, carries: u32): string {
  if (!(layer.runs_over & layer.needs)) {
    return `${layer.name} cannot run over ${layer.v6 ? "IPv6" : "IPv4"}`;
  }
  if (layer.encaplimit_bytes > 0 && !layer.v6) {
    return `${layer.name} has an encaplimit over IPv6 only`;
  }
  if (carries & layer.needs) return "";
  let missing = layer.runs_over == MPLS ? "MPLS" : "Ethernet";
  if (layer.over_ip) missing = layer.v6 ? "IPv6" : "IPv4";
  return `${carrier} does not carry ${missing}, which ${layer.name} runs over`;
}

function too_small(mtu_bytes: i32, v6: bool, place: string): string {
  const least_bytes = v6 ? IPV6_MIN_MTU_BYTES : IPV4_MIN_MTU_BYTES;
  if (mtu_bytes >= least_bytes) return "";
  const version = v6 ? "IPv6" : "IPv4";
  return `an MTU of ${mtu_bytes} ${place} is too small: ${version} needs ${least_bytes}`;
}

/**
 * A layer from `NAME[,OPTION[=VALUE]]...`: "vxlan", "geneve,option_bytes=8", "gre,key,seq",
 * "esp,suite=aes-cbc-sha256-128,mode=transport,nat-t". `v6` is the IP version it runs over unless
 * "over=ipv4" or "over=ipv6" says.
 */
export function layer_parse(text: string, v6: bool): Layer {
  const parts = text.split(",");
  let layer = tunnel_named(parts[0], v6);
  if (!layer) layer = other_named(parts[0], v6);
  if (!layer) {
    const unknown = new Layer(parts[0], v6, 0, IP, IP);
    unknown.problem = `'${parts[0]}' is no encapsulation`;
    return unknown;
  }
  const seen: string[] = [];
  for (let i = 1; i < parts.length; i++) {
    const equals = parts[i].indexOf("=");
    const option = equals < 0 ? parts[i] : parts[i].substring(0, equals);
    const value = equals < 0 ? "" : parts[i].substring(equals + 1);
    // A repeated "key" would be counted twice.
    if (seen.includes(option) || !layer_option(layer, option, value)) {
      layer.problem = `${layer.name} does not take '${parts[i]}' here`;
      return layer;
    }
    seen.push(option);
  }
  return layer;
}

/** Encapsulations with an outer IP header of their own, by name. */
function tunnel_named(name: string, v6: bool): Layer | null {
  let bytes = 0;
  let runs_over = IP;
  let carries = FRAMES;
  if (name == "vxlan") {
    bytes = UDP_BYTES + VXLAN_BYTES + ETHERNET_BYTES;
  } else if (name == "vxlan-vlan") {
    bytes = UDP_BYTES + VXLAN_BYTES + ETHERNET_BYTES + VLAN_BYTES;
  } else if (name == "vxlan-gpe") {
    bytes = UDP_BYTES + VXLAN_BYTES;
    carries = IP;
  } else if (name == "geneve") {
    bytes = UDP_BYTES + GENEVE_BYTES + ETHERNET_BYTES;
  } else if (name == "stt") {
    bytes = TCP_BYTES + STT_BYTES + ETHERNET_BYTES;
  } else if (name == "gre") {
    bytes = GRE_BYTES;
    carries = IP | MPLS;
  } else if (name == "gretap") {
    bytes = GRE_BYTES + ETHERNET_BYTES;
  } else if (name == "nvgre") {
    bytes = GRE_BYTES + GRE_FIELD_BYTES + ETHERNET_BYTES;
  } else if (name == "erspan2") {
    bytes = GRE_BYTES + GRE_FIELD_BYTES + ERSPAN2_BYTES + ETHERNET_BYTES;
  } else if (name == "erspan3") {
    bytes = GRE_BYTES + GRE_FIELD_BYTES + ERSPAN3_BYTES + ETHERNET_BYTES;
  } else if (name == "l2tpv3") {
    bytes = L2TP_SESSION_BYTES + L2TP_SUBLAYER_BYTES + ETHERNET_BYTES;
  } else if (name == "ipip") {
    runs_over = V4;
    carries = V4;
  } else if (name == "sit") {
    runs_over = V4;
    carries = V6;
  } else if (name == "ip6tnl") {
    runs_over = V6;
    carries = IP;
  } else if (name == "fou-ipip") {
    bytes = UDP_BYTES;
    carries = V4;
  } else if (name == "gue-ipip") {
    bytes = UDP_BYTES + GUE_BYTES;
    carries = V4;
  } else if (name == "udp") {
    bytes = UDP_BYTES;
    carries = IP;
  } else if (name == "wireguard") {
    bytes = UDP_BYTES + WIREGUARD_BYTES;
    carries = IP;
  } else if (name == "srv6") {
    bytes = SRH_BYTES + SRH_SEGMENT_BYTES;
    runs_over = V6;
    carries = IP;
  } else {
    return null;
  }
  const layer = new Layer(name, v6, bytes, runs_over, carries);
  // Linux sends it by default on its IPv6 tunnels; here GRE has one only when asked.
  if (name == "ip6tnl") layer.encaplimit_bytes = ENCAPLIMIT_BYTES;
  return layer;
}

/** Encapsulations below IP, and IPsec, by name. */
function other_named(name: string, v6: bool): Layer | null {
  // A NIC takes a tagged frame beside its MTU, as a rule: "reduces-mtu" is the exception.
  if (name == "vlan") return new Layer(name, v6, 0, ETHERNET, FRAMES);
  if (name == "macsec") return new Layer(name, v6, MACSEC_BYTES, ETHERNET, FRAMES);
  if (name == "pppoe") return new Layer(name, v6, PPPOE_BYTES, ETHERNET, IP);
  if (name == "mpls") return new Layer(name, v6, MPLS_LABEL_BYTES, MPLS, IP);
  if (name == "ah") {
    const layer = new Layer(name, v6, AH_SHA1_BYTES, IP, IP);
    layer.transport = true;
    return layer;
  }
  if (name == "esp") {
    const layer = new Layer(name, v6, ESP_BYTES, IP, IP);
    layer.trailer_bytes = ESP_TRAILER_BYTES;
    esp_suite(layer, "aes-gcm-16");
    return layer;
  }
  return null;
}

/** Applies an option; false when the layer has no such option or value. */
function layer_option(layer: Layer, option: string, value: string): bool {
  if (option == "over") {
    layer.v6 = value == "ipv6";
    return layer.over_ip && (value == "ipv4" || value == "ipv6");
  }
  const name = layer.name;
  if (name == "esp") return esp_option(layer, option, value);
  if (name == "geneve" && option == "option_bytes") {
    const bytes = count(value, 0, GENEVE_OPTIONS_LIMIT_BYTES);
    layer.header_bytes += bytes;
    return bytes >= 0 && bytes % 4 == 0;
  }
  if (name == "mpls" && option == "labels") {
    const labels = count(value, 1, 16);
    layer.header_bytes = labels * MPLS_LABEL_BYTES;
    return labels > 0;
  }
  if (name == "srv6" && option == "segments") {
    // The header's 8-bit length counts in units of 8: 127 segments are the most.
    const segments = count(value, 1, 127);
    layer.header_bytes = SRH_BYTES + segments * SRH_SEGMENT_BYTES;
    return segments > 0;
  }
  if (name == "l2tpv3" && option == "cookie_bytes") {
    const bytes = count(value, 0, 8);
    layer.header_bytes += bytes;
    return bytes == 0 || bytes == 4 || bytes == 8;
  }
  if (name == "l2tpv3" && option == "l2spec_type") {
    layer.header_bytes -= L2TP_SUBLAYER_BYTES;
    return value == "none";
  }
  if (option == "encaplimit") return encaplimit(layer, value);
  if (value.length > 0) return false;
  if (name == "gre" || name == "gretap") {
    layer.header_bytes += GRE_FIELD_BYTES;
    return option == "key" || option == "seq" || option == "csum";
  }
  if (name == "wireguard" && option == "padded") {
    layer.header_bytes += WIREGUARD_PADDING_BYTES;
    return true;
  }
  if (name == "vlan" && option == "reduces-mtu") {
    layer.header_bytes = VLAN_BYTES;
    return true;
  }
  return false;
}

/** "none", or a limit from 0 to 255, as in `ip link`. */
function encaplimit(layer: Layer, value: string): bool {
  layer.encaplimit_bytes = value == "none" ? 0 : ENCAPLIMIT_BYTES;
  if (value != "none" && count(value, 0, 255) < 0) return false;
  return layer.name == "ip6tnl" || layer.name == "gre" || layer.name == "gretap";
}

function esp_option(layer: Layer, option: string, value: string): bool {
  if (option == "suite") return esp_suite(layer, value);
  if (option == "mode") {
    layer.transport = value == "transport";
    return value == "tunnel" || value == "transport";
  }
  // RFC 3948: ESP inside UDP.
  layer.header_bytes += UDP_BYTES;
  return option == "nat-t" && value.length == 0;
}

/** IV, ICV and alignment of a suite; the length of its key does not matter. */
function esp_suite(layer: Layer, suite: string): bool {
  if (suite == "aes-gcm-16" || suite == "chacha20-poly1305") {
    // RFC 4106, RFC 7634.
    return esp_sizes(layer, 8, 16, 4);
  }
  if (suite == "aes-gcm-12") return esp_sizes(layer, 8, 12, 4);
  if (suite == "aes-gcm-8") return esp_sizes(layer, 8, 8, 4);
  // RFC 3602 with RFC 2404, then with RFC 4868.
  if (suite == "aes-cbc-sha1-96") return esp_sizes(layer, 16, 12, 16);
  if (suite == "aes-cbc-sha256-128") return esp_sizes(layer, 16, 16, 16);
  if (suite == "aes-cbc-sha384-192") return esp_sizes(layer, 16, 24, 16);
  if (suite == "aes-cbc-sha512-256") return esp_sizes(layer, 16, 32, 16);
  // RFC 2410.
  if (suite == "null-sha1-96") return esp_sizes(layer, 0, 12, 4);
  return false;
}

function esp_sizes(layer: Layer, iv_bytes: i32, icv_bytes: i32, align_bytes: i32): bool {
  layer.crypto_bytes = iv_bytes + icv_bytes;
  layer.align_bytes = align_bytes;
  return true;
}

/** A decimal number within limits, or -1. */
function count(text: string, least: i32, most: i32): i32 {
  if (text.length == 0 || text.length > 5) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 48 || c > 57) return -1;
    value = value * 10 + (c - 48);
  }
  return value >= least && value <= most ? value : -1;
}
