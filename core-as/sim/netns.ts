// SPDX-License-Identifier: Apache-2.0
// Opening namespaces by path: first the paths that the text gives, then the names of `ip netns`.
// Below /proc lies the host's own, unless the text says otherwise.
import { EINVAL, ENOENT } from "../lib/errno";
import { exists } from "./files";
import { fail, refusal, reply, space_of, text_of } from "./slot";
import { Space, state } from "./state";

function named(name: string): Space | null {
  const space = state.space(name);
  return space && (space.named || space.index == 0) ? space : null;
}

function space_at(path: string): Space | null {
  const given = state.space_at(path);
  if (given) return given;
  if (path == "/proc/self/ns/net" || path == "/proc/thread-self/ns/net") return state.spaces[0];
  if (path == "/proc/1/ns/net") return state.spaces[0];
  if (path.startsWith("/run/netns/")) return named(path.substring(11));
  if (path.startsWith("/var/run/netns/")) return named(path.substring(15));
  return null;
}

export function kernel_netns_open(path: usize, path_len: i32): i32 {
  const name = text_of(path, path_len);
  if (name == null) return refusal;
  const space = space_at(name);
  if (!space) return exists(name) ? fail(EINVAL, `not a namespace: ${name}`) : fail(ENOENT);
  const free = state.handles.indexOf(null);
  if (free < 0) return state.handles.push(space) - 1;
  state.handles[free] = space;
  return free;
}

export function kernel_netns_close(ns: i32): i32 {
  if (!space_of(ns)) return refusal;
  if (ns > 0) state.handles[ns] = null;
  return 0;
}

/** Of the simulated kernel a namespace is known by its name; records of files may say it. */
export function kernel_netns_id(ns: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  reply().text(`netns:${space.name}`);
  return 0;
}

export function kernel_netns_same(a: i32, b: i32): i32 {
  const left = space_of(a);
  const right = space_of(b);
  return left && right ? i32(left === right) : refusal;
}
