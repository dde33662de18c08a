// SPDX-License-Identifier: Apache-2.0
// The file "index" of the index of a lease folder: which folder it is of and as of which time, and
// which parts there are. What follows from that is lease-index.ts's.
import { failure_errno } from "../../../host/failure";
import { dir_list, dir_make, file_remove } from "../../../host/store";
import { ENOENT } from "../../../lib/errno";
import { hash64 } from "../../../lib/name";
import { ByteWriter } from "../../../lib/utf8";
import { BUCKETS } from "./lease-bucket";

const HEAD = "index";
const TITLE = "fairlead leases 3";
const EXACT = "exact";
const SECOND_NS: i64 = 1_000_000_000;
/** So far before the time of the clock a mark may lie. */
const MARK_SPAN_NS: u64 = 999_999;

export class Head {
  /** Buckets that have a file. */
  filled: StaticArray<bool> = new StaticArray<bool>(BUCKETS);
  mark: string = "";
  /** Whether it says that the maps are. */
  exact: bool = false;

  constructor(private dir: string) {}

  /** Takes over a file; false when it is not of our making, or of another folder. */
  parse(text: string): bool {
    const lines = text.split("\n");
    if (lines.length != 6 || lines[0] != TITLE || lines[1] != this.dir) return false;
    const digits = lines[3];
    if (digits.length != BUCKETS / 4) return false;
    for (let i = 0; i < BUCKETS; i++) {
      const code = digits.charCodeAt(i >> 2);
      const digit = code >= 97 ? code - 87 : code - 48;
      this.filled[i] = ((digit >> (i & 3)) & 1) == 1;
    }
    this.mark = lines[2];
    this.exact = lines[4] == EXACT;
    return true;
  }

  text(mark: string, exact: bool): string {
    const digits = new ByteWriter();
    for (let i = 0; i < BUCKETS; i += 4) {
      let digit = 0;
      for (let k = 0; k < 4; k++) digit |= i32(this.filled[i + k]) << k;
      digits.byte(digit < 10 ? 48 + digit : 87 + digit);
    }
    return `${TITLE}\n${this.dir}\n${mark}\n${digits.toString()}\n${exact ? EXACT : ""}\n`;
  }
}

/** Where it lies. */
export function head_path(at: string): string {
  return `${at}/${HEAD}`;
}

/** Takes away the files of an index that is not believed, the first that makes it one first. */
export function files_clear(at: string): bool {
  const names = dir_list(at);
  if (!names) return failure_errno == ENOENT && dir_make(at) >= 0;
  if (names.includes(HEAD) && file_remove(head_path(at)) < 0) return false;
  for (let i = 0; i < names.length; i++) {
    if (names[i] != HEAD && file_remove(`${at}/${names[i]}`) < 0) return false;
  }
  return true;
}

/**
 * A time before the folder's, so that no clock gives it again: "" when there is none. How long
 * before depends on what was found, lest two indexes of one folder ever set the same.
 */
export function mark_before(mtime: string, found_at: string): string {
  const point = mtime.indexOf(".");
  if (point < 0 || mtime.length != point + 10) return "";
  const seconds = I64.parseInt(mtime.substring(0, point));
  const time_ns = seconds * SECOND_NS + I64.parseInt(mtime.substring(point + 1));
  const back_ns = 1 + <i64>(hash64(`${found_at} ${mtime}`) % MARK_SPAN_NS);
  if (time_ns < SECOND_NS) return "";
  const mark_ns = time_ns - back_ns;
  return `${mark_ns / SECOND_NS}.${(mark_ns % SECOND_NS).toString().padStart(9, "0")}`;
}
