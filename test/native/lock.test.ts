// SPDX-License-Identifier: Apache-2.0
// Waiting for the lock of a folder in C: it is given as soon as it is free, and not waited for for
// ever.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OsError } from '../../host-node/abi/index.ts';
import { NATIVE } from '../support/hosts.ts';
import { buildNativeDriver, type NativeDriver, nativeDriver } from '../support/native-driver.ts';
import { needsRoot } from '../support/needs.ts';

const ETIMEDOUT = 110;
const why = needsRoot || NATIVE.why;
const dir = mkdtempSync(join(tmpdir(), 'fairlead-lock-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe.skipIf(why !== '')(`the lock of a folder ${why}`, () => {
  let holder: NativeDriver;
  let waiter: NativeDriver;
  const take = (driver: NativeDriver, timeout_ms: number) =>
    driver.dir_lock({ dir, create: 0, timeout_ms });

  beforeAll(async () => {
    const path = await buildNativeDriver();
    [holder, waiter] = [nativeDriver(path), nativeDriver(path)];
  });
  afterAll(async () => {
    await holder?.close();
    await waiter?.close();
  });

  test('waiting ends, with who holds it', () => {
    const lock = take(holder, 0);
    for (const timeout_ms of [0, 150]) {
      const start_ms = performance.now();
      let failure: unknown;
      try {
        take(waiter, timeout_ms);
      } catch (error) {
        failure = error;
      }
      expect(performance.now() - start_ms).toBeGreaterThanOrEqual(timeout_ms);
      expect((failure as OsError).errno).toBe(ETIMEDOUT);
      const text = `${dir}/lock is held by process ${holder.pid} (driver), waited ${timeout_ms} ms`;
      expect((failure as OsError).text).toBe(text);
    }
    holder.dir_unlock({ lock });
    waiter.dir_unlock({ lock: take(waiter, 0) });
  });

  test('it is given when who holds it ends, and at once', async () => {
    take(holder, 0);
    spawn('sh', ['-c', `sleep 0.2; kill -KILL ${holder.pid}`]);
    const start_ms = performance.now();
    waiter.dir_unlock({ lock: take(waiter, 30_000) });
    expect(performance.now() - start_ms).toBeLessThan(5000);
    expect(performance.now() - start_ms).toBeGreaterThan(150);
  });
});
