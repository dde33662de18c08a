// SPDX-License-Identifier: Apache-2.0
// CNI spec versions: which we speak, how they compare, how the program answers VERSION.

/** Oldest first. */
export const SUPPORTED: string[] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/** What a config without cniVersion means (spec 0.1.0 had no such key). */
export const IMPLIED = "0.1.0";

/** major * 1e6 + minor * 1e3 + micro; -1 when malformed. "" is 0.1.0; missing parts are 0. */
export function version_number(text: string): i32 {
  if (text.length == 0) return version_number(IMPLIED);
  const parts = text.split(".");
  if (parts.length > 3) return -1;
  let number = 0;
  for (let i = 0; i < 3; i++) {
    let part = 0;
    if (i < parts.length) {
      const digits = parts[i];
      if (digits.length == 0 || digits.length > 3) return -1;
      for (let k = 0; k < digits.length; k++) {
        const c = digits.charCodeAt(k);
        if (c < 48 || c > 57) return -1;
        part = part * 10 + (c - 48);
      }
    }
    number = number * 1000 + part;
  }
  return number;
}

export function version_supported(version: string): bool {
  return SUPPORTED.includes(version);
}

export function version_before(version: string, other: string): bool {
  return version_number(version) < version_number(other);
}

/** The answer to VERSION: compact JSON and a newline. */
export function version_document(): string {
  const newest = SUPPORTED[SUPPORTED.length - 1];
  const all = SUPPORTED.join('","');
  return `{"cniVersion":"${newest}","supportedVersions":["${all}"]}\n`;
}
