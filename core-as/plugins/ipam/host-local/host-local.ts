// The IPAM type `host-local`: one address per range set out of local leases. This file owns what it
// does at each command. Its keys are plan.ts, the choice of addresses claim.ts, files leases.ts.
import { Adding } from "../../../attach/adding";
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
import { leases_collect } from "./collect";
import { Leases } from "./leases";
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

  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    const leases = located(request, errors);
    if (leases) leases_collect(request, leases, valid, errors);
  }

  /** Why a range set of the configuration has no free address now, when one has none. */
  private full(leases: Leases): CniError | null {
    let full: CniError | null = null;
    if (leases.open(false)) {
      for (let i = 0; i < this.plan.sets.length && !full; i++) {
        full = exhausted(this.plan.sets[i], leases, leases.last(i));
      }
      leases.close();
    }
    return full;
  }

  /** What keeps the next container from getting an address, though STATUS is content. */
  advise(written: Written): void {
    const request = written.request;
    if (this.plan.sets.length == 0 && this.plan.read(request)) return;
    if (request.reader.error) return;
    const full = this.full(leases_of(this.plan.dataDir, request));
    if (full) written.warning(full.toString(), written.offset);
  }
  status(request: Request): CniError | null {
    const leases = leases_of(this.plan.dataDir, request);
    const full = this.full(leases);
    const error = leases.error;
    if (error) return new CniError(Code.NotAvailable, error.msg, error.details);
    if (!full || this.plan.statusWhenFull) return full;
    // It ends when pods go; an error would make the whole node unready: see docs/rationale.md.
    log(`host-local: ${full.toString()}`);
    return null;
  }
}
