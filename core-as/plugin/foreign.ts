// SPDX-License-Identifier: Apache-2.0
// An IPAM plugin that is not ours, executed from CNI_PATH (spec 1.1.0 section 4): the call's own
// parameters, the complete configuration on stdin, its error forwarded as it is. What it prints is
// trusted no more than a configuration.
import { Adding } from "../attach/adding";
import { Effect, Site } from "../attach/effect";
import { failure_errno } from "../host/failure";
import { Ended, exec } from "../host/plugin";
import { log } from "../host/store";
import { EACCES, ENOENT, ETIMEDOUT } from "../lib/errno";
import { JsonValue, json_parse, json_text, Kind, Parsed } from "../lib/json";
import { ByteWriter, Utf8 } from "../lib/utf8";
import { Attachments } from "../spec/attachments";
import { HELD } from "../spec/environment";
import { CniError, Code, os_error } from "../spec/error";
import { Reach } from "../spec/reach";
import { Reader } from "../spec/reader";
import { Request } from "../spec/request";
import { result_json, result_read } from "../spec/result";
import { failed, Outcome, Plugin } from "./plugin";
import { Type } from "./type";

/** DHCP may take half a minute; a runtime gives a plugin some two minutes. */
const TIMEOUT_MS = 90000;
/** Enough of an unreadable answer to recognise it. */
const EXCERPT_LENGTH = 256;

/** How a call of the delegate went: its error, or what it said on standard output. */
export class Called {
  error: CniError | null = null;
  said: string = "";
  /** Whether a folder of CNI_PATH has the program. */
  found: bool = true;
}

/** The variables of the request under another command, as the ABI passes them. */
function environment(request: Request, command: string): ByteWriter {
  const env = new ByteWriter();
  const names: string[] = [
    "CNI_COMMAND",
    "CNI_CONTAINERID",
    "CNI_NETNS",
    "CNI_IFNAME",
    "CNI_ARGS",
    "CNI_PATH",
    HELD,
  ];
  const given = request.env;
  const values: string[] = [
    command,
    given.containerID,
    given.netns,
    given.ifname,
    given.args,
    given.path,
    given.held,
  ];
  for (let i = 0; i < names.length; i++) {
    if (names[i] == HELD && given.held.length == 0) continue;
    env.text(names[i]).text("=").text(values[i]);
    env.byte(0);
  }
  return env;
}

/**
 * The configuration that the delegate reads, in a version. A prevResult of another one is
 * converted, as runtimes do it: plugins read it by the configuration's.
 */
function config_for(request: Request, version: string): JsonValue {
  let made = request.config;
  if (version != request.version) made = copy_of(made).set("cniVersion", JsonValue.string(version));
  const previous = made.get("prevResult");
  if (!previous || previous.kind != Kind.Object) return made;
  const reader = new Reader(request.document);
  if (reader.string(previous, "cniVersion", request.version) == version) return made;
  const result = result_read(reader, previous, request.version);
  const document = result_json(result, version);
  if (reader.error || !document) return made;
  return copy_of(made).set("prevResult", document);
}

function copy_of(given: JsonValue): JsonValue {
  const made = JsonValue.object();
  for (let i = 0; i < given.items.length; i++) made.append(given.keys[i], given.items[i]);
  return made;
}

function delegate_call(request: Request, type: string, command: string): Called {
  return program_call(request, type, command, request.version, TIMEOUT_MS);
}

/**
 * Executes a program, from the first folder of CNI_PATH that has it, with the request's
 * configuration as one of `version`.
 */
export function program_call(
  request: Request,
  type: string,
  command: string,
  version: string,
  timeout_ms: i32,
): Called {
  const called = new Called();
  const env = environment(request, command);
  const stdin = json_text(config_for(request, version));
  const folders = request.env.path.split(":");
  for (let i = 0; i < folders.length; i++) {
    if (folders[i].length == 0) continue;
    const ended = exec(`${folders[i]}/${type}`, env, stdin, timeout_ms);
    if (ended) {
      called.said = ended.stdout;
      called.error = error_of(type, command, ended);
      return called;
    }
    if (failure_errno == ENOENT) continue;
    called.error = start_error(type, command, folders[i], timeout_ms);
    return called;
  }
  called.found = false;
  called.error = new CniError(
    Code.InvalidConfig,
    `failed to find plugin "${type}" in path [${request.env.path}]: install it there`,
  );
  return called;
}

function start_error(type: string, command: string, folder: string, timeout_ms: i32): CniError {
  if (failure_errno == ETIMEDOUT) {
    return new CniError(
      Code.TryAgainLater,
      `plugin "${type}" did not end its ${command} within ${timeout_ms / 1000} s and was killed`,
    );
  }
  if (failure_errno == EACCES) {
    return new CniError(Code.InvalidConfig, `${folder}/${type} cannot be executed: chmod 0755`);
  }
  return os_error(`execute ${folder}/${type}`, Code.Io);
}

/** The beginning of what a plugin said; half a character at the cut would not be UTF-8. */
function excerpt(said: string): string {
  if (said.length <= EXCERPT_LENGTH) return said;
  const last = said.charCodeAt(EXCERPT_LENGTH - 1);
  return said.substring(0, EXCERPT_LENGTH - i32(last >= 0xd800 && last < 0xdc00));
}

/** What a plugin that failed wants to say, however badly it says it. */
function error_of(type: string, command: string, ended: Ended): CniError | null {
  if (ended.exit_code == 0) return null;
  const how =
    ended.signal.length > 0 ? `signal: ${ended.signal}` : `exit status ${ended.exit_code}`;
  if (ended.stdout.length == 0) {
    const words = ended.stderr.trim();
    return new CniError(
      Code.Internal,
      words.length == 0
        ? `plugin "${type}" failed with no error message: ${how}`
        : `plugin "${type}" failed: "${words}": ${how}`,
    );
  }
  const bytes = new Utf8(ended.stdout);
  const parsed = json_parse(bytes.ptr, bytes.len);
  const code = parsed.value.get("code");
  const msg = parsed.value.get("msg");
  const number = code && code.isInteger() ? code.integer() : 0;
  // Code 0 would be no error, and one that does not fit might become it.
  if (number < 1 || number > i32.MAX_VALUE || !msg || msg.kind != Kind.String) {
    return new CniError(
      Code.Decode,
      `plugin "${type}" failed (${how}) and its error cannot be read: see its documentation`,
      excerpt(ended.stdout),
    );
  }
  const details = parsed.value.get("details");
  const text = details && details.kind == Kind.String ? details.text : "";
  // A plugin older than the command has nothing to do for it (libcni treats it so).
  const old = command == "GC" || command == "STATUS";
  if (old && msg.text.startsWith("unknown CNI_COMMAND")) return null;
  const said = msg.text.length > 0 ? msg.text : `plugin "${type}" failed and does not say why`;
  return new CniError(<i32>number, said, text);
}

/** An ADD of a foreign plugin, which its DEL takes back: with the configuration of this call. */
class Delegated extends Effect {
  constructor(
    private request: Request,
    private type: string,
  ) {
    super();
  }
  undo(site: Site, errors: CniError[]): bool {
    // Often the very delegate whose ADD failed: its error is told already, this one is for a log.
    const error = delegate_call(this.request, this.type, "DEL").error;
    if (error) log(`undo: ${error.toString()}`);
    return true;
  }
}

export class Foreign extends Plugin {
  constructor(private type: string) {
    super();
  }

  get uses_netns(): bool {
    return false;
  }

  /** Nothing is known of it here: rows of known ones are plugins/foreign.ts. */
  describe(type: Type): void {
    type.ours = false;
  }

  reach(request: Request, into: Reach): void {
    into.execute(this.type);
  }

  load(request: Request): CniError | null {
    return request.reader.error;
  }

  add(request: Request, adding: Adding): Outcome {
    // Noted first: a delegate that fails may have taken something all the same (spec section 4).
    adding.note(new Delegated(request, this.type));
    // It may call one of ours, which is to find what is known of the attachment.
    const unwritten = adding.write();
    if (unwritten) return failed(unwritten);
    const called = delegate_call(request, this.type, "ADD");
    adding.others_ran();
    if (called.error) return failed(called.error);
    const bytes = new Utf8(called.said);
    const document = json_parse(bytes.ptr, bytes.len);
    const reader = new Reader(document);
    if (document.failed || !usable(document)) {
      return failed(
        new CniError(
          Code.Decode,
          `plugin "${this.type}" succeeded but its result cannot be read: see its documentation`,
          excerpt(called.said),
        ),
      );
    }
    if (document.value.kind == Kind.Null) document.value = JsonValue.object();
    const result = result_read(reader, document.value, request.version);
    const wrong = reader.error;
    if (!wrong) return new Outcome(result);
    return failed(new CniError(wrong.code, `the result of plugin "${this.type}": ${wrong.msg}`));
  }

  check(request: Request): CniError | null {
    return delegate_call(request, this.type, "CHECK").error;
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    const error = delegate_call(request, this.type, "DEL").error;
    if (error) errors.push(error);
  }

  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    const error = delegate_call(request, this.type, "GC").error;
    if (error) errors.push(error);
  }

  status(request: Request): CniError | null {
    return delegate_call(request, this.type, "STATUS").error;
  }
}

/** An object, or null, which libcni takes for an empty one. */
function usable(document: Parsed): bool {
  return document.value.kind == Kind.Object || document.value.kind == Kind.Null;
}
