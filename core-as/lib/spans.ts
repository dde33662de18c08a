// SPDX-License-Identifier: Apache-2.0
// Spans of addresses, compared by sorting: thousands of them with thousands of others.
import { Ip } from "./ip";

export class Span {
  constructor(
    public first: Ip,
    public last: Ip,
  ) {}
}

export class Spans {
  /** By first address. */
  private sorted: Span[];
  /** The largest last address of the spans up to each. */
  private reach: Ip[] = [];
  /** No address lies in two of them. */
  disjoint: bool = true;

  constructor(spans: Span[]) {
    const sorted = spans.slice();
    sorted.sort((a, b) => a.first.compare(b.first));
    this.sorted = sorted;
    for (let i = 0; i < sorted.length; i++) {
      const last = sorted[i].last;
      const before = i > 0 ? this.reach[i - 1] : last;
      if (i > 0 && sorted[i].first.compare(before) <= 0) this.disjoint = false;
      this.reach.push(before.compare(last) > 0 ? before : last);
    }
  }
  /** Whether an address of the span lies in one of these. */
  meets(first: Ip, last: Ip): bool {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle].first.compare(last) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.reach[low - 1].compare(first) >= 0;
  }
}
