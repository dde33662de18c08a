// SPDX-License-Identifier: Apache-2.0
// The words of rtnetlink: building one request and reading the replies, bytes in and values out.
// It refuses to touch a socket (netlink.ts does).
export * from './address.ts';
export * from './constants.ts';
export * from './ip.ts';
export * from './link.ts';
export * from './reply.ts';
export * from './request.ts';
export * from './route.ts';
