// SPDX-License-Identifier: Apache-2.0
// The connections of the daemon's socket: the head of each, its calls and its answers (rpc.ts). It
// refuses to know what a call does.
import { JsonValue } from "../lib/json";
import { ByteWriter } from "../lib/utf8";
import { bytes_append } from "./actions";
import { Asked, Context } from "./context";
import { Leased } from "./leased";
import { Answers, behind_head, Calls, HELLO, text_bytes, WELCOME } from "./rpc";

/** Longer heads are no client's. */
const HEAD_MAX_BYTES: i32 = 4096;
const METHOD_NOT_ALLOWED = "HTTP/1.0 405 Method Not Allowed\nContent-Type: text/plain\n\n";
const MUST_CONNECT = "405 must CONNECT\n";
/** What a client's first line has to begin with. */
const CONNECT = HELLO.slice(0, HELLO.indexOf(" HTTP"));

class Connection {
  /** Calls without their answer yet. */
  open: i32 = 0;
  /** The caller says nothing more. */
  ended: bool = false;
  calls: Calls | null = null;
  answers: Answers = new Answers();
  head: ByteWriter = new ByteWriter();
}

export class Server {
  private connections: Map<i64, Connection> = new Map<i64, Connection>();

  connected(conn: i64): void {
    this.connections.set(conn, new Connection());
  }
  /** A caller says nothing more; it may wait for answers. */
  ended(conn: i64, context: Context): void {
    if (!this.connections.has(conn)) return;
    const connection = this.connections.get(conn);
    connection.ended = true;
    if (connection.open == 0) this.hang_up(conn, context);
  }
  closed(conn: i64): void {
    this.connections.delete(conn);
  }

  /** Takes bytes; gives the calls that are whole with them. */
  bytes(conn: i64, context: Context, ptr: usize, len: i32): Asked[] {
    const asked = new Array<Asked>();
    if (!this.connections.has(conn)) return asked;
    const connection = this.connections.get(conn);
    let calls = connection.calls;
    if (calls) calls.feed(ptr, len);
    else {
      calls = this.greet(conn, connection, context, ptr, len);
      if (!calls) return asked;
    }
    for (let call = calls.next(); call; call = calls.next()) asked.push(new Asked(conn, call));
    connection.open += asked.length;
    if (calls.problem.length > 0) {
      context.actions.log(`a caller sends what is no call: ${calls.problem}`);
      this.hang_up(conn, context);
    }
    return asked;
  }
  /** Reads a head as far as it is there. */
  private greet(
    conn: i64,
    connection: Connection,
    context: Context,
    ptr: usize,
    len: i32,
  ): Calls | null {
    const head = connection.head;
    head.bytes(ptr, len);
    const end = behind_head(head.ptr, head.len);
    if (end == 0 && head.len < HEAD_MAX_BYTES) return null;
    const line = text_bytes(CONNECT);
    const fits = head.len >= line.len && memory.compare(head.ptr, line.ptr, line.len) == 0;
    if (end == 0 || !fits) {
      this.send(conn, context, text_bytes(METHOD_NOT_ALLOWED + MUST_CONNECT));
      this.hang_up(conn, context);
      return null;
    }
    const calls = new Calls();
    calls.feed(head.ptr + end, head.len - end);
    connection.calls = calls;
    connection.head = new ByteWriter();
    this.send(conn, context, text_bytes(WELCOME));
    return calls;
  }
  /** Tells a caller what came of it. */
  answer(asked: Asked, context: Context): void {
    if (!this.connections.has(asked.conn)) return;
    const connection = this.connections.get(asked.conn);
    const answers = connection.answers;
    const leased: Leased | null = asked.error.length == 0 ? asked.leased : null;
    this.send(
      asked.conn,
      context,
      leased ? answers.result(asked.call, leased) : answers.done(asked.call, asked.error),
    );
    if (--connection.open == 0 && connection.ended) this.hang_up(asked.conn, context);
  }

  private send(conn: i64, context: Context, bytes: ByteWriter): void {
    const action = context.actions.add("reply");
    action.append("conn", JsonValue.number(conn));
    bytes_append(action, "bytes", bytes);
  }
  private hang_up(conn: i64, context: Context): void {
    context.actions.add("hangup").append("conn", JsonValue.number(conn));
    this.connections.delete(conn);
  }
}
