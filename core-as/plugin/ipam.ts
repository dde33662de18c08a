// SPDX-License-Identifier: Apache-2.0
// IPAM as a main plugin sees it: the plugin named by ipam.type. Ours run inside the same instance,
// a foreign one is executed.

import { Adding } from "../attach/adding";
import { JsonValue, Kind } from "../lib/json";
import { Attachments } from "../spec/attachments";
import { CniError, Code } from "../spec/error";
import { Reach } from "../spec/reach";
import { Request } from "../spec/request";
import { plugin_find, plugin_or_foreign } from "./find";
import { failed, Outcome, Plugin } from "./plugin";
import { Pool } from "./pool";

/** ipam.type, "" when there is none. Tolerates anything: DEL asks it of broken configurations. */
function ipam_type(request: Request): string {
  const ipam = request.config.get("ipam");
  if (!ipam || ipam.kind != Kind.Object) return "";
  const type = ipam.get("type");
  return type && type.kind == Kind.String ? type.text : "";
}

/** ipam.type of a configuration to be acted on; problems land in the reader. */
export function ipam_type_strict(request: Request): string {
  const ipam = request.reader.object(request.config, "ipam");
  return ipam ? request.reader.string(ipam, "type") : "";
}

/** The plugin of an ipam.type; null when that names no file, or one of ours that is no IPAM. */
export function ipam_find(type: string): Plugin | null {
  const plugin = plugin_or_foreign(type);
  return plugin && (plugin.wires || plugin.chained) ? null : plugin;
}

function unknown(type: string): CniError {
  if (plugin_find(type)) {
    return new CniError(
      Code.InvalidConfig,
      `"${type}" is no IPAM plugin: use one such as "host-local"`,
    );
  }
  return new CniError(
    Code.InvalidConfig,
    `invalid plugin name: ${type}: "ipam.type" is the name of a file in CNI_PATH`,
  );
}

/** The ipam object of the configuration, as every IPAM plugin requires it. */
export function ipam_object(request: Request): JsonValue | null {
  const ipam = request.reader.object(request.config, "ipam");
  if (!request.config.get("ipam"))
    request.reader.invalid(`IPAM config missing 'ipam' key: add "ipam": {"type": …}`);
  return ipam;
}

/** Validates the ipam part. `type` is not empty. */
export function ipam_load(request: Request, plugin: Plugin | null): CniError | null {
  return plugin ? plugin.load(request) : unknown(ipam_type(request));
}

/** The addresses it gives, as far as they can be read; none of a plugin that is not ours. */
export function ipam_pools(request: Request): Pool[] {
  const plugin = plugin_find(ipam_type(request));
  return plugin ? plugin.pools(request) : [];
}

/** Takes addresses; a plugin that gives none is an error of its configuration. */
export function ipam_add(request: Request, plugin: Plugin, adding: Adding): Outcome {
  const outcome = plugin.add(request, adding);
  const result = outcome.result;
  if (result && result.ips.length == 0) {
    return failed(
      new CniError(
        Code.InvalidConfig,
        `IPAM plugin "${ipam_type(request)}" returned missing IP config: ` +
          "give it an address or a range",
      ),
    );
  }
  return outcome;
}

/** Whether addresses come over the container's link. Tolerates anything. */
export function ipam_over_link(request: Request): bool {
  const plugin = ipam_find(ipam_type(request));
  return plugin ? plugin.over_link : false;
}

/** Says how far it reaches. */
export function ipam_reach(request: Request, into: Reach): void {
  const plugin = ipam_find(ipam_type(request));
  if (plugin) plugin.reach(request, into);
}

/** Forwards GC, which the spec demands of every plugin that delegates. */
export function ipam_gc(request: Request, valid: Attachments, errors: CniError[]): void {
  const type = ipam_type(request);
  if (type.length == 0) return;
  const plugin = ipam_find(type);
  if (plugin) plugin.gc(request, valid, errors);
  else errors.push(unknown(type));
}

/** Gives addresses back, whatever state the rest of the configuration is in. */
export function ipam_del(request: Request, recorded: bool, errors: CniError[]): void {
  const type = ipam_type(request);
  if (type.length == 0) return;
  const plugin = ipam_find(type);
  if (plugin) plugin.del(request, recorded, errors);
  else errors.push(unknown(type));
}

/** Why the results of old versions cannot hold what the configuration asks for. */
export function too_many(request: Request): CniError {
  return new CniError(
    Code.InvalidConfig,
    `CNI version ${request.version} does not support more than 1 address per family: ` +
      "use 0.3.0 or later",
  );
}
