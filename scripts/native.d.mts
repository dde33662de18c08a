export function buildTestProgram(
  name: string,
  files: readonly string[],
  texts: Readonly<Record<string, string>>,
): Promise<string>;
