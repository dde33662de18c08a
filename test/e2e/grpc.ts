// SPDX-License-Identifier: Apache-2.0
// gRPC as far as a test needs it to call CRI: unary calls over a Unix socket, and protobuf messages
// by field number. It knows no service, no streaming and no numbers but varints: no package is
// worth that little.
import { connect } from 'node:http2';
import { createConnection } from 'node:net';

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FRAME_HEADER_BYTES = 5;

export type Value = string | number | Fields | readonly Value[];
/** A message to send; an array is a repeated field. */
export interface Fields {
  readonly [field: number]: Value;
}

function varint(value: number): number[] {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function encodeField(field: number, value: Value): Buffer {
  if (Array.isArray(value)) return Buffer.concat(value.map((one) => encodeField(field, one)));
  if (typeof value === 'number')
    return Buffer.from([...varint(field * 8 + VARINT), ...varint(value)]);
  const bytes = typeof value === 'string' ? Buffer.from(value) : encode(value as Fields);
  const head = [...varint(field * 8 + LENGTH_DELIMITED), ...varint(bytes.length)];
  return Buffer.concat([Buffer.from(head), bytes]);
}

export function encode(fields: Fields): Buffer {
  return Buffer.concat(Object.entries(fields).map(([n, value]) => encodeField(Number(n), value)));
}

/** A message that came: its fields by number, in order. */
export class Message {
  private readonly fields: { field: number; value: number | Buffer }[] = [];

  constructor(bytes: Buffer) {
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes.readUInt8(at++);
        value += (byte % 128) * scale;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const tag = next();
      const field = Math.floor(tag / 8);
      const first = next();
      if (tag % 8 === LENGTH_DELIMITED) {
        this.fields.push({ field, value: bytes.subarray(at, at + first) });
        at += first;
      } else if (tag % 8 === VARINT) this.fields.push({ field, value: first });
      else throw new Error(`field ${field} is of the wire type ${tag % 8}, which is not read here`);
    }
  }

  private bytes(field: number): Buffer[] {
    const found = this.fields.filter((one) => one.field === field);
    return found.map(({ value }) => (typeof value === 'number' ? Buffer.alloc(0) : value));
  }

  number(field: number): number {
    const value = this.fields.find((one) => one.field === field)?.value;
    return typeof value === 'number' ? value : 0;
  }

  texts(field: number): string[] {
    return this.bytes(field).map((one) => one.toString());
  }

  text(field: number): string {
    return this.texts(field)[0] ?? '';
  }

  messages(field: number): Message[] {
    return this.bytes(field).map((one) => new Message(one));
  }

  message(field: number): Message {
    return this.messages(field)[0] ?? new Message(Buffer.alloc(0));
  }
}

function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEADER_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Calls `method` (/package.Service/Method); rejects with the service's own words. */
export function call(
  socket: string,
  method: string,
  request: Fields,
  limit_ms: number,
): Promise<Message> {
  const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  session.on('error', reject);
  const headers = { ':method': 'POST', ':path': method, te: 'trailers' };
  const stream = session.request({ ...headers, 'content-type': 'application/grpc' });
  const timer = setTimeout(() => {
    reject(new Error(`${method} gave no answer within ${limit_ms} ms`));
    session.destroy();
  }, limit_ms);
  const parts: Buffer[] = [];
  // An error without a message comes in the headers, anything else in the trailers.
  let status: Record<string, unknown> = {};
  stream.on('response', (head) => {
    status = head;
  });
  stream.on('trailers', (tail) => {
    status = tail;
  });
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.on('error', reject);
  stream.on('end', () => {
    if (Number(status['grpc-status']) === 0) {
      resolve(new Message(Buffer.concat(parts).subarray(FRAME_HEADER_BYTES)));
    } else reject(new Error(decodeURIComponent(String(status['grpc-message'] ?? 'no status'))));
  });
  stream.end(frame(encode(request)));
  return promise.finally(() => {
    clearTimeout(timer);
    session.close();
  });
}
