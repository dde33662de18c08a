// SPDX-License-Identifier: Apache-2.0
// How far a call reaches beyond its records: the folders that it writes to and the programs that it
// executes. Plugins say so before anything is changed; it refuses to know who holds them to it.
import { texts_joined } from "../lib/utf8";

/** Every folder: a call that cannot be held to some. */
const ROOT = "/";

export class Reach {
  private folders: string[] = [];
  private programs: string[] = [];
  private anywhere: bool = false;
  /** What is executed where nothing of ours knows the attachment. */
  private strangers: string[] = [];
  /** Whether nothing of ours does. */
  stranger: bool = false;

  /** One that is told as a line of a list cannot have two: such a folder is not written to. */
  write(folder: string): void {
    if (folder.length > 0 && !folder.includes("\n")) this.folders.push(folder);
  }
  write_anywhere(): void {
    this.anywhere = true;
  }
  /** The name of a file in a folder of CNI_PATH, or an absolute path, of a socket too. */
  execute(program: string): void {
    if (!program.includes("\n") && !this.programs.includes(program)) this.programs.push(program);
  }

  /** The same, of what another plugin may have wired. */
  execute_for_stranger(program: string): void {
    this.strangers.push(program);
  }

  /** The folders, a line each. */
  get folder_lines(): string {
    return this.anywhere ? ROOT : texts_joined(this.folders, "\n");
  }
  /** The programs, a line each. */
  get program_lines(): string {
    const all = this.stranger ? this.programs.concat(this.strangers) : this.programs;
    return texts_joined(all, "\n");
  }
}
