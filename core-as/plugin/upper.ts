// SPDX-License-Identifier: Apache-2.0
// A main plugin whose interface lies on another link, its master, as a macvlan does: the steps that
// such types have in common. How a kind is made is its type's.
import { Adding } from "../attach/adding";
import { failure_errno } from "../host/failure";
import { HOST, Link, link_get, link_get_index, link_set_name, sysctl_write } from "../host/kernel";
import { ENODEV, EOPNOTSUPP } from "../lib/errno";
import { name_from } from "../lib/name";
import { check_failed } from "../net/check";
import { Inside, inside_unrecorded } from "../net/inside";
import { Lower } from "../net/lower";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { Result } from "../spec/types";
import { why } from "../spec/why";
import { Main } from "./main";

/** The name under which STATUS asks for a link that must be refused. */
const PROBE = "fairlead-probe";

export abstract class Upper extends Main {
  protected lower: Lower = new Lower();
  protected inside: Inside = new Inside(this.kind);

  /** The words of ip(8) for the mode; "" for a kind that has none. */
  protected get mode(): string {
    return "";
  }
  /** What the kernel's module of the kind is called. */
  protected get module(): string {
    return this.kind;
  }
  /** Asks the kernel for the link on another, 0 for none; less than 0 when it refuses. */
  protected abstract ask(lower: i32, netns: i32, name: string): i32;
  /** What to do about a refusal, "" when the kernel's words say all. */
  protected abstract cure(errno: i32, adding: Adding): string;
  /** The hardware address that it is to have; "" when the link below decides. */
  protected address(adding: Adding): string {
    return "";
  }

  protected read(request: Request): CniError | null {
    this.lower.read(request);
    this.enabledad = request.reader.bool(request.config, "enabledad", true);
    return null;
  }

  protected ready(request: Request): CniError | null {
    const lower = this.lower;
    const error = lower.find(request);
    if (error || lower.in_container) return error;
    // Before Linux 6.15 a new link's name must be free where its master lies, too.
    const ifname = request.env.ifname;
    if (link_get(lower.ns, ifname)) this.inside.born = name_from("fl", request.identity("born"));
    else if (failure_errno != ENODEV) return os_error(`look for "${ifname}" on the host`);
    return null;
  }

  protected note(adding: Adding): void {
    this.inside.note(adding, this.address(adding));
  }

  protected make(request: Request, result: Result, adding: Adding): CniError | null {
    const ifname = request.env.ifname;
    const article = this.kind == "ipvlan" ? "an" : "a";
    const tried = `make ${article} ${this.kind} "${ifname}" on "${this.lower.link.name}"`;
    const born = this.inside.born;
    const lower = this.lower.link.ifindex;
    if (this.ask(lower, request.netns, born.length > 0 ? born : ifname) < 0) {
      return this.refused(tried, adding);
    }
    let link = this.inside.made(adding);
    if (link && born.length > 0) {
      if (link_set_name(request.netns, link.ifindex, ifname) < 0) return os_error(tried);
      link = link_get_index(request.netns, link.ifindex);
    }
    if (!link) return os_error(`read "${ifname}" in ${request.env.netns}`);
    this.link = link;
    if (isDefined(FAIRLEAD_TELLS)) this.tell_lower(request);
    return null;
  }

  /** What a type has to say beyond its master. */
  protected tell_more(): void {}

  private tell_lower(request: Request): void {
    const lower = this.lower;
    const none = `no "master": the interface of the default route ${lower.place}`;
    why("master", lower.link.name, lower.master.length > 0 ? `"master" names it` : none);
    const usual = request.config.text_at("mode").length == 0;
    if (this.mode.length > 0) why("mode", this.mode, usual ? `no "mode"` : `"mode" says so`);
    this.tell_more();
    const born = this.inside.born;
    if (born.length == 0) return;
    why("name at first", born, "its own is taken where the master lies: older kernels refuse that");
  }
  protected mtu_because(): string {
    return `no "mtu": that of its master "${this.lower.link.name}"`;
  }
  protected mac_because(): string {
    return `that of its master "${this.lower.link.name}"`;
  }

  private refused(tried: string, adding: Adding): CniError {
    const error = os_error(tried);
    const errno = failure_errno;
    const cure = errno == EOPNOTSUPP && this.unknown ? this.load_it : this.cure(errno, adding);
    if (cure.length > 0) error.msg += `: ${cure}`;
    return error;
  }

  /** Whether the kernel has no such kind: without a link below it must refuse in another way. */
  private get unknown(): bool {
    return this.ask(0, HOST, PROBE) < 0 && failure_errno == EOPNOTSUPP;
  }
  private get load_it(): string {
    return `load the module ${this.module} (modprobe ${this.module})`;
  }

  /** What to do when the master's frames go elsewhere; `type`: the one that may take them. */
  protected busy(type: string): string {
    const master = this.lower.link;
    return master.master != 0
      ? `"${master.name}" is a port of a bridge or bond: name that as "master"`
      : `"${master.name}" carries ${type}s: use the type ${type}, or name another master`;
  }

  protected configure(request: Request, result: Result, adding: Adding): CniError | null {
    // Neighbours on the wire may know a former owner of the address. Nice to have, as arp_notify.
    sysctl_write(request.netns, `net/ipv6/conf/${this.link.name}/ndisc_notify`, "1");
    return super.configure(request, result, adding);
  }

  protected verify(request: Request, result: Result): CniError | null {
    const link: Link = this.link;
    if (link.mode != this.mode) {
      return check_failed(`interface "${link.name}" is in mode ${link.mode}, not ${this.mode}`);
    }
    // Without a name the default route led to it, and may lead elsewhere by now.
    if (this.lower.master.length == 0) return null;
    const missing = this.lower.look(request);
    if (missing) return check_failed(missing.msg);
    const master = this.lower.link;
    // A link on one of its own kind lies beside that. 0: very old kernels do not say.
    if (link.lower == 0 || link.lower == master.ifindex || master.kind == this.kind) return null;
    return check_failed(`interface "${link.name}" does not lie on its master "${master.name}"`);
  }

  protected unmake(request: Request, errors: CniError[]): void {
    inside_unrecorded(request, this.kind, errors);
  }

  status(request: Request): CniError | null {
    if (this.unknown) {
      const error = os_error(`ask the kernel for a ${this.kind}`, Code.NotAvailable);
      error.msg += `: ${this.load_it}`;
      return error;
    }
    // A container's own links are nobody's to know before it is there.
    const error: CniError | null = this.lower.in_container ? null : this.lower.find(request);
    if (!error) return super.status(request);
    error.code = Code.NotAvailable;
    return error;
  }
}
