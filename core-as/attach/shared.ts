// SPDX-License-Identifier: Apache-2.0
// Changes of what the attachments of a node share: a bridge's addresses, forwarding, VLANs of an
// uplink. Who relies on one says so in his record first and then looks, under one lock for the
// node; a failing ADD takes back what it changed itself, under the same lock, and only while no
// other record names it. So nothing is taken from a pod that lives, and none finds a thing there
// that goes a moment later. A DEL takes back none of it.

import { failure_errno, failure_text } from "../host/failure";
import { dir_lock, dir_unlock } from "../host/store";
import { ETIMEDOUT } from "../lib/errno";
import { state_dir } from "../lib/state-dir";
import { CniError, Code, os_error } from "../spec/error";
import { Adding } from "./adding";
import { Effect, Site } from "./effect";
import { Shared } from "./shared-change";
import { user_of } from "./users";

function shared_dir(): string {
  return `${state_dir()}/shared`;
}
const LOCK_LIMIT_MS = 15000;

/** Takes the lock of the node, for what is not to be seen half done; -1 when it cannot be had. */
export function shared_lock(): i32 {
  return kept > 0 ? kept : dir_lock(shared_dir(), true, LOCK_LIMIT_MS);
}

/** One that cannot be given back is kept to the end of the call: to wait for it is in vain. */
let kept: i32 = 0;

export function shared_unlock(lock: i32): void {
  kept = dir_unlock(lock) < 0 ? lock : 0;
}

/** Why shared_lock failed just now. */
function shared_lock_error(): CniError {
  if (failure_errno != ETIMEDOUT) return os_error(`lock ${shared_dir()}`, Code.Io);
  return new CniError(
    Code.TryAgainLater,
    `${shared_dir()} stayed locked for ${LOCK_LIMIT_MS} ms: see who holds ${shared_dir()}/lock`,
    failure_text,
  );
}

/** Makes changes, each when it is needed, after the record names them all. */
export function shared_take(adding: Adding, list: Shared[]): CniError | null {
  if (list.length == 0) return null;
  for (let i = 0; i < list.length; i++) adding.use(list[i].what);
  let error = adding.write();
  if (error) return error;
  const lock = shared_lock();
  if (lock < 0) return shared_lock_error();
  for (let i = 0; i < list.length && !error; i++) {
    error = list[i].take();
    if (list[i].changed) adding.note(new Taken(list[i], adding));
  }
  shared_unlock(lock);
  return error;
}

/** A change that this call made. */
class Taken extends Effect {
  constructor(
    private shared: Shared,
    private adding: Adding,
  ) {
    super();
  }
  undo(site: Site, errors: CniError[]): bool {
    const before = errors.length;
    const lock = shared_lock();
    if (lock < 0) {
      errors.push(shared_lock_error());
      return false;
    }
    const user = user_of([this.shared.what], this.adding);
    const error = user.error;
    if (error) errors.push(error);
    else if (user.name.length == 0) this.shared.give_back(errors);
    shared_unlock(lock);
    return errors.length == before;
  }
}
