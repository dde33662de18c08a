// SPDX-License-Identifier: Apache-2.0
// Who relies on a shared thing of the node, by the records of attachments: see shared.ts. It looks
// and changes nothing.
import { Environment } from "../spec/environment";
import { CniError } from "../spec/error";
import { Adding } from "./adding";
import { Life, life_of } from "./living";
import { Attachment } from "./record";
import { LOCK_NOW_MS, Lock, records, records_error } from "./store";
import { Uses } from "./uses";

/** Another attachment that relies on something, if any. */
export class User {
  /** CONTAINERID:IFNAME; "" when there is none. */
  name: string = "";
  /** What it relies on, of what was asked for. */
  what: string = "";
  /** Why that cannot be told. */
  error: CniError | null = null;
}

/** An attachment beside this one that lives or is being made, and relies on one of these. */
export function user_of(what: string[], adding: Adding): User {
  const user = new User();
  const list = records();
  if (!list) user.error = records_error();
  for (let i = 0; list !== null && i < list.length; i++) {
    if (list[i].path == adding.path) continue;
    const found = relied_on(list[i], what);
    if (found.length == 0) continue;
    if (life_of(list[i]) == Life.Ended && !is_at_work(list[i], adding.request.env)) continue;
    user.name = list[i].name;
    user.what = found;
    return user;
  }
  return user;
}

/** The first of these that a record names; "" when it names none. */
function relied_on(record: Attachment, what: string[]): string {
  for (let i = 0; i < record.effects.length; i++) {
    const effect = record.effects[i];
    if (!(effect instanceof Uses)) continue;
    const used = (<Uses>effect).what;
    for (let k = 0; k < what.length; k++) if (used.includes(what[k])) return what[k];
  }
  return "";
}

/** Whether an ADD has not come to the interface yet; one that died holds no lock. */
function is_at_work(record: Attachment, env: Environment): bool {
  const lock = new Lock();
  if (!lock.take(record.name, env, false, LOCK_NOW_MS)) return true;
  lock.release();
  return false;
}
