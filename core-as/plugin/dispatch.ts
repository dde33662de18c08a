// SPDX-License-Identifier: Apache-2.0
// One command from environment to answer: which plugin, which step next, what is printed.
// The order of validation is the reference's; it knows no plugin's keys and no kernel operation but
// the opening of CNI_NETNS.

import { Adding, Keeps } from "../attach/adding";
import { attachments_gc, records_of } from "../attach/collect";
import { Leaving, Maker } from "../attach/leaving";
import { nft_check, nft_note, nft_set, nft_unset } from "../attach/nft";
import { reach_hold } from "../attach/reach";
import { shared_take } from "../attach/shared";
import { failure_errno } from "../host/failure";
import { HOST, netns_open, netns_same } from "../host/kernel";
import { log } from "../host/store";
import { EINVAL, ENOENT } from "../lib/errno";
import { state_dir_move } from "../lib/state-dir";
import { Attachments } from "../spec/attachments";
import { Environment } from "../spec/environment";
import { CniError, Code, join_errors, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { error_print, result_print } from "../spec/result";
import { SUPPORTED, version_document, version_supported } from "../spec/version";
import { plugin_find, type_names } from "./find";
import { check_one, kept_del, kept_reach, stranger, unrecorded } from "./kept";
import { failed, Outcome, Plugin } from "./plugin";

/** What goes to standard output, and the error that it is, if any. */
export class Answer {
  constructor(
    public text: string,
    public error: CniError | null = null,
  ) {}
  get failed(): bool {
    return this.error !== null;
  }
}

/** The answer of an error, in a version the caller understands. */
export function refuse(error: CniError, version: string): Answer {
  const latest = SUPPORTED[SUPPORTED.length - 1];
  return new Answer(error_print(error, version_supported(version) ? version : latest), error);
}

/** What is to be done with a result before an ADD counts as done: if it fails, so does the ADD. */
export abstract class Last {
  abstract keep(result: string): CniError | null;
  /** Takes back what keep did. */
  abstract drop(): void;
}

/** Serves one command. */
export function dispatch(type: string, env: Environment): Answer {
  const request = new Request(type, env);
  const plugin = plugin_find(type);
  if (!plugin) {
    const known = type_names().join(", ");
    const error = new CniError(
      Code.InvalidConfig,
      `no plugin type "${type}": install the program under one of these names: ${known}`,
    );
    return refuse(error, "");
  }
  if (env.command.length == 0) {
    log(`CNI ${type} plugin of Fairlead`);
    log(`CNI protocol versions supported: ${SUPPORTED.join(", ")}`);
    return new Answer("");
  }
  const problem = env.problem();
  if (problem) return refuse(problem, "");
  state_dir_move(env.state_dir);
  if (env.command == "VERSION") return new Answer(version_document());
  const wrong = request.decode();
  if (env.command == "DEL") return del(request, plugin, wrong ? wrong : request.versionProblem());
  if (wrong) return refuse(wrong, request.version);
  const version = request.versionProblem();
  if (version) return refuse(version, request.version);
  return perform(request, plugin);
}

/** ADD, CHECK, STATUS and GC of a well-formed request. */
export function perform(request: Request, plugin: Plugin, last: Last | null = null): Answer {
  const command = request.env.command;
  if (command == "GC") return gc(request, plugin);
  const invalid = plugin.load(request);
  if (invalid) return refuse(invalid, request.version);
  plugin.reach(request, request.reach);
  if (command == "STATUS") {
    let error = reach_hold(request, []);
    if (!error) error = plugin.status(request);
    return error ? refuse(error, request.version) : new Answer("");
  }
  if (plugin.uses_netns) {
    const error = open_netns(request);
    if (error) return refuse(error, request.version);
  }
  if (command == "ADD") return add(request, plugin, last);
  request.unrecorded = unrecorded(request, plugin);
  request.reach.stranger = request.unrecorded;
  kept_reach(request, plugin, request.reach);
  let error = reach_hold(request, []);
  if (!error) error = check_one(request, plugin);
  if (!error) error = nft_check(request);
  return error ? refuse(stranger(request, error), request.version) : new Answer("");
}

/** A list that cannot be read is not acted on; without any there is nothing to compare with. */
function gc(request: Request, plugin: Plugin): Answer {
  const valid = new Attachments();
  valid.read(request.reader, request.config);
  const invalid = request.reader.error;
  if (invalid) return refuse(invalid, request.version);
  const errors = new Array<CniError>();
  const sets = plugin.nft_sets(request);
  plugin.reach(request, request.reach);
  const unheld = reach_hold(request, records_of(request.network));
  if (unheld) return refuse(unheld, request.version);
  if (valid.given && plugin.wires) attachments_gc(request, "", [], valid, errors);
  else if (valid.given && plugin.chained) {
    attachments_gc(request, request.type, sets, valid, errors);
  }
  if (valid.given) plugin.gc(request, valid, errors);
  const error = join_errors(errors);
  return error ? refuse(error, request.version) : new Answer("");
}

function add(request: Request, plugin: Plugin, last: Last | null): Answer {
  const keeps = plugin.wires ? Keeps.Whole : plugin.chained ? Keeps.Chained : Keeps.Nothing;
  const adding = new Adding(request, keeps);
  const errors = new Array<CniError>();
  const begun = adding.begin();
  const outcome = begun ? failed(begun) : plugin.add(request, adding);
  const result = outcome.result;
  if (result) {
    const text = result_print(result, request.version);
    const error = text.length == 0 ? unprintable(request) : finish(adding, last, text);
    if (!error) {
      adding.end();
      return new Answer(text);
    }
    errors.push(error);
  } else {
    const error = outcome.error;
    errors.push(error ? error : new CniError(Code.Internal, "ADD gave neither result nor error"));
  }
  if (!begun) adding.unwind(errors);
  nft_unset(request, errors);
  adding.end();
  return refuse(joined(errors), request.version);
}

function unprintable(request: Request): CniError {
  return new CniError(
    Code.IncompatibleVersion,
    "cannot convert: no valid IP addresses: " +
      `a result of cniVersion ${request.version} needs one, use 0.3.0 or later`,
  );
}

/**
 * The last changes of an ADD, after all that is likelier to fail: what others come to rely on, what
 * is in nftables, one transaction, and what cannot be given back exactly.
 */
function finish(adding: Adding, last: Last | null, result: string): CniError | null {
  if (last) {
    const error = last.keep(result);
    if (error) return error;
  }
  const gone = nft_note(adding);
  let error = shared_take(adding, adding.later);
  if (!error) error = nft_set(adding, gone);
  for (let i = 0; i < adding.later.length && !error; i++) error = adding.later[i].finish();
  if (error && last) last.drop();
  return error;
}

function joined(errors: CniError[]): CniError {
  const error = join_errors(errors);
  return error ? error : new CniError(Code.Internal, "an error without a message");
}

/**
 * DEL does all it can whatever is wrong, and then says what was wrong. A namespace that is missing,
 * is none any more or is the host's own has nothing of the container left in it: that is no error.
 */
export function del(request: Request, plugin: Plugin, wrong: CniError | null): Answer {
  const errors = new Array<CniError>();
  if (wrong) errors.push(wrong);
  if (plugin.uses_netns && request.env.netns.length > 0) {
    const error = open_netns(request);
    if (error && error.code == Code.InvalidNetns) {
      const said = error.msg.replace(": the runtime must make the namespace first", "");
      log(`${said}; nothing to remove there`);
    } else if (error) {
      errors.push(error);
      request.netns_unknown = true;
    }
  }
  plugin.reach(request, request.reach);
  kept_reach(request, plugin, request.reach);
  if (plugin.wires || plugin.chained) {
    const error = leave(request, plugin, errors);
    if (error) return refuse(error, request.version);
  } else {
    const unheld = reach_hold(request, []);
    if (unheld) errors.push(unheld);
    plugin.del(request, false, errors);
  }
  const error = join_errors(errors);
  return error ? refuse(error, request.version) : new Answer("");
}

/** Takes away what is recorded, then what is not; an error when another call is at work. */
function leave(request: Request, plugin: Plugin, errors: CniError[]): CniError | null {
  // A chain is read for it, and tells then whether it wires.
  const sets = plugin.nft_sets(request);
  const leaving = new Leaving(request, plugin.wires ? "" : request.type);
  const busy = leaving.begin();
  if (busy) return busy;
  const before = errors.length;
  leaving.walk(errors);
  leaving.elements_unrecorded(sets, errors);
  if (leaving.maker != Maker.Us) kept_del(request, plugin, leaving.maker, errors);
  plugin.del(request, leaving.recorded, errors);
  leaving.end(before, errors);
  return null;
}

/** Opens CNI_NETNS and refuses the host's own before anything is done in it. */
function open_netns(request: Request): CniError | null {
  const path = request.env.netns;
  const handle = netns_open(path);
  if (handle < 0) {
    if (failure_errno == ENOENT) {
      return new CniError(
        Code.InvalidNetns,
        `CNI_NETNS ${path} does not exist: the runtime must make the namespace first`,
      );
    }
    if (failure_errno == EINVAL) {
      return new CniError(
        Code.InvalidNetns,
        `CNI_NETNS ${path} is not a network namespace: pass a path such as /run/netns/NAME`,
      );
    }
    return os_error(`open CNI_NETNS ${path}`);
  }
  const same = request.env.netns_override ? 0 : netns_same(handle, HOST);
  if (same < 0) return os_error(`compare CNI_NETNS ${path} with the host's own namespace`);
  if (same == 1) {
    return new CniError(
      Code.InvalidNetns,
      `plugin's netns and netns from CNI_NETNS should not be the same: ${path} is the host's own`,
    );
  }
  request.netns = handle;
  return null;
}
