// SPDX-License-Identifier: Apache-2.0
// The txtar format: a comment, then files, each after a line "-- name --". Text in, text out.

export interface Archive {
  readonly comment: string;
  /** In the order of the archive. */
  readonly files: ReadonlyMap<string, string>;
}

const HEAD = /^-- (.+) --$/;

export function parseTxtar(text: string): Archive {
  const comment: string[] = [];
  const files = new Map<string, string>();
  let name = '';
  let lines = comment;
  const flush = (): void => {
    if (name !== '') files.set(name, lines.length === 0 ? '' : `${lines.join('\n')}\n`);
  };
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const head = HEAD.exec(line)?.[1];
    if (head === undefined) {
      lines.push(line);
      continue;
    }
    flush();
    if (files.has(head)) throw new Error(`"${head}" stands twice in the archive`);
    name = head;
    lines = [];
  }
  flush();
  return { comment: comment.join('\n'), files };
}

export function formatTxtar(archive: Archive): string {
  let text = `${archive.comment}\n`;
  for (const [name, content] of archive.files) text += `-- ${name} --\n${content}`;
  return text;
}
