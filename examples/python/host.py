#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small host in Python: one call of a CNI plugin as its runtime makes it (CNI_ variables, the
configuration on standard input), served by core.wasm on the simulated kernel of sim.wasm, whose
state is a file. Both modules and abi.json are in the npm package; wasmtime runs them.

    python3 host.py PACKAGE TYPE STATE < net.json
"""

import json
import os
import pathlib
import sys
import time

from wasmtime import Engine, Func, FuncType, Instance, Module, Store, ValType


class Slot:
    """What an operation leaves for the core: bytes that it fetches afterwards."""

    data = b""


class Sandbox:
    """One instance with its memory: core.wasm or sim.wasm."""

    def __init__(self, store, module, imports=()):
        self.store = store
        self.exports = Instance(store, module, imports).exports(store)

    def call(self, name, *args):
        return self.exports[name](self.store, *args)

    def read(self, ptr, length):
        memory = self.exports["memory"]
        start, length = ptr & 0xFFFFFFFF, length & 0xFFFFFFFF
        if start + length > memory.data_len(self.store):
            raise IndexError("a pointer outside the memory")
        return bytes(memory.read(self.store, start, start + length))

    def write(self, ptr, data):
        self.exports["memory"].write(self.store, data, ptr & 0xFFFFFFFF)

    def put(self, data):
        ptr = self.call("alloc", len(data))
        self.write(ptr, data)
        return ptr, len(data)


class Host:
    """The operations of the table: those of the kernel are done by the simulated one."""

    def __init__(self, store, engine, package, state):
        self.sim = Sandbox(store, Module.from_file(engine, str(package / "sim.wasm")))
        if self.sim.call("sim_load", *self.sim.put(state)) < 0:
            raise ValueError(self.said().decode())
        self.core = None
        self.slot = Slot()

    def said(self):
        """The reply slot of the simulated kernel."""
        return self.sim.read(self.sim.call("sim_reply_ptr"), self.sim.call("host_reply_len"))

    def dump(self):
        self.sim.call("sim_dump")
        return self.said()

    def host(self, name, args):
        """The module `host`: what is around the core. Arguments are flat: pointer and length."""
        if name == "reply_len":
            return len(self.slot.data)
        if name == "reply_read":
            part = self.slot.data[: args[1] & 0xFFFFFFFF]
            self.core.write(args[0], part)
            return len(part)
        if name == "stdin_read":
            self.slot.data = sys.stdin.buffer.read()
        if name == "log":
            print(self.core.read(*args).decode(), file=sys.stderr)
        if name == "sleep":
            time.sleep(args[0] / 1000)
        if name == "panic":
            raise RuntimeError(f"{self.core.read(*args[:2]).decode()} at line {args[4]}")
        return 0

    def driver(self, row, args):
        """An operation of the kernel: texts and bytes are copied from one memory to the other."""
        flat, given = [], iter(args)
        for _, kind in row["params"]:
            value = next(given)
            wide = kind in ("str", "bytes")
            flat += self.sim.put(self.core.read(value, next(given))) if wide else [value]
        code = self.sim.call(f"{row['module']}_{row['name']}", *flat)
        # After a failure the slot has the kernel's own words.
        if code < 0 or row["reply"] != "value":
            self.slot.data = self.said()
        return code

    def function(self, row):
        def run(*args):
            if row["module"] == "host":
                return self.host(row["name"], args)
            return self.driver(row, args)

        return run


def imports_of(store, module, table, host):
    rows = {(row["module"], row["name"]): row for row in table["operations"]}
    made = []
    for wanted in module.imports:
        row = rows[(wanted.module, wanted.name)]
        count = sum(2 if kind in ("str", "bytes", "out") else 1 for _, kind in row["params"])
        kind = FuncType([ValType.i32()] * count, [ValType.i32()])
        made.append(Func(store, kind, host.function(row)))
    return made


def main(package, plugin, state_file):
    package, state_file = pathlib.Path(package), pathlib.Path(state_file)
    engine = Engine()
    store = Store(engine)
    state = b"netns host\nnetns pod\n"
    if state_file.exists():
        # What was written says all there is: the kernel is to add nothing by its own rules.
        state = b"complete\n" + state_file.read_bytes()
    table = json.loads((package / "abi.json").read_text())
    module = Module.from_file(engine, str(package / "core.wasm"))
    host = Host(store, engine, package, state)
    core = Sandbox(store, module, imports_of(store, module, table, host))
    if "fairlead_abi_1" not in core.exports:
        raise RuntimeError("core.wasm speaks another host ABI")
    host.core = core
    env = b"".join(
        f"{name}={value}".encode() + b"\0"
        for name, value in os.environ.items()
        if name.startswith("CNI_")
    )
    code = core.call("run", *core.put(plugin.encode()), *core.put(env))
    sys.stdout.write(core.read(core.call("result_ptr"), core.call("result_len")).decode())
    state_file.write_bytes(host.dump())
    return code


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
