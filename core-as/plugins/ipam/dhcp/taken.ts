// SPDX-License-Identifier: Apache-2.0
// The effect "dhcp": a lease that the daemon holds for an attachment, and how it goes back.
import { Effect, Site } from "../../../attach/effect";
import { RELEASE } from "../../../dhcp/rpc";
import { log } from "../../../host/store";
import { JsonValue } from "../../../lib/json";
import { CniError } from "../../../spec/error";
import { args_for, ask, away } from "./ask";

export class DhcpLeased extends Effect {
  constructor(private path: string) {
    super();
  }
  get word(): string {
    return "dhcp";
  }
  get socket(): string {
    return this.path;
  }
  write(into: JsonValue): void {
    into.append("socket", JsonValue.string(this.path));
  }
  undo(site: Site, errors: CniError[]): bool {
    const asked = ask(this.path, RELEASE, args_for(site.network, site.containerID, site.ifname));
    const error = asked.error;
    if (!error) return true;
    // A pod must not wait for a daemon: what nobody renews ends.
    if (asked.away) log(`dhcp: ${away(error)}`);
    else errors.push(error);
    return asked.away;
  }
}

/** Reads one; null when it is none. */
export function dhcp_leased_read(from: JsonValue): DhcpLeased | null {
  const socket = from.text_at("socket");
  return socket.startsWith("/") ? new DhcpLeased(socket) : null;
}
