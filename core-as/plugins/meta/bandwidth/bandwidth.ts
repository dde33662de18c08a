// SPDX-License-Identifier: Apache-2.0
// The CNI type `bandwidth`, chained: how much a container may receive (ingress) and send (egress).
// This file owns the order. Its keys are asked.ts, which interface is limited place.ts, what is
// recorded limits.ts, how it is limited shaper.ts.
import { Adding } from "../../../attach/adding";
import { Bucket } from "../../../host/kernel";
import { log } from "../../../host/store";
import { check_prevResult } from "../../../net/check";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Interface, Result } from "../../../spec/types";
import { why } from "../../../spec/why";
import { asked_in, egress_read, ingress_read, KEYS, Limit, warn } from "./asked";
import { BANDWIDTH, ifb_of, Limited, limits_unrecorded } from "./limits";
import { Place, place_of } from "./place";
import { limits_possible } from "./possible";

export class Bandwidth extends Plugin {
  get chained(): bool {
    return true;
  }
  /** null: no limit. */
  private ingress: Limit | null = null;
  private egress: Limit | null = null;

  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: limits of what a container receives and sends";
    type
      .at(CONFIG, KEYS.join(" "))
      .at(RUNTIME, "bandwidth")
      .at("runtimeConfig.bandwidth", KEYS.join(" "));
    type.idle_without = "bandwidth";
    type.idle_unless = KEYS;
    type.kernel = ["link ifb"];
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const from = asked_in(request);
    if (!from) return reader.error;
    this.ingress = ingress_read(reader, from);
    this.egress = egress_read(reader, from);
    return reader.error;
  }

  add(request: Request, adding: Adding): Outcome {
    const result = check_prevResult(request);
    if (!result) return failed(request.reader.error);
    if (!this.ingress && !this.egress) return new Outcome(result);
    const place = place_of(request, result);
    if (place.error) return failed(place.error);
    if (place.doubt.length > 0) log(place.doubt);
    const error = this.limit(request, place, result, adding);
    return error ? failed(error) : new Outcome(result);
  }

  private tell(place: Place): void {
    const name = place.shaped.link.name;
    const where = place.inside ? `"${name}" in the container` : `the node's end "${name}"`;
    const through = `${where} by an ifb, as only what leaves a link can be limited`;
    const ingress = this.ingress;
    const egress = this.egress;
    if (ingress) {
      const at = `"ingressRate": at ${place.inside ? through : where}`;
      why("receives at most", `${ingress.bucket.rate} bytes a second`, at);
    }
    if (egress) {
      const at = `"egressRate": at ${place.inside ? where : through}`;
      why("sends at most", `${egress.bucket.rate} bytes a second`, at);
    }
  }

  private limit(request: Request, place: Place, result: Result, adding: Adding): CniError | null {
    const shaped = place.shaped;
    const root = place.inside ? this.egress : this.ingress;
    const through = place.inside ? this.ingress : this.egress;
    if (root) warn(shaped.link, root);
    if (through) warn(shaped.link, through);
    if (isDefined(FAIRLEAD_TELLS)) this.tell(place);
    let error: CniError | null = null;
    if (root) error = shaped.root_taken(place.inside ? "egressRate" : "ingressRate");
    if (error) return error;
    const hook = through ? shaped.hook() : null;
    if (hook && hook.error) return hook.error;
    const link = shaped.link;
    const bucket: Bucket | null = !root ? null : root.bucket;
    const limited = new Limited(place.inside, link.name, link.ifindex, bucket, hook);
    limited.fresh = shaped;
    error = adding.ahead(limited);
    if (!error && root) error = shaped.root_add(root.bucket);
    if (error || !through || !hook) return error;
    const ifb = ifb_of(request);
    error = shaped.ifb_add(ifb, through.bucket, hook);
    if (error) return error;
    const item = new Interface(ifb.name, place.inside ? request.env.netns : "");
    item.mac = ifb.address;
    result.interfaces.push(item);
    return null;
  }

  check(request: Request): CniError | null {
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    if (!this.ingress && !this.egress) return null;
    const place = place_of(request, result);
    if (place.error) return place.error;
    const root = place.inside ? this.egress : this.ingress;
    const through = place.inside ? this.ingress : this.egress;
    const error = root ? place.shaped.root_check(root.bucket) : null;
    if (error || !through) return error;
    return place.shaped.ifb_check(ifb_of(request), through.bucket);
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (!recorded) limits_unrecorded(request, errors);
  }

  status(request: Request): CniError | null {
    return limits_possible(ifb_of(request));
  }
}
