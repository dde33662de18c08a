export function forgetLeases(folder: string): void;
