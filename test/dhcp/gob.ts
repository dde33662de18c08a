// SPDX-License-Identifier: Apache-2.0
// A caller of the DHCP daemon in bytes: Go's gob, as far as net/rpc and its types need it, written
// apart from the core's so that one is held against the other.

const uint = (value: number): number[] => {
  if (value < 128) return [value];
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [256 - bytes.length, ...bytes];
};
const int = (value: number): number[] => uint(value < 0 ? -value * 2 - 1 : value * 2);
const text = (value: string): number[] => {
  const bytes = Buffer.from(value);
  return [...uint(bytes.length), ...bytes];
};
const message = (body: number[]): number[] => [...uint(body.length), ...body];

const STRING = 6;
const BYTES = 5;
const UINT = 3;

/** The description of a struct: fields are name and type. */
function struct(id: number, name: string, fields: readonly (readonly [string, number])[]) {
  const list = fields.flatMap(([field, type]) => [1, ...text(field), 1, ...int(type), 0]);
  const common = [1, 1, ...text(name), 1, ...int(id), 0];
  return message([...int(-id), 3, ...common, 1, ...uint(fields.length), ...list, 0, 0]);
}

/** A value of a struct whose fields are all texts; "" is left out. */
function value(id: number, fields: readonly string[]): number[] {
  const body: number[] = [];
  let last = -1;
  fields.forEach((field, at) => {
    if (field === '') return;
    body.push(...uint(at - last), ...text(field));
    last = at;
  });
  return message([...int(id), ...body, 0]);
}

export interface Call {
  readonly method: string;
  readonly containerID: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args?: string;
  readonly config: object;
}

/** All that the reference's plugin says for a call. */
export function callBytes({ method, containerID, netns, ifname, args = '', config }: Call): Buffer {
  const head = struct(65, 'Request', [
    ['ServiceMethod', STRING],
    ['Seq', UINT],
  ]);
  const names = ['ContainerID', 'Netns', 'IfName', 'Args', 'Path', 'NetnsOverride'];
  const body = struct(66, 'CmdArgs', [
    ...names.map((name) => [name, STRING] as const),
    ['StdinData', BYTES],
  ]);
  const given = [containerID, netns, ifname, args, '/opt/cni/bin', '', JSON.stringify(config)];
  return Buffer.from([
    ...Buffer.from('CONNECT /_goRPC_ HTTP/1.0\n\n'),
    ...head,
    ...value(65, [method]),
    ...body,
    ...value(66, given),
  ]);
}

type Value = string | number | Value[] | { readonly [name: string]: Value };
type Type = { readonly fields?: readonly (readonly [string, number])[]; readonly item?: number };

/** Reads a stream of messages; text that is no UTF-8 is hex. */
class Reader {
  readonly #types = new Map<number, Type>();
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  *values(): Generator<Value> {
    while (this.#at < this.#bytes.length) {
      this.#uint();
      const id = this.#int();
      if (id < 0) this.#define(-id);
      else yield this.#value(id);
    }
  }
  #uint(): number {
    const first = this.#bytes[this.#at++]!;
    if (first < 128) return first;
    let value = 0;
    for (let left = 256 - first; left > 0; left--) value = value * 256 + this.#bytes[this.#at++]!;
    return value;
  }
  #int(): number {
    const value = this.#uint();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }
  #run(): Buffer {
    const length = this.#uint();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
  #fields(read: (field: number) => void): void {
    for (let field = -1, delta = this.#uint(); delta > 0; delta = this.#uint()) {
      field += delta;
      read(field);
    }
  }
  #define(id: number): void {
    let type: Type = { fields: [] };
    this.#fields((kind) => {
      this.#fields((part) => {
        if (part === 0) this.#fields((at) => (at === 0 ? this.#run() : this.#int()));
        else if (kind === 1) type = { item: this.#int() };
        else type = { fields: this.#described() };
      });
    });
    this.#types.set(id, type);
  }
  #described(): [string, number][] {
    return Array.from({ length: this.#uint() }, () => {
      const field: [string, number] = ['', 0];
      this.#fields((at) => {
        if (at === 0) field[0] = this.#run().toString();
        else field[1] = this.#int();
      });
      return field;
    });
  }
  #value(id: number): Value {
    if (id === 2) return this.#int();
    if (id === UINT) return this.#uint();
    if (id === STRING) return this.#run().toString();
    if (id === BYTES) return [...this.#run()].join('.');
    const { fields, item } = this.#types.get(id) ?? {};
    if (item !== undefined) return Array.from({ length: this.#uint() }, () => this.#value(item));
    if (fields === undefined) throw new Error(`an unknown type ${id}`);
    const made: Record<string, Value> = {};
    this.#fields((at) => {
      const [name, type] = fields[at]!;
      made[name] = this.#value(type);
    });
    return made;
  }
}

/** What the last of some answers says: an error, a result, or nothing. */
export function answerText(bytes: Buffer): string {
  const [head, body] = [...new Reader(bytes).values()].slice(-2);
  const { Error: error } = head as { Error?: string };
  return error === undefined ? JSON.stringify(body) : `error ${error}`;
}
