// SPDX-License-Identifier: Apache-2.0
// A flow that connection tracking remembers: what is read and forgotten is conntrack.ts.
import { Ip } from "../lib/ip";

export class Flow {
  constructor(
    public line: string,
    public protocol: i32,
    public dst: Ip,
    public dport: i32,
    public reply_src: Ip,
  ) {}
}
