// SPDX-License-Identifier: Apache-2.0
// Where a requested hardware address comes from: the configuration < CNI_ARGS MAC < args.cni.mac <
// runtimeConfig.mac.
import { mac_normal } from "../lib/name";
import { CniArgs } from "../spec/args";
import { CniError, Code } from "../spec/error";
import { Request } from "../spec/request";

export class RequestedMac {
  mac: string = "";
  error: CniError | null = null;
}

/** `configured`: what the type's own key says, "" without one. */
export function mac_requested(request: Request, configured: string = ""): RequestedMac {
  const requested = new RequestedMac();
  const args = new CniArgs(request.env.args);
  requested.error = args.error;
  let text = args.get("MAC");
  if (text.length == 0) text = configured;
  const cni = request.cniArgs();
  if (cni) text = request.reader.string(cni, "mac", text);
  const runtime = request.runtimeConfig();
  if (runtime) text = request.reader.string(runtime, "mac", text);
  if (text.length == 0 || requested.error) return requested;
  requested.mac = mac_normal(text);
  if (requested.mac.length == 0) {
    requested.error = new CniError(
      Code.InvalidConfig,
      `the requested MAC address "${text}" is not a unicast address such as 02:42:ac:11:00:02`,
    );
  }
  return requested;
}
