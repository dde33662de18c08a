// SPDX-License-Identifier: Apache-2.0
// One call of the DHCP daemon, ours or the reference's, on its socket (core-as/dhcp/rpc.ts). It
// owns what is said when that fails. It refuses to know what is asked for.
import { Leased } from "../../../dhcp/leased";
import { CmdArgs, HELLO, rpc_answer, rpc_call, text_bytes } from "../../../dhcp/rpc";
import { failure_errno } from "../../../host/failure";
import { socket_call } from "../../../host/plugin";
import { ECONNREFUSED, ENOENT, ETIMEDOUT } from "../../../lib/errno";
import { JsonValue, json_text, Kind } from "../../../lib/json";
import { ByteWriter } from "../../../lib/utf8";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";

const DEFAULT_SOCKET = "/run/cni/dhcp.sock";
/** Longer than the daemon tries by default; a runtime has less patience. */
const ALLOCATE_MS: i32 = 240000;
const LOOK_MS: i32 = 2000;

/** Where the daemon of a network listens. Tolerates anything. */
export function socket_of(request: Request): string {
  const ipam = request.config.get("ipam");
  const given = ipam && ipam.kind == Kind.Object ? ipam.text_at("daemonSocketPath") : "";
  return given.length > 0 ? given : DEFAULT_SOCKET;
}

/** What a daemon is told of a lease by its name alone. */
export function args_for(network: string, containerID: string, ifname: string): CmdArgs {
  const args = new CmdArgs();
  args.containerID = containerID;
  args.ifname = ifname;
  const config = JsonValue.object();
  config.append("cniVersion", JsonValue.string("1.0.0"));
  config.append("name", JsonValue.string(network));
  const ipam = JsonValue.object().set("type", JsonValue.string("dhcp"));
  args.stdin = text_bytes(json_text(config.set("ipam", ipam)));
  return args;
}

/** What a daemon is told of a request: of the configuration what it reads. */
export function args_of(request: Request): CmdArgs {
  const env = request.env;
  const args = args_for(request.network, env.containerID, env.ifname);
  args.netns = env.netns;
  args.args = env.args;
  args.path = env.path;
  const config = JsonValue.object();
  config.append("cniVersion", JsonValue.string(request.version));
  config.append("name", JsonValue.string(request.network));
  const ipam = request.config.get("ipam");
  if (ipam) config.append("ipam", ipam);
  args.stdin = text_bytes(json_text(config));
  return args;
}

/** What came of a call: a lease, nothing, or an error. */
export class Asked {
  leased: Leased | null = null;
  error: CniError | null = null;
  /** No daemon listens there, so none holds a lease. */
  away: bool = false;
}

function unreached(asked: Asked, socket: string): void {
  asked.away = failure_errno == ENOENT || failure_errno == ECONNREFUSED;
  if (asked.away) {
    asked.error = new CniError(
      Code.TryAgainLater,
      `no DHCP daemon listens on ${socket}: start one, "fairlead dhcp daemon"`,
    );
  } else if (failure_errno == ETIMEDOUT) {
    asked.error = new CniError(
      Code.TryAgainLater,
      `the DHCP daemon at ${socket} did not answer in time: see its log`,
    );
  } else asked.error = os_error(`call the DHCP daemon at ${socket}`);
}

/** Calls the daemon. */
export function ask(socket: string, method: string, args: CmdArgs): Asked {
  const asked = new Asked();
  const bytes = socket_call(socket, HELLO, rpc_call(method, args), ALLOCATE_MS);
  if (!bytes) {
    unreached(asked, socket);
    return asked;
  }
  const said = rpc_answer(bytes.ptr, bytes.len);
  if (said.problem.length > 0) {
    asked.away = true;
    asked.error = new CniError(
      Code.Decode,
      `what listens on ${socket} is no DHCP daemon of CNI: ${said.problem}`,
    );
  } else if (said.error.length > 0) {
    asked.error = new CniError(Code.TryAgainLater, `error calling ${method}: ${said.error}`);
  } else asked.leased = said.leased;
  return asked;
}

/** Why no daemon can be called now; null when one listens. */
export function find_daemon(socket: string): CniError | null {
  if (socket_call(socket, "", new ByteWriter(), LOOK_MS)) return null;
  const asked = new Asked();
  unreached(asked, socket);
  const error = asked.error;
  return error ? new CniError(Code.NotAvailable, error.msg, error.details) : null;
}

/** What is said of a lease that could not be released, as nobody keeps it either. */
export function away(error: CniError): string {
  return `${error.msg}; the lease is released when that daemon is back, or ends by itself`;
}
