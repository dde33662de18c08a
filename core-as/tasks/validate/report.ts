// SPDX-License-Identifier: Apache-2.0
// What validation finds: errors and warnings of files, each at a line and column and with the key
// it is about. It owns order, limits and the shape of the answer, and judges nothing.
import { JsonValue, Kind, Parsed } from "../../lib/json";
import { CniError, Code } from "../../spec/error";
import { Reader } from "../../spec/reader";

/** So many errors and so many warnings of one file are shown: nobody reads more. */
const SHOWN_LIMIT = 200;

class Finding {
  constructor(
    public severe: bool,
    /** Byte offset, -1 without a place. */
    public offset: i32,
    /** What ADD would answer with; 0 for what it does not refuse. */
    public code: i32,
    public msg: string,
    /** When it was found: the order of those at one place. */
    public turn: i32,
  ) {}
}

function in_order(a: Finding, b: Finding): i32 {
  return a.offset != b.offset ? a.offset - b.offset : a.turn - b.turn;
}

/** The findings of one file. */
export class FileReport {
  /** The network's name. */
  name: string = "";
  private findings: Finding[] = [];
  private dropped: bool = false;
  errors: i32 = 0;
  warnings: i32 = 0;
  constructor(
    public path: string,
    public document: Parsed,
  ) {}

  /** Whether no more warnings are kept: to look for them is in vain. */
  get full(): bool {
    return this.warnings >= SHOWN_LIMIT;
  }

  private add(severe: bool, msg: string, offset: i32, code: i32): void {
    for (let i = 0; i < this.findings.length; i++) {
      if (this.findings[i].offset == offset && this.findings[i].msg == msg) return;
    }
    const kept = (severe ? this.errors : this.warnings) < SHOWN_LIMIT;
    if (severe) this.errors++;
    else this.warnings++;
    if (kept) this.findings.push(new Finding(severe, offset, code, msg, this.findings.length));
    else this.dropped = true;
  }
  error(msg: string, offset: i32, code: i32 = Code.InvalidConfig): void {
    this.add(true, msg, offset, code);
  }
  warning(msg: string, offset: i32): void {
    this.add(false, msg, offset, 0);
  }
  /** A problem that ADD would answer with; details are for those without a place. */
  problem(error: CniError, offset: i32, otherwise: i32): void {
    const msg = offset >= 0 ? error.msg : error.toString();
    this.error(msg, offset >= 0 ? offset : otherwise, error.code);
  }
  /** Everything a reader found; what has no place stands at `otherwise`. */
  take(reader: Reader, otherwise: i32): void {
    for (let i = 0; i < reader.problems.length; i++) {
      this.problem(reader.problems[i].error, reader.problems[i].offset, otherwise);
    }
    const more = reader.count - reader.problems.length;
    this.errors += more;
    if (more > 0) this.dropped = true;
  }

  json(): JsonValue {
    this.findings.sort(in_order);
    const problems = JsonValue.array();
    const place = this.document.start();
    for (let i = 0; i < this.findings.length; i++) {
      const finding = this.findings[i];
      place.advance(finding.offset);
      const item = JsonValue.object();
      item.append("severity", JsonValue.string(finding.severe ? "error" : "warning"));
      item.append("line", JsonValue.number(place.line));
      item.append("column", JsonValue.number(place.column));
      const key = this.document.failed ? "" : path_to(this.document.value, finding.offset);
      if (key.length > 0) item.append("key", JsonValue.string(key));
      if (finding.code != 0) item.append("code", JsonValue.number(finding.code));
      item.append("msg", JsonValue.string(finding.msg));
      problems.push(item);
    }
    const made = JsonValue.object();
    made.append("path", JsonValue.string(this.path));
    made.append("name", JsonValue.string(this.name));
    made.append("problems", problems);
    // Looks end when no more warnings are kept: then nobody knows how many there are.
    if (this.dropped || this.full) made.append("more", JsonValue.bool(true));
    return made;
  }
}

/** The key at an offset with those it lies under, as `plugins[0].ipam.subnet`. */
function path_to(document: JsonValue, offset: i32): string {
  let path = "";
  let value = document;
  while (value.items.length > 0) {
    let at = -1;
    for (let i = 0; i < value.items.length; i++) {
      const item = value.items[i];
      if ((value.kind == Kind.Object ? item.key_offset : item.offset) <= offset) at = i;
    }
    if (at < 0) return path;
    if (value.kind == Kind.Array) path += `[${at}]`;
    else path += path.length > 0 ? `.${value.keys[at]}` : value.keys[at];
    value = value.items[at];
    // Between an element and the next there is nothing to find.
    if (offset <= value.offset) return path;
  }
  return path;
}

/** The files looked at. */
export class Report {
  files: FileReport[] = [];
  errors: i32 = 0;
  warnings: i32 = 0;

  /** The report of a file, a new one or that of an earlier look. */
  file(path: string, document: Parsed): FileReport {
    for (let i = 0; i < this.files.length; i++) {
      if (this.files[i].path == path) return this.files[i];
    }
    const made = new FileReport(path, document);
    this.files.push(made);
    return made;
  }

  json(): JsonValue {
    const files = JsonValue.array();
    for (let i = 0; i < this.files.length; i++) {
      files.push(this.files[i].json());
      this.errors += this.files[i].errors;
      this.warnings += this.files[i].warnings;
    }
    const made = JsonValue.object();
    made.append("files", files);
    made.append("errors", JsonValue.number(this.errors));
    made.append("warnings", JsonValue.number(this.warnings));
    return made;
  }
}
