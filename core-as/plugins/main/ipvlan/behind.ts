// SPDX-License-Identifier: Apache-2.0
// An ipvlan behind another plugin in a list: what that says of the master and of addresses. It
// looks at prevResult alone, and changes nothing.
import { Lower } from "../../../net/lower";
import { CniError, Code } from "../../../spec/error";
import { Request } from "../../../spec/request";

/**
 * Without a master of its own it lies on the one interface that prevResult names, without IPAM
 * (`bare`) it has the addresses there. Gives what is lacking.
 */
export function behind(request: Request, lower: Lower, bare: bool): CniError | null {
  const previous = request.prevResult();
  if (request.reader.error) return request.reader.error;
  if (previous && lower.master.length == 0) {
    const names = new Array<string>();
    for (let i = 0; i < previous.interfaces.length; i++) {
      const name = previous.interfaces[i].name;
      if (name.length > 0) names.push(name);
    }
    if (names.length != 1) {
      return new CniError(
        Code.InvalidConfig,
        `prevResult names ${names.length} interfaces, and not the one that would be the master: ` +
          'name it by "master"',
      );
    }
    lower.master = names[0];
  }
  if (!bare || (previous && previous.ips.length > 0)) return null;
  return new CniError(
    Code.InvalidConfig,
    'ipvlan needs addresses: add "ipam": {"type": "host-local", …}',
  );
}
