// SPDX-License-Identifier: Apache-2.0
// The ways by which outer packets leave this node: by which link, with which MTU, and to which
// other nodes without a router between. A host asks the kernel for them (RTM_GETROUTE).
import { JsonValue, json_text, Kind } from "../lib/json";
import { number, truth } from "./node";

/** The link of an address of this node. */
export class Underlay {
  constructor(
    public v6: bool,
    public address: string,
    public dev: string,
    public mtu_bytes: i32,
  ) {}
}

/** The way to an address of another node. */
export class Path {
  constructor(
    public dev: string,
    /** "" for a neighbour. */
    public gateway: string,
    /** That of its link, or of its route where that is less. */
    public mtu_bytes: i32,
  ) {}
  get text(): string {
    return `${this.dev} ${this.gateway} ${this.mtu_bytes}`;
  }
}

export class Paths {
  underlays: Underlay[] = [];
  /** Rises with every change of an underlay. */
  generation: i32 = 0;
  private text: string = "";
  private ways: Map<string, Path> = new Map<string, Path>();

  /** Takes what a host saw: all underlays, and ways that replace those of their addresses. */
  read(from: JsonValue): void {
    const underlays = from.get("underlay");
    if (underlays && underlays.kind == Kind.Array) {
      const text = json_text(underlays);
      if (text != this.text) this.generation++;
      this.text = text;
      this.underlays = [];
      for (let i = 0; i < underlays.items.length; i++) {
        const one = underlays.items[i];
        this.underlays.push(
          new Underlay(
            truth(one, "v6"),
            one.text_at("address"),
            one.text_at("dev"),
            number(one, "mtu_bytes"),
          ),
        );
      }
    }
    const ways = from.get("paths");
    if (!ways || ways.kind != Kind.Array) return;
    for (let i = 0; i < ways.items.length; i++) {
      const one = ways.items[i];
      const path = new Path(one.text_at("dev"), one.text_at("gateway"), number(one, "mtu_bytes"));
      this.ways.set(one.text_at("address"), path);
    }
  }

  underlay(v6: bool): Underlay | null {
    for (let i = 0; i < this.underlays.length; i++) {
      if (this.underlays[i].v6 == v6) return this.underlays[i];
    }
    return null;
  }
  /** The way to an address; null when none is known. */
  to(address: string): Path | null {
    return this.ways.has(address) ? this.ways.get(address) : null;
  }
  forget(address: string): void {
    this.ways.delete(address);
  }
}
