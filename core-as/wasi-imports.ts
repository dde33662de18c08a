// SPDX-License-Identifier: Apache-2.0
// The three functions of WASI preview 1 that the command needs, and its last words.

@external("wasi_snapshot_preview1", "fd_read")
export declare function fd_read(fd: i32, iovecs: usize, count: i32, read: usize): i32;

@external("wasi_snapshot_preview1", "fd_write")
export declare function fd_write(fd: i32, iovecs: usize, count: i32, written: usize): i32;

@external("wasi_snapshot_preview1", "proc_exit")
export declare function proc_exit(code: i32): void;
