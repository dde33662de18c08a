// The IPAM type `host-local`: one address per range set out of local leases. This file owns what it
// does at each command. Its keys are plan.ts, the choice of addresses claim.ts, files leases.ts.
import { Adding } from "../../../attach/adding";
import { leases_recorded } from "../../../attach/living";
import { log } from "../../../host/store";
import { check_failed } from "../../../net/check";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { Pool } from "../../../plugin/pool";
import { ARGS, CNI_ARGS, IPAM, Role, RUNTIME, Type } from "../../../plugin/type";
import { Written } from "../../../plugin/written";
import { Attachments } from "../../../spec/attachments";
import { CniError, Code } from "../../../spec/error";
import { Reach } from "../../../spec/reach";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import { exhausted } from "./allocate";
import { claim } from "./claim";
import { LeasesTaken } from "./leases-taken";
import { lease_dir, leases_of, located } from "./located";
import { Plan, ranges_stand_in } from "./plan";
import { pools_read } from "./ranges";
import { resolv_conf } from "./resolv-conf";

export class HostLocal extends Plugin {
  private plan: Plan = new Plan();

  get uses_netns(): bool {
    return false;
  }

  pools(request: Request): Pool[] {
    const ipam = request.config.get("ipam");
    return ipam ? pools_read(request, ipam) : new Array<Pool>();
  }

  describe(type: Type): void {
    type.role = Role.Ipam;
    type.about = "IPAM: addresses from ranges, leases in /var/lib/cni/networks";
    type
      .at(
        IPAM,
        "type ranges subnet rangeStart rangeEnd gateway routes dataDir resolvConf statusWhenFull",
      )
      .at(ARGS, "ips")
      .at(RUNTIME, "ips ipRanges")
      .at(CNI_ARGS, "IP");
  }

  reach(request: Request, into: Reach): void {
    into.write(lease_dir(request));
  }

  load(request: Request): CniError | null {
    return this.plan.read(request);
  }

  stand_in(written: Written): void {
    ranges_stand_in(written);
  }

  add(request: Request, adding: Adding): Outcome {
    const result = new Result();
    result.routes = this.plan.routes;
    if (this.plan.resolvConf.length > 0) {
      const error = resolv_conf(this.plan.resolvConf, result.dns);
      if (error) return failed(error);
    }
    const taken = new LeasesTaken(this.plan.dataDir, true);
    const unwritten = adding.ahead(taken);
    if (unwritten) return failed(unwritten);
    const leases = leases_of(this.plan.dataDir, request);
    if (!leases.open(true)) return failed(leases.error);
    const error = claim(this.plan, request, leases, result, taken.ips);
    leases.close();
    return error ? failed(error) : new Outcome(result);
  }

  check(request: Request): CniError | null {
    const leases = leases_of(this.plan.dataDir, request);
    let found = false;
    if (leases.open(false)) {
      found = leases.find().length > 0;
      leases.close();
    }
    if (leases.error) return leases.error;
    if (found) return null;
    return check_failed(
      `host-local: Failed to find address added by container ${request.env.containerID}`,
    );
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (recorded) return;
    const leases = located(request, errors);
    if (leases) leases.release_all(errors);
  }

  /** Leases of attachments that are not valid go, and zero-byte ones, which nobody owns. */
  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    const leases = located(request, errors);
    if (!leases) return;
    if (leases.open(false)) {
      for (const lease = leases.all(); lease.next(); ) {
        const owner = lease.owner;
        const unread = lease.error;
        if (unread) errors.push(unread);
        const stale = owner.length > 0 && !valid.has(owner);
        // Of an ADD at work, of another host, or of a GC that could not do all: by its record.
        if (lease.empty || (stale && !leases_recorded(owner, request.network))) {
          leases.release(lease.name, owner);
        }
      }
      leases.close();
    }
    const error = leases.error;
    if (error) errors.push(error);
  }

  status(request: Request): CniError | null {
    const leases = leases_of(this.plan.dataDir, request);
    let full: CniError | null = null;
    if (leases.open(false)) {
      for (let i = 0; i < this.plan.sets.length && !full; i++) {
        full = exhausted(this.plan.sets[i], leases, leases.last(i));
      }
      leases.close();
    }
    const error = leases.error;
    if (error) return new CniError(Code.NotAvailable, error.msg, error.details);
    if (!full || this.plan.statusWhenFull) return full;
    // It ends when pods go; an error would make the whole node unready: see docs/rationale.md.
    log(`host-local: ${full.toString()}`);
    return null;
  }
}
