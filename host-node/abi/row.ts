// SPDX-License-Identifier: Apache-2.0
// What a row of the table looks like, and how an operation crosses the border. It refuses to name
// any operation.
import type { SHAPES } from './shapes.ts';

/**
 * A parameter. `ns` is a netns handle: 0 is the host's own, others come from kernel.netns_open.
 * `bool` is an i32, 0 or 1. `str`, `bytes` and `out` are a pointer and a length.
 */
export type ParamType = 'i32' | 'bool' | 'ns' | 'str' | 'bytes' | 'out';

type ShapeName = keyof typeof SHAPES;
/** A reply in JSON: a shape, or a list of one or of plain values. */
export type JsonType = ShapeName | `${ShapeName}[]` | 'i32[]' | 'u32[]' | 'str[]' | 'i64';
/** `value`: the return itself. `text` (UTF-8), `bytes` and JSON: in the reply slot. */
export type ReplyType = 'value' | 'text' | 'bytes' | JsonType;

/** A row; what an operation has nothing of is left out. */
export interface Row {
  readonly params?: Readonly<Record<string, ParamType>>;
  /** Left out: it gives 0. */
  readonly reply?: ReplyType;
  /** What the type of the reply does not say. */
  readonly gives?: string;
  /** Errors the core tells apart; any other is passed on with its text. */
  readonly errors?: readonly string[];
  /** It may wait: for others by its bound on time, for the kernel's lock. It is there calls die. */
  readonly waits?: true;
  /** The same thing said to iproute2 or coreutils. */
  readonly like?: string;
  readonly about: string;
}

/** Rows by the names of their operations. */
export type Rows = Readonly<Record<string, Row>>;

export type Module = 'host' | 'kernel' | 'nft' | 'store' | 'plugin';

/** A row as a host goes by it. */
export interface Operation {
  readonly module: Module;
  readonly name: string;
  readonly params: Readonly<Record<string, ParamType>>;
  /** How the reply crosses the border: `none` gives 0, `json` and `bytes` lie in the slot. */
  readonly reply: 'none' | 'value' | 'json' | 'bytes';
  /** What it is. */
  readonly type: ReplyType | 'none';
  readonly gives: string;
  readonly errors: readonly string[];
  readonly waits: boolean;
  readonly like: string;
  readonly about: string;
}

/** Whether a parameter lies in the core's memory. */
export const isWide = (type: ParamType): boolean =>
  type === 'str' || type === 'bytes' || type === 'out';

function crossing(type: Operation['type']): Operation['reply'] {
  if (type === 'none' || type === 'value' || type === 'bytes') return type;
  return type === 'text' ? 'bytes' : 'json';
}

/** The operations of a module. */
export function operationsOf(module: Module, rows: Rows): Operation[] {
  const nothing = {
    params: {},
    reply: 'none',
    gives: '',
    errors: [],
    waits: false,
    like: '',
  } as const;
  return Object.entries(rows).map(([name, row]) => {
    const { reply: type, ...full } = { ...nothing, ...row };
    return { module, name, type, ...full, reply: crossing(type) };
  });
}
