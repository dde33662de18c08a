// SPDX-License-Identifier: Apache-2.0
// The effect "leases": those that an attachment has in a folder, and how they go back.
import { Effect, Site } from "../../../attach/effect";
import { JsonValue, Kind } from "../../../lib/json";
import { dir_usable } from "../../../lib/name";
import { CniError, os_error } from "../../../spec/error";
import { Leases } from "./leases";

/** The leases of an attachment in a folder. */
export class LeasesTaken extends Effect {
  /** Those of this very call: it takes back no other. */
  ips: string[] = [];
  constructor(
    private dataDir: string,
    private fresh: bool = false,
  ) {
    super();
  }
  get word(): string {
    return "leases";
  }
  folder(site: Site): string {
    return `${this.dataDir}/${site.network}`;
  }
  write(into: JsonValue): void {
    into.append("dataDir", JsonValue.string(this.dataDir));
  }
  undo(site: Site, errors: CniError[]): bool {
    const before = errors.length;
    const leases = new Leases(this.dataDir, site.network, site.containerID, site.ifname);
    if (!this.fresh) leases.release_all(errors);
    else if (this.ips.length > 0 && !leases.take_back(this.ips)) {
      const error = leases.error;
      const texts = this.ips.join(" ");
      errors.push(
        error
          ? new CniError(error.code, `undo: ${error.msg}`, error.details)
          : os_error(`undo: remove the leases ${texts}`),
      );
    }
    return errors.length == before;
  }
}

/** Reads one; null when it is none. */
export function leases_read(from: JsonValue): LeasesTaken | null {
  const dataDir = from.get("dataDir");
  if (!dataDir || dataDir.kind != Kind.String || !dir_usable(dataDir.text)) return null;
  return new LeasesTaken(dataDir.text);
}
