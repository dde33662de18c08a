// SPDX-License-Identifier: Apache-2.0
// Whether this user may see all that lies in a folder: where that is not so, nothing found does not
// mean that there is nothing. It reads and judges no content.
import { failure_errno } from "../../host/failure";
import { dir_list, file_read } from "../../host/store";
import { EACCES, ENOENT, EPERM } from "../../lib/errno";
import { CniError, Code, os_error } from "../../spec/error";

const LIMIT_BYTES = 8 << 20;

/** Why a folder, or a file in it whose name begins so, cannot be read; null when all can. */
export function unreadable(dir: string, prefix: string): CniError | null {
  const names = dir_list(dir);
  if (!names) return failure_errno == ENOENT ? null : os_error(`read ${dir}`, Code.Io);
  for (let i = 0; i < names.length; i++) {
    if (!names[i].startsWith(prefix) || file_read(`${dir}/${names[i]}`, LIMIT_BYTES)) continue;
    if (failure_errno != EACCES && failure_errno != EPERM) continue;
    return os_error(`read ${dir}/${names[i]}`, Code.Io);
  }
  return null;
}
