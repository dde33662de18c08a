// SPDX-License-Identifier: Apache-2.0
// The plugins of a network together: the order in which they can work, and what each needs of the
// version. Only what is certain to fail is an error.
import { JsonValue } from "../../lib/json";
import { Role } from "../../plugin/type";
import { Code } from "../../spec/error";
import { SUPPORTED, version_before, version_supported } from "../../spec/version";
import { Part, Parts } from "./parts";
import { FileReport } from "./report";

/** Judges order and versions. */
export function chain_check(parts: Parts, file: FileReport): void {
  version_check(parts, file);
  for (let i = 0; i < parts.all.length; i++) member_check(parts.all[i]);
  if (!parts.complete || parts.chain.length == 0) return;
  const first = parts.chain[0];
  if (first.role == Role.Meta) {
    first.file.error(
      `"${first.type}" cannot be first, it works on an interface that is there: ` +
        "put it after the plugin that makes one",
      first.offset,
    );
  }
  makers_check(parts.chain);
  ports_check(parts.chain);
  if (version_before(parts.list.cniVersion, "0.3.0")) layer_2_check(first);
}

/** Types that are out of place wherever they stand in a chain. */
function member_check(part: Part): void {
  if (part.role != Role.Ipam) return;
  part.file.error(
    `"${part.type}" gives addresses to another plugin: ` +
      `put it under "ipam" of the one that makes the interface`,
    part.offset,
  );
}

/** One CNI_IFNAME can be made once; lo is there without. */
function makers_check(chain: Part[]): void {
  let maker = "";
  for (let i = 0; i < chain.length; i++) {
    const part = chain[i];
    if (part.role == Role.Alone && chain.length > 1) {
      part.file.warning(
        `"${part.type}" sets up lo, whatever the rest of the list makes: give it a list of its own`,
        part.offset,
      );
    }
    if (part.role != Role.Main) continue;
    if (maker.length > 0) {
      part.file.error(
        `"${part.type}" would make the interface that "${maker}" has made already: ` +
          "give it a network of its own",
        part.offset,
      );
    }
    maker = part.type;
  }
}

/** What portmap leads to a container is sent by the host, which some links never hear. */
function ports_check(chain: Part[]): void {
  const maker = chain[0].row;
  if (!maker || !maker.beside_host) return;
  for (let i = 1; i < chain.length; i++) {
    const row = chain[i].row;
    if (!row || row.idle_without != "portMappings") continue;
    chain[i].file.warning(
      `ports of the host do not lead to what "${maker.name}" makes: the host's packets for it ` +
        "leave by the master for the wire. Use its own address, or another type",
      chain[i].offset,
    );
  }
}

/** Results had an address before 0.3.0, or could not be written. */
function layer_2_check(part: Part): void {
  const type = part.row;
  if (!type || type.role != Role.Main || part.ipam_type.length > 0 || !type.has_key("ipam")) return;
  part.file.error(
    `without "ipam" cniVersion must be 0.3.0 or later: older results need an address`,
    part.offset,
    Code.IncompatibleVersion,
  );
}

function version_check(parts: Parts, file: FileReport): void {
  const version = parts.list.cniVersion;
  const value = parts.list.file.value;
  const written = value.get("cniVersion");
  if (version.length > 0 && !version_supported(version)) {
    file.error(
      `cniVersion "${version}" is not supported: write one of ${SUPPORTED.join(", ")}`,
      written ? written.offset : value.offset,
      Code.IncompatibleVersion,
    );
  } else if (!written && !value.get("cniVersions")) {
    file.warning(
      `without "cniVersion" ${version} is meant, which has no CHECK: add "cniVersion": "1.0.0"`,
      value.offset,
    );
  }
  feature_check(value, "disableCheck", version, "0.4.0", file);
  feature_check(value, "disableGC", version, "1.1.0", file);
  feature_check(value, "cniVersions", version, "1.1.0", file);
  feature_check(value, "loadOnlyInlinedPlugins", version, "1.1.0", file);
}

/** A key of the list that the version does not have yet. */
function feature_check(
  value: JsonValue,
  key: string,
  version: string,
  since: string,
  file: FileReport,
): void {
  const at = value.get(key);
  if (!at || version.length == 0 || !version_before(version, since)) return;
  file.warning(
    `"${key}" is of cniVersion ${since}, a runtime may ignore it under ${version}: ` +
      "raise cniVersion",
    at.key_offset,
  );
}
