// SPDX-License-Identifier: Apache-2.0
// Attachments without a record of ours, such as those of the plugins that had our names before:
// what these made in iptables for one only they know. `fairlead install` keeps them beside ours, as
// TYPE.before-fairlead, and here they are called for what is theirs. It asks them
// only for types that keep in nftables what they kept in iptables.
import { Maker, maker_of } from "../attach/leaving";
import { failure_errno } from "../host/failure";
import { link_get } from "../host/kernel";
import { log } from "../host/store";
import { ENODEV } from "../lib/errno";
import { is_on } from "../net/masquerade";
import { veth_is_ours } from "../net/veth";
import { FLUSHED } from "../nft/present";
import { ReferenceChain } from "../nft/reference";
import { CniError, Code } from "../spec/error";
import { Reach } from "../spec/reach";
import { Request } from "../spec/request";
import { version_before } from "../spec/version";
import { Called, program_call } from "./foreign";
import { Plugin } from "./plugin";
import { Type } from "./type";

const SUFFIX = ".before-fairlead";
/** They may wait for the lock of iptables; a runtime waits for us. */
const TIMEOUT_MS = 20000;
/** For a program that is older than the configuration. */
const OLDER_VERSIONS: string[] = ["1.0.0", "0.4.0"];
/** Codes from here on are of a plugin's work; the others say that it never began (spec 1.1.0). */
const FIRST_OWN_CODE = 100;

/**
 * Whether nothing of ours knows what a type made of the attachment: another plugin made it, or the
 * record is lost, and then the pair does not say that it is ours.
 */
function strange(request: Request, plugin: Plugin, maker: Maker): bool {
  if (maker == Maker.Nobody) return !veth_is_ours(request);
  return maker == Maker.Others && !idle(request, plugin);
}

/** The same, of CHECK. */
export function unrecorded(request: Request, plugin: Plugin): bool {
  if (!plugin.wires && !plugin.chained) return false;
  return strange(request, plugin, maker_of(request, plugin.wires ? "" : request.type));
}

/** Whether a chained type has nothing to do, as the runtime asks nothing of it. */
function idle(request: Request, plugin: Plugin): bool {
  const type = new Type(request.type);
  plugin.describe(type);
  if (type.idle_without.length == 0) return false;
  const runtime = request.config.get("runtimeConfig");
  const asked = runtime ? runtime.get(type.idle_without) : null;
  return !asked || asked.items.length == 0;
}

/** Whether the reference plugin of the type makes what ours does not find. */
function makes_more(request: Request, plugin: Plugin): bool {
  if (!plugin.wires && !plugin.chained) return false;
  return plugin.inner(request).length == 0 && plugin.nft_sets(request).length > 0;
}

/** Says that what install kept of the type is executed for an attachment of its own. */
export function kept_reach(request: Request, plugin: Plugin, into: Reach): void {
  if (makes_more(request, plugin)) into.execute_for_stranger(`${request.type}${SUFFIX}`);
}

/** Calls what install kept of the type, in the newest version that it speaks. */
function kept_call(request: Request, command: string): Called {
  const program = `${request.type}${SUFFIX}`;
  let version = request.version;
  let called = program_call(request, program, command, version, TIMEOUT_MS);
  for (let i = 0; i < OLDER_VERSIONS.length; i++) {
    const error = called.error;
    if (!error || error.code != Code.IncompatibleVersion) break;
    if (!version_before(OLDER_VERSIONS[i], version)) continue;
    version = OLDER_VERSIONS[i];
    called = program_call(request, program, command, version, TIMEOUT_MS);
  }
  return called;
}

/**
 * DEL of an attachment without a record, before the type does its own: what install kept of it
 * takes its part away, and what is left is removed where it is known by name. That the program is
 * missing or broken is said and holds nothing up; a DEL that it refuses is an error while the
 * interface is there, so that the runtime tries again.
 */
export function kept_del(request: Request, plugin: Plugin, by: Maker, errors: CniError[]): void {
  if (!makes_more(request, plugin) || !strange(request, plugin, by)) return;
  const wired = interface_there(request);
  const chain = chain_of(request, plugin);
  const place = chain ? chain.place : "";
  // A second DEL, or one of a container that never was: nobody knows of it, and nothing is left.
  if (!wired && !request.config.get("prevResult") && place.length == 0) return;
  const called = kept_call(request, "DEL");
  const removed = chain !== null && chain.remove();
  const error = called.error;
  // A type of one chain leaves nothing else.
  if (!error || (removed && !is_on(request.config, "macspoofchk"))) return;
  const env = request.env;
  const whose = `"${env.ifname}" of container ${env.containerID}`;
  const see = `see iptables-save, ip6tables-save and nft list ruleset for ${env.containerID}`;
  if (!called.found) {
    log(
      `${request.type}: there is no record of ${whose}, so another plugin wired it, and no ` +
        `${request.type}${SUFFIX} in CNI_PATH that could remove all that it has: ${see}`,
    );
    return;
  }
  const refused = error.code >= FIRST_OWN_CODE || error.code == Code.TryAgainLater;
  const said = `${request.type}${SUFFIX} fails to remove what it has for ${whose}: ${error.msg}`;
  if (wired && refused) errors.push(new CniError(error.code, said, error.details));
  else log(`${said}; its rules may be left: ${see}`);
}

/** The chains that the reference plugin of a type has for the container; null for none. */
function chain_of(request: Request, plugin: Plugin): ReferenceChain | null {
  const id = request.env.containerID;
  if (request.type == "portmap") return ReferenceChain.ports(request.network, id);
  return plugin.wires ? ReferenceChain.masq(request.network, id) : null;
}

/** Whether the container has the interface still; one that cannot be looked for may be there. */
function interface_there(request: Request): bool {
  if (request.netns == 0) return request.netns_unknown;
  return link_get(request.netns, request.env.ifname) !== null || failure_errno != ENODEV;
}

/**
 * CHECK of one plugin, alone or in a chain. For an attachment without a record what install kept of
 * the type answers; where there is none ours does, and `stranger` has the words for what it misses.
 */
export function check_one(request: Request, plugin: Plugin): CniError | null {
  if (!request.unrecorded || !makes_more(request, plugin)) return plugin.check(request);
  const called = kept_call(request, "CHECK");
  const error = called.error;
  if (!called.found) return plugin.check(request);
  if (!error) return null;
  const said = `${request.type}${SUFFIX}, which wired "${request.env.ifname}", says: ${error.msg}`;
  return new CniError(error.code, said, error.details);
}

/** An error of CHECK: what an attachment without a record lacks in nftables nobody has flushed. */
export function stranger(request: Request, error: CniError): CniError {
  if (!request.unrecorded || !error.msg.includes(FLUSHED)) return error;
  const env = request.env;
  const why =
    `; there is no record of "${env.ifname}" of container ${env.containerID}: another plugin ` +
    "wired it, or the record was removed: run DEL and ADD for this container";
  return new CniError(error.code, error.msg.replace(FLUSHED, why), error.details);
}
