// SPDX-License-Identifier: Apache-2.0
// Memory, before anything is made of it: asc sets the runtime's first free address (rt/stub.ts)
// where it first compiles something that needs it, which may be behind what a file makes. An entry
// that makes things in files imports this one first. It refuses to hold anything.
heap.free(heap.alloc(1));
