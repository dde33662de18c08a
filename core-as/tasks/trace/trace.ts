// SPDX-License-Identifier: Apache-2.0
// The task `trace`: the way a packet would take through this host, and where it ends and why. Who
// sends it and where to is found out here; the way is walk.ts.
import { Ip, ip_parse } from "../../lib/ip";
import { JsonValue, json_text } from "../../lib/json";
import { legacy_used } from "../../nft/legacy";
import { Answer, refuse } from "../../plugin/dispatch";
import { CniError, Code } from "../../spec/error";
import { Pod, Pods } from "./pods";
import { Packet, Walk } from "./walk";
import { Flow, tables_of } from "./watch";

/** Senders that are no container: the host's own processes, and whoever is elsewhere. */
const HOST_WORD = "host";
const OUTSIDE_WORD = "outside";

const invalid = (msg: string): Answer => refuse(new CniError(Code.InvalidConfig, msg), "");

/** The one container that a word names, or why there is none. */
class Named {
  pod: Pod | null = null;
  why: string = "";
}

function named(pods: Pods, word: string): Named {
  const made = new Named();
  const ip = ip_parse(word);
  if (ip) made.pod = pods.at(ip);
  if (made.pod) return made;
  const called = pods.called(word);
  if (called.length == 1) made.pod = called[0];
  else if (called.length == 0) {
    made.why = `no container of this node is "${word}": fairlead ls${pods.unseen}`;
  } else {
    made.why =
      `"${word}" is ${called.length} interfaces: name one, as ${called[0].record.name} ` +
      `or ${called[1].record.name}`;
  }
  return made;
}

/** What is wanted to be followed in the kernel, too. */
export class Following {
  constructor(
    /** What the tables are called; no two at once may have one name. */
    public table: string,
    /** The port that it is sent from, or a ping's number; 0 for one that somebody else sends. */
    public sport: i32,
  ) {}
}

/** `{"netns", "src", "dst", "table", "tables"}`: `netns`, `src` "" where no container sends it. */
function followed(following: Following, sender: Pod | null, own: bool, packet: Packet): JsonValue {
  const flow = new Flow(packet.dst);
  flow.port = packet.port;
  flow.protocol = packet.protocol;
  flow.sport = following.sport;
  flow.own = own;
  const src = sender ? sender.address(packet.dst.v6) : null;
  // Its port, or its number, names the sender; what address it takes is the kernel's to say.
  if (flow.sport == 0) flow.src = src;
  const made = JsonValue.object();
  made.append("netns", JsonValue.string(sender ? sender.record.netns : ""));
  made.append("src", JsonValue.string(src ? src.toString() : ""));
  made.append("dst", JsonValue.string(packet.dst.toString()));
  made.append("table", JsonValue.string(following.table));
  made.append("legacy", JsonValue.bool(legacy_used()));
  made.append("tables", tables_of(following.table, flow));
  return made;
}

/**
 * `{"steps": [{"at", "does"}], "end": {"outcome", "why", "cure"?}}`: `outcome` is `arrives`,
 * `leaves` (the host, for elsewhere) or `lost`. `from` is a container, `host` or `outside`; `to` an
 * address or a container; `port` 0 for none. With `following` each step has the `facts` that the
 * kernel's trace shows of it, and `packet` says how it is followed.
 */
export function trace(
  from: string,
  to: string,
  port: i32,
  protocol: string,
  following: Following | null,
): Answer {
  const pods = new Pods();
  if (!pods.read()) return refuse(<CniError>pods.error, "");
  let sender: Pod | null = null;
  if (from != HOST_WORD && from != OUTSIDE_WORD) {
    const who = named(pods, from);
    sender = who.pod;
    if (!sender) return invalid(who.why);
  }
  let dst: Ip | null = ip_parse(to);
  if (!dst) {
    const who = named(pods, to);
    const receiver = who.pod;
    if (!receiver) return invalid(who.why);
    dst = receiver.address(sender !== null && sender.address(false) === null);
    if (!dst) dst = receiver.address(true);
    if (!dst) return invalid(`container ${receiver.name} has no address`);
  }
  const packet = new Packet(<Ip>dst);
  packet.port = port;
  packet.protocol = protocol;
  const walk = new Walk(packet, pods, from != HOST_WORD, following !== null);
  if (following !== null && sender !== null && !sender.address(packet.dst.v6)) {
    const family = packet.dst.v6 ? "IPv6" : "IPv4";
    return invalid(
      `container ${sender.name} has no ${family} address, so it can send nothing there`,
    );
  }
  // The walk changes the packet as the host does.
  const live = following ? followed(following, sender, from == HOST_WORD, packet) : null;
  if (sender) walk.from_pod(sender);
  else walk.through_host();
  const answer = walk.json;
  if (live) answer.append("packet", live);
  return new Answer(json_text(answer));
}
