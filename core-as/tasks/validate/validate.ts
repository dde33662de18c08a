// SPDX-License-Identifier: Apache-2.0
// The task `validate`: everything that can be said of network configurations before a container is
// attached. It owns the order of the looks; each look is a file of its own. Nothing is executed and
// nothing is changed.

import { dir_list } from "../../host/store";
import { json_text, Kind, Parsed } from "../../lib/json";
import { Answer } from "../../plugin/dispatch";
import { CniError, Code } from "../../spec/error";
import { ConfigFile, config_file, NetworkList, network_of } from "../runtime/conflist";
import { chain_check } from "./chain";
import { duplicates, KeyCheck } from "./keys";
import { mtu_check } from "./mtu";
import { Parts } from "./parts";
import { Installed, plugin_check } from "./plugin";
import { Neighbours } from "./ranges";
import { Report } from "./report";

class Validation {
  report: Report = new Report();
  private neighbours: Neighbours = new Neighbours();
  private installed: Installed;
  private seen: Set<string> = new Set<string>();

  constructor(path: string) {
    this.installed = new Installed(path);
  }

  /** A file, or the files of a folder that a runtime would read. */
  look(path: string): void {
    const names = dir_list(path);
    if (!names) {
      this.file(path);
      return;
    }
    let found = 0;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const read = name.endsWith(".conflist") || name.endsWith(".conf") || name.endsWith(".json");
      if (!read) continue;
      this.file(path.endsWith("/") ? `${path}${name}` : `${path}/${name}`);
      found++;
    }
    if (found > 0) return;
    this.missing(path, `${path} has no file *.conflist, *.conf or *.json: name another folder`);
  }

  private missing(path: string, msg: string): void {
    this.report.file(path, new Parsed(0, 0)).error(msg, -1, Code.Io);
  }

  private file(path: string): void {
    if (this.seen.has(path)) return;
    this.seen.add(path);
    const file = config_file(path);
    const list = network_of(file);
    const at = this.report.file(path, file.document);
    at.name = list.name;
    if (file.value === file.document.value) {
      this.members(list, file);
      this.network(list);
    }
    at.take(file.reader, -1);
  }

  /** Keys of the file itself and of its drop-in files. */
  private members(list: NetworkList, file: ConfigFile): void {
    const at = this.report.file(file.path, file.document);
    duplicates(at, file.value);
    const keys = new KeyCheck(at);
    if (!list.single) {
      keys.list(file.value);
      // What comes by a pipe has no name.
      if (!file.path.endsWith(".conflist") && !file.path.startsWith("/dev/")) {
        at.warning(
          `a list is read by other runtimes only from a file *.conflist: rename ${file.path}`,
          file.value.offset,
        );
      }
    }
    for (let i = 0; i < list.dropins.length; i++) {
      const dropin = list.dropins[i];
      const place = this.report.file(dropin.path, dropin.document);
      place.name = list.name;
      place.take(dropin.reader, -1);
      if (dropin.document.value.kind == Kind.Object) duplicates(place, dropin.document.value);
    }
  }

  private network(list: NetworkList): void {
    const file = this.report.file(list.path, list.file.document);
    const parts = new Parts(list, this.report);
    if (parts.cut) {
      file.error(
        `only the first ${parts.all.length} plugins are looked at: no chain needs so many`,
        list.file.value.offset,
      );
    }
    for (let i = 0; i < parts.all.length; i++) plugin_check(parts.all[i], this.installed);
    chain_check(parts, file);
    mtu_check(parts);
    this.neighbours.check(parts, file);
  }
}

/** The problems of the files, and whether there is an error. `path`: CNI_PATH, "" not to look. */
export function validate(files: string[], path: string): Answer {
  const validation = new Validation(path);
  for (let i = 0; i < files.length; i++) validation.look(files[i]);
  const text = json_text(validation.report.json());
  if (validation.report.errors == 0) return new Answer(text);
  return new Answer(text, new CniError(Code.InvalidConfig, "a configuration has an error"));
}
