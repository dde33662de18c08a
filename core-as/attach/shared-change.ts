// SPDX-License-Identifier: Apache-2.0
// A change of what the attachments of a node share, as shared.ts makes it.
import { CniError } from "../spec/error";

/** One change: made when it is needed, and taken back by a failing ADD that made it. */
export abstract class Shared {
  /** What records call that which it changes: who names the same relies on it. */
  abstract get what(): string;
  /** Looks, and changes what is not as it is wanted; `changed` tells even when that fails. */
  abstract take(): CniError | null;
  /** Whether `take` changed anything, or `finish` is going to. */
  abstract get changed(): bool;
  /**
   * What cannot be given back exactly: done when nothing else can fail any more, of changes that
   * come last (Adding.later).
   */
  finish(): CniError | null {
    return null;
  }
  /** Takes back what `take` changed, and as far as it can what `finish` did. */
  abstract give_back(errors: CniError[]): void;
}
