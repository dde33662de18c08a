// SPDX-License-Identifier: Apache-2.0
// The parameters of a call: CNI_* environment variables (spec 1.1.0 section 2), validated in the
// order and with the messages of the reference's skel package.
import { lower } from "../lib/ascii";
import { dir_usable, identifier_valid, ifname_problem } from "../lib/name";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { CniError, Code } from "./error";

const CURE = "the container runtime sets them; to try a plugin by hand set them yourself";

/** Which lock is held for a plugin that a foreign one calls on our behalf: ../attach/store.ts. */
export const HELD = "CNI_FAIRLEAD_HELD";

/** Which folder has records, locks and the index of leases: ../lib/state-dir.ts. */
export const STATE_DIR = "CNI_FAIRLEAD_STATE_DIR";

export class Environment {
  command: string = "";
  containerID: string = "";
  netns: string = "";
  ifname: string = "";
  args: string = "";
  path: string = "";
  /** CNI_NETNS_OVERRIDE: the operator insists on the host's own namespace. */
  netns_override: bool = false;
  /** The lock that is held, by this call or by the one that waits for it; "" for none. */
  held: string = "";
  /** CNI_FAIRLEAD_STATE_DIR: a folder in place of /run/fairlead; "" for that. */
  state_dir: string = "";
  /** A variable that is not UTF-8. */
  private malformed: string = "";

  /** NAME=value texts, each ended by a NUL byte. */
  constructor(ptr: usize, len: i32) {
    let start = 0;
    for (let i = 0; i < len; i++) {
      if (load<u8>(ptr + i) != 0) continue;
      this.take(ptr + start, i - start);
      start = i + 1;
    }
  }

  private take(ptr: usize, len: i32): void {
    if (utf8_invalid_at(ptr, len) >= 0) {
      let end = 0;
      while (end < len && load<u8>(ptr + end) != 61) end++;
      if (utf8_invalid_at(ptr, end) < 0) this.malformed = utf8_decode(ptr, end);
      return;
    }
    const text = utf8_decode(ptr, len);
    const equals = text.indexOf("=");
    const name = text.substring(0, equals);
    const value = text.substring(equals + 1);
    if (name == "CNI_COMMAND") this.command = value;
    else if (name == "CNI_CONTAINERID") this.containerID = value;
    else if (name == "CNI_NETNS") this.netns = value;
    else if (name == "CNI_IFNAME") this.ifname = value;
    else if (name == "CNI_ARGS") this.args = value;
    else if (name == "CNI_PATH") this.path = value;
    else if (name == HELD) this.held = value;
    else if (name == STATE_DIR) this.state_dir = value;
    else if (name == "CNI_NETNS_OVERRIDE") {
      const folded = lower(value);
      this.netns_override = folded == "1" || folded == "true";
    }
  }

  /** The first thing wrong with the variables that this command needs, null when all is well. */
  problem(): CniError | null {
    if (this.malformed.length > 0) {
      return new CniError(Code.InvalidEnvironment, `${this.malformed} is not UTF-8 text`);
    }
    if (this.state_dir.length > 0 && !dir_usable(this.state_dir)) {
      return new CniError(
        Code.InvalidEnvironment,
        `${STATE_DIR} must be an absolute path without ".."`,
        this.state_dir,
      );
    }
    const add = this.command == "ADD" || this.command == "CHECK";
    const attachment = add || this.command == "DEL";
    const missing = new Array<string>();
    if (attachment && this.containerID.length == 0) {
      missing.push("CNI_CONTAINERID");
    } else if (attachment && !identifier_valid(this.containerID)) {
      return new CniError(
        Code.InvalidEnvironment,
        "invalid characters in containerID: " +
          "CNI_CONTAINERID takes letters, digits, '.', '_' and '-'",
        this.containerID,
      );
    }
    if (add && this.netns.length == 0) missing.push("CNI_NETNS");
    if (attachment && this.ifname.length == 0) {
      missing.push("CNI_IFNAME");
    } else if (attachment) {
      const wrong = ifname_problem(this.ifname);
      if (wrong.length > 0) {
        return new CniError(Code.InvalidEnvironment, `${wrong}: correct CNI_IFNAME`, this.ifname);
      }
    }
    const path = attachment || this.command == "GC" || this.command == "STATUS";
    if (path && this.path.length == 0) missing.push("CNI_PATH");
    if (missing.length == 0) return null;
    const names = missing.join(",");
    return new CniError(
      Code.InvalidEnvironment,
      `required env variables [${names}] missing: ${CURE}`,
    );
  }

  /** Whether the command is one of the spec's. */
  get known(): bool {
    const commands: string[] = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];
    return commands.includes(this.command);
  }
}
