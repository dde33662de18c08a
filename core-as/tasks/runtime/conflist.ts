// SPDX-License-Identifier: Apache-2.0
// A network as it lies on disk (spec 1.1.0 section 1): a list of plugins, a single plugin as of
// old, the drop-in folder beside a list, and the version chosen of those offered. It follows
// libcni, and knows no plugin's keys. It refuses to run anything.
import { failure_errno } from "../../host/failure";
import { dir_list, file_read } from "../../host/store";
import { lower } from "../../lib/ascii";
import { EFBIG, EISDIR, ENOENT, ENOTDIR } from "../../lib/errno";
import { JsonValue, json_parse, json_text, Kind, Parsed } from "../../lib/json";
import { identifier_valid } from "../../lib/name";
import { utf8_decode } from "../../lib/utf8";
import { CniError, Code, os_error } from "../../spec/error";
import { Reader } from "../../spec/reader";
import { CONFIG_LIMIT_BYTES } from "../../spec/request";
import { IMPLIED, SUPPORTED, version_number } from "../../spec/version";

/** NAME_MAX, linux/limits.h: leases and drop-in files lie in folders of the network's name. */
const NAME_LIMIT = 255;

/** A file parsed to an object, or why it was not. */
export class ConfigFile {
  document: Parsed = new Parsed(0, 0);
  reader: Reader = new Reader(new Parsed(0, 0));
  value: JsonValue = JsonValue.object();
  /** Its bytes as they lie on disk, "" when it could not be read. */
  text: string = "";
  constructor(public path: string) {}
  get error(): CniError | null {
    return this.reader.error;
  }
}

/** Reads and parses a file; problems land in the reader of what it gives. */
export function config_file(path: string): ConfigFile {
  const made = new ConfigFile(path);
  const bytes = file_read(path, CONFIG_LIMIT_BYTES);
  if (bytes) return config_parse(made, bytes.ptr, bytes.len);
  if (failure_errno == EFBIG) {
    made.reader.invalid(`${path} is larger than ${CONFIG_LIMIT_BYTES >> 20} MiB: shorten it`);
  } else {
    made.reader.note(file_error(path));
  }
  return made;
}

/** Why a file or folder that somebody named could not be read, in words. */
function file_error(path: string): CniError {
  if (failure_errno == ENOENT) {
    return new CniError(Code.Io, `${path} does not exist: name another file`);
  }
  if (failure_errno == EISDIR) {
    return new CniError(Code.Io, `${path} is a folder: name a file in it`);
  }
  if (failure_errno == ENOTDIR) {
    return new CniError(Code.Io, `${path} leads through a file: name a folder and what is in it`);
  }
  return os_error(`read ${path}`, Code.Io);
}

/** Parses bytes as the content of `made`. */
export function config_parse(made: ConfigFile, ptr: usize, len: i32): ConfigFile {
  made.document = json_parse(ptr, len);
  made.reader = new Reader(made.document, made.path);
  if (made.document.failed) {
    const at = new JsonValue(Kind.Null, made.document.offset);
    made.reader.fail(Code.Decode, `cannot decode ${made.path}: ${made.document.problem}`, at);
    return made;
  }
  made.text = utf8_decode(ptr, len);
  if (made.reader.isObject(made.document.value, made.path)) made.value = made.document.value;
  return made;
}

/** A network configuration list, from whatever kind of file. */
export class NetworkList {
  name: string = "";
  /** The version chosen; "" when the file names none that we could choose of. */
  cniVersion: string = "";
  disableCheck: bool = false;
  disableGC: bool = false;
  /** The plugins' own objects, those of drop-in files after those of the list. */
  plugins: JsonValue[] = [];
  /** How many of them stand in the file itself. */
  inlined: i32 = 0;
  /** The drop-in files, also those with errors. */
  dropins: ConfigFile[] = [];
  /** Whether the file is a single plugin's configuration, not a list. */
  single: bool = false;
  constructor(public file: ConfigFile) {}

  /** The first problem, of the file or else of a drop-in file. */
  get error(): CniError | null {
    let error = this.file.error;
    for (let i = 0; i < this.dropins.length && !error; i++) error = this.dropins[i].error;
    return error;
  }
  get path(): string {
    return this.file.path;
  }
  /** The plugins written in the file itself, without those of drop-in files. */
  own_plugins(): JsonValue[] {
    if (this.single) return [without(this.file.value, ["cniVersion", "name"])];
    const array = this.file.value.get("plugins");
    return array && array.kind == Kind.Array ? array.items : [];
  }
  /** The list as a document with other plugins; a single plugin's file becomes a list. */
  with_plugins(plugins: JsonValue): JsonValue {
    if (!this.single) return without(this.file.value, []).set("plugins", plugins);
    const made = JsonValue.object();
    made.append("cniVersion", JsonValue.string(this.cniVersion));
    made.append("name", JsonValue.string(this.name));
    made.append("plugins", plugins);
    return made;
  }
  /** The text of the list, as a cache keeps it: the file's own, or the list that it stands for. */
  get text(): string {
    if (!this.single) return this.file.text;
    const plugins = JsonValue.array();
    plugins.push(this.own_plugins()[0]);
    return json_text(this.with_plugins(plugins));
  }
  /** Types of the plugins that a plugin of the type `fairlead` is made of; none without one. */
  inside(): string[] {
    for (let i = 0; i < this.plugins.length; i++) {
      const plugins = this.plugins[i].get("plugins");
      if (plugins && this.plugins[i].text_at("type") == "fairlead") return types_of(plugins.items);
    }
    return [];
  }
}

/** Types of plugins, in order; "" for one that has none. */
export function types_of(plugins: JsonValue[]): string[] {
  const types = new Array<string>();
  for (let i = 0; i < plugins.length; i++) types.push(plugins[i].text_at("type"));
  return types;
}

/** An object's members but those of the keys. */
function without(object: JsonValue, keys: string[]): JsonValue {
  const made = JsonValue.object();
  for (let i = 0; i < object.items.length; i++) {
    if (!keys.includes(object.keys[i])) made.append(object.keys[i], object.items[i]);
  }
  return made;
}

/**
 * Reads a list, or a single plugin's file: one that does not end in .conflist and has a "type" or
 * no "plugins".
 */
export function network_list(path: string): NetworkList {
  return network_of(config_file(path));
}

/** The network that a parsed file describes; problems land in the file's reader. */
export function network_of(file: ConfigFile): NetworkList {
  const list = new NetworkList(file);
  if (file.error) return list;
  const typed = file.value.indexOf("type") >= 0 || file.value.indexOf("plugins") < 0;
  list.single = typed && !file.path.endsWith(".conflist");
  list.name = name_of(file);
  list.cniVersion = version_of(file);
  if (list.single) {
    plugin_object(file, file.value);
    list.plugins.push(file.value);
    list.inlined = 1;
    return list;
  }
  list.disableCheck = flag(file, "disableCheck");
  list.disableGC = flag(file, "disableGC");
  const inlined = flag(file, "loadOnlyInlinedPlugins");
  inlined_plugins(list, inlined);
  list.inlined = list.plugins.length;
  if (!inlined && identifier_valid(list.name)) dropped_in(list);
  if (!list.error && list.plugins.length == 0) {
    file.reader.invalid(`no plugins in list: put at least one object into "plugins"`, file.value);
  }
  return list;
}

function name_of(file: ConfigFile): string {
  const name = file.reader.string(file.value, "name");
  if (file.reader.lacks(file.value, "name")) {
    file.reader.invalid(`missing network name: add "name"`, file.value);
  } else if (name.length > 0 && !identifier_valid(name)) {
    file.reader.invalid(
      `invalid characters found in network name "${name}": use letters, digits, '.', '_', '-'`,
      file.value.get("name"),
    );
  } else if (name.length > NAME_LIMIT) {
    file.reader.invalid(
      `the network name is longer than ${NAME_LIMIT} characters, and so no folder's: shorten it`,
      file.value.get("name"),
    );
    return "";
  }
  return name;
}

/** The highest version that we speak of cniVersions and cniVersion; as it stands without a list. */
function version_of(file: ConfigFile): string {
  const reader = file.reader;
  const written = reader.string(file.value, "cniVersion");
  const offered = reader.strings(file.value, "cniVersions");
  if (version_number(written) < 0) {
    const at = file.value.get("cniVersion");
    reader.invalid(`cniVersion "${written}" is not a version: write 1.0.0`, at);
    return "";
  }
  if (!offered) return written.length > 0 ? written : IMPLIED;
  const newest = version_number(SUPPORTED[SUPPORTED.length - 1]);
  let chosen = written.length > 0 && version_number(written) <= newest ? written : "";
  for (let i = 0; i < offered.length; i++) {
    const number = version_number(offered[i]);
    if (number < 0 || offered[i].length == 0) {
      const at = file.value.get("cniVersions");
      reader.invalid(`cniVersions has "${offered[i]}", which is not a version`, at);
    } else if (number <= newest && (chosen.length == 0 || number > version_number(chosen))) {
      chosen = offered[i];
    }
  }
  if (chosen.length > 0 || offered.length == 0) return chosen.length > 0 ? chosen : IMPLIED;
  const at = file.value.get("cniVersions");
  reader.invalid(`no version of cniVersions is supported: add one of ${SUPPORTED.join(", ")}`, at);
  return "";
}

/** A boolean, or its name as text in any case: spec 0.4.0 had texts. */
function flag(file: ConfigFile, key: string): bool {
  const value = file.value.get(key);
  if (value && value.kind == Kind.String) {
    const folded = lower(value.text);
    if (folded == "true" || folded == "false") return folded == "true";
    file.reader.invalid(`"${key}" must be true or false, not "${value.text}"`, value);
    return false;
  }
  return file.reader.bool(file.value, key);
}

function inlined_plugins(list: NetworkList, only: bool): void {
  const file = list.file;
  const plugins = file.reader.array(file.value, "plugins");
  if (!plugins) {
    if (only) file.reader.invalid(`loadOnlyInlinedPlugins needs "plugins"`, file.value);
    return;
  }
  if (plugins.items.length == 0) {
    file.reader.invalid(`no plugins in list: put at least one object into "plugins"`, plugins);
  }
  for (let i = 0; i < plugins.items.length; i++) {
    if (plugin_object(file, plugins.items[i])) list.plugins.push(plugins.items[i]);
  }
}

/** Whether a value can be executed as a plugin at all. */
function plugin_object(file: ConfigFile, value: JsonValue): bool {
  if (!file.reader.isObject(value, "an entry of plugins")) return false;
  const type = file.reader.string(value, "type");
  if (file.reader.lacks(value, "type")) {
    file.reader.invalid(`a plugin without "type": name the program that is to run`, value);
  } else if (type.includes("/") || type.includes("\\")) {
    file.reader.invalid(`"type" cannot be a path: "${type}"`, value.get("type"));
  } else {
    return type.length > 0;
  }
  return false;
}

/** Appends the plugins of <folder of the list>/<name>/*.conf, by file name. */
function dropped_in(list: NetworkList): void {
  const path = list.path;
  const folder = `${path.substring(0, path.lastIndexOf("/"))}/${list.name}`;
  const names = dir_list(folder);
  if (!names) {
    // A file of that name is none of ours to judge.
    if (failure_errno == ENOENT || failure_errno == ENOTDIR) return;
    list.file.reader.note(os_error(`read ${folder}`, Code.Io));
    return;
  }
  for (let i = 0; i < names.length; i++) {
    if (!names[i].endsWith(".conf")) continue;
    const file = config_file(`${folder}/${names[i]}`);
    if (!file.error && plugin_object(file, file.value)) list.plugins.push(file.value);
    list.dropins.push(file);
  }
}
