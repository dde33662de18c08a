// SPDX-License-Identifier: Apache-2.0
// One call of a plugin: its environment and its configuration, decoded and validated in the order
// of the reference's skel package (environment, stdin, name, cniVersion, command, version match).
// It knows no plugin's own keys.

import { failure_errno } from "../host/failure";
import { stdin_read } from "../host/store";
import { EFBIG } from "../lib/errno";
import { JsonValue, json_parse, Kind, Parsed } from "../lib/json";
import { identifier_valid } from "../lib/name";
import { Element } from "../nft/element";
import { Environment } from "./environment";
import { CniError, Code, os_error } from "./error";
import { Reach } from "./reach";
import { Reader } from "./reader";
import { result_read } from "./result";
import { Result } from "./types";
import { IMPLIED, SUPPORTED, version_before, version_number, version_supported } from "./version";

/** A larger configuration is refused; real ones are a few KiB, a GC of 10,000 pods about 2 MiB. */
export const CONFIG_LIMIT_BYTES: i32 = 8 << 20;

export class Request {
  document: Parsed = new Parsed(0, 0);
  config: JsonValue = JsonValue.object();
  reader: Reader = new Reader(this.document);
  version: string = IMPLIED;
  /** The network's name; "" when it is missing or unusable. */
  network: string = "";
  /** Handle of CNI_NETNS; 0 when it is not open. */
  netns: i32 = 0;
  /**
   * What the plugins want in sets of nftables: set by one transaction at the end of ADD, looked for
   * at the end of CHECK. The plugins of a fused chain share it.
   */
  nft: Element[] = [];
  /** Whether a record said so, for others to read. */
  nft_noted: bool = false;
  /** How far the call reaches. */
  reach: Reach = new Reach();
  /** CNI_NETNS could not be opened although it may be there: it may hold what DEL is to remove. */
  netns_unknown: bool = false;
  /** CHECK: there is no record of the attachment, so nothing that only ours would have made. */
  unrecorded: bool = false;

  constructor(
    /** The CNI type the program was called as. */
    public type: string,
    public env: Environment,
  ) {}

  get deleting(): bool {
    return this.env.command == "DEL";
  }

  /** Reads and decodes stdin. What could be decoded is kept even when this gives an error. */
  decode(): CniError | null {
    const bytes = stdin_read(CONFIG_LIMIT_BYTES);
    if (!bytes) {
      if (failure_errno != EFBIG) return os_error("read the configuration from stdin", Code.Io);
      const limit = CONFIG_LIMIT_BYTES >> 20;
      return new CniError(
        Code.Decode,
        `the network configuration is larger than ${limit} MiB: shorten it`,
      );
    }
    const document = json_parse(bytes.ptr, bytes.len);
    if (document.failed) {
      return new CniError(
        Code.Decode,
        `cannot decode the network configuration: ${document.problem}`,
        document.position(document.offset),
      );
    }
    this.document = document;
    this.reader = new Reader(document);
    if (!this.reader.isObject(document.value, "the network configuration")) {
      return this.reader.error;
    }
    this.config = document.value;
    return this.decodeHeader();
  }

  private decodeHeader(): CniError | null {
    const name = this.reader.string(this.config, "name");
    const version = this.reader.string(this.config, "cniVersion");
    if (version.length > 0) this.version = version;
    if (identifier_valid(name)) {
      this.network = name;
    } else if (name.length == 0) {
      this.reader.invalid(`missing network name: add "name" to the network configuration`);
    } else {
      this.reader.invalid(
        `invalid characters found in network name "${name}": use letters, digits, '.', '_', '-'`,
        this.config.get("name"),
      );
    }
    return this.reader.error;
  }

  /**
   * Whether the command may be used with the configuration's version, and we speak that version.
   */
  versionProblem(): CniError | null {
    if (version_number(this.version) < 0) {
      return new CniError(
        Code.Decode,
        `cniVersion "${this.version}" is not a version: write 1.0.0`,
      );
    }
    const command = this.env.command;
    if (!this.env.known) {
      return new CniError(
        Code.InvalidEnvironment,
        `unknown CNI_COMMAND: ${command}: use ADD, DEL, CHECK, GC, STATUS or VERSION`,
      );
    }
    const late = command == "GC" || command == "STATUS";
    if (
      (command == "CHECK" && version_before(this.version, "0.4.0")) ||
      (late && version_before(this.version, "1.1.0"))
    ) {
      const first = late ? "1.1.0" : "0.4.0";
      return new CniError(
        Code.IncompatibleVersion,
        `config version does not allow ${command}: it needs cniVersion ${first} or later`,
        `cniVersion is "${this.version}"`,
      );
    }
    if (version_supported(this.version)) return null;
    return new CniError(
      Code.IncompatibleVersion,
      "incompatible CNI versions: correct cniVersion in the network configuration",
      `config is "${this.version}", plugin supports ["${SUPPORTED.join('" "')}"]`,
    );
  }

  /** runtimeConfig, or null. */
  runtimeConfig(): JsonValue | null {
    return this.reader.object(this.config, "runtimeConfig");
  }

  /** args.cni, or null. */
  cniArgs(): JsonValue | null {
    const args = this.reader.object(this.config, "args");
    return args ? this.reader.object(args, "cni") : null;
  }

  /** prevResult in canonical form; null when absent. Problems land in the reader. */
  prevResult(): Result | null {
    const value = this.config.get("prevResult");
    if (!value) return null;
    if (value.kind != Kind.Object) {
      this.reader.isObject(value, '"prevResult"');
      return null;
    }
    return result_read(this.reader, value, this.version);
  }

  /** What names and addresses of this attachment are hashed from. */
  identity(part: string): string {
    return identity_of(this.network, this.env.containerID, this.env.ifname, part);
  }
}

export function identity_of(
  network: string,
  containerID: string,
  ifname: string,
  part: string,
): string {
  return `${network}\0${containerID}\0${ifname}\0${part}`;
}
