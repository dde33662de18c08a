// SPDX-License-Identifier: Apache-2.0
// The point from which a call is held to what it needs (host.confine): when the record of the
// attachment is known, which names folders of its own, and before anything is changed. It refuses
// to know what else a call needs: plugins have put that into the request.
import { confine } from "../host/host.gen";
import { state_dir } from "../lib/state-dir";
import { CniError, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { Attachment } from "./record";

/**
 * Landlock keeps a process from the namespaces of others, as far as they are found by their
 * processes: a runtime that names them so has calls that are held to no folder.
 */
const PROCESSES = "/proc/";

/** Holds the call to the folders and programs of its request and to what the records name. */
export function reach_hold(request: Request, records: Attachment[]): CniError | null {
  const reach = request.reach;
  reach.write(state_dir());
  if (request.env.netns.startsWith(PROCESSES)) reach.write_anywhere();
  for (let i = 0; i < records.length; i++) {
    const record = records[i];
    const site = record.site;
    if (record.netns.startsWith(PROCESSES)) reach.write_anywhere();
    for (let k = 0; k < record.effects.length; k++) {
      const effect = record.effects[k];
      reach.write(effect.folder(site));
      if (effect.socket.length > 0) reach.execute(effect.socket);
    }
  }
  const make = request.env.command == "ADD";
  const held = confine(reach.folder_lines, reach.program_lines, make);
  return held < 0 ? os_error("give up what the call does not need (FAIRLEAD_CONFINE=1)") : null;
}
