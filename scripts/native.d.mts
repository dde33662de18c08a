export function buildTestProgram(
  name: string,
  files: readonly string[],
  texts: Readonly<Record<string, string>>,
  flags?: readonly string[],
  without?: readonly string[],
): Promise<string>;
