// SPDX-License-Identifier: Apache-2.0
// The core as a WASI command (preview 1): the same dispatch, linked onto the simulated kernel
// instead of a host. One JSON request on stdin, one JSON answer on stdout:
//   {"type": "bridge", "env": {"CNI_COMMAND": "ADD", …}, "config": {…} or "text", "kernel": "netns
// host\n…"}
//   {"exit": 0, "stdout": "…", "stderr": "…", "operations": ["kernel.netns_open(…) = 1", …],
// "kernel": "…"} A request that cannot be read is told on stderr with exit code 2. It owns this
// format only.

import "./sim/memory";
import { JsonValue, json_parse, json_write, Kind } from "./lib/json";
import { ByteWriter, Utf8, utf8_decode } from "./lib/utf8";
import { dispatch } from "./plugin/dispatch";
import { sim_log, sim_set_stdin } from "./sim/host";
import { parse } from "./sim/parse";
import { reply, slot } from "./sim/slot";
import { dump } from "./sim/text";
import { trace_text } from "./sim/trace";
import { Environment } from "./spec/environment";
import { fd_read, fd_write, proc_exit } from "./wasi-imports";
import "./registry";
import "./sim/abort";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const EX_USAGE = 2;

/** A ciovec (pointer, length) and the count that a call gives back. */
const iovec = memory.data(12);

function read_all(): ByteWriter {
  const out = new ByteWriter();
  for (;;) {
    out.reserve(65536);
    store<usize>(iovec, out.ptr + out.len);
    store<i32>(iovec, 65536, 4);
    if (fd_read(STDIN, iovec, 1, iovec + 8) != 0) break;
    const count = load<i32>(iovec, 8);
    if (count == 0) break;
    out.len += count;
  }
  return out;
}

function write_all(fd: i32, out: ByteWriter): void {
  let done = 0;
  while (done < out.len) {
    store<usize>(iovec, out.ptr + done);
    store<i32>(iovec, out.len - done, 4);
    if (fd_write(fd, iovec, 1, iovec + 8) != 0) return;
    done += load<i32>(iovec, 8);
  }
}

function refuse(problem: string): void {
  const out = new ByteWriter();
  out.text("fairlead-core: ").text(problem).text("\n");
  write_all(STDERR, out);
  proc_exit(EX_USAGE);
}

/** The environment as the host ABI passes it. */
function environment(request: JsonValue): Environment {
  const block = new ByteWriter();
  const env = request.get("env");
  if (env) {
    for (let i = 0; i < env.items.length; i++) {
      block.text(env.keys[i]).text("=").text(env.items[i].text);
      block.byte(0);
    }
  }
  return new Environment(block.ptr, block.len);
}

function text_of(request: JsonValue, key: string): string {
  const value = request.get(key);
  return value && value.kind == Kind.String ? value.text : "";
}

function set_stdin(config: JsonValue | null): void {
  if (!config) return;
  const out = new ByteWriter();
  if (config.kind == Kind.String) out.text(config.text);
  else json_write(out, config);
  sim_set_stdin(out.ptr, out.len);
}

function operations(): JsonValue {
  const list = JsonValue.array();
  const lines = trace_text().split("\n");
  for (let i = 0; i < lines.length - 1; i++) list.push(JsonValue.string(lines[i]));
  return list;
}

/** The WASI command's entry. */
export function _start(): void {
  const input = read_all();
  const parsed = json_parse(input.ptr, input.len);
  if (parsed.failed) return refuse(`${parsed.problem} at ${parsed.position(parsed.offset)}`);
  const request = parsed.value;
  if (request.kind != Kind.Object) return refuse("the request must be a JSON object");
  const kernel = new Utf8(text_of(request, "kernel"));
  const problem = parse(kernel.ptr, kernel.len);
  if (problem.length > 0) return refuse(`"kernel": ${problem}`);
  set_stdin(request.get("config"));
  const answer = dispatch(text_of(request, "type"), environment(request));
  const made = JsonValue.object();
  made.append("exit", JsonValue.number(i64(answer.failed)));
  made.append("stdout", JsonValue.string(answer.text));
  sim_log();
  made.append("stderr", JsonValue.string(utf8_decode(slot.ptr, slot.len)));
  made.append("operations", operations());
  dump(reply());
  made.append("kernel", JsonValue.string(utf8_decode(slot.ptr, slot.len)));
  const out = new ByteWriter();
  json_write(out, made, 2);
  out.text("\n");
  write_all(STDOUT, out);
}
