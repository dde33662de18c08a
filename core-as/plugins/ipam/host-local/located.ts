// Where the leases of a request are, of a configuration that may be broken. It reads none.
import { CniError, Code } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Leases } from "./leases";
import { data_dir } from "./plan";

export function leases_of(dataDir: string, request: Request): Leases {
  return new Leases(dataDir, request.network, request.env.containerID, request.env.ifname);
}

/** The folder of the network; "" when the configuration does not say where it is. */
export function lease_dir(request: Request): string {
  const dataDir = data_dir(request);
  return request.network.length > 0 && dataDir.length > 0 ? `${dataDir}/${request.network}` : "";
}

/** The leases; null, and an error, when the configuration does not say where they are. */
export function located(request: Request, errors: CniError[]): Leases | null {
  if (lease_dir(request).length > 0) return leases_of(data_dir(request), request);
  errors.push(
    new CniError(
      Code.InvalidConfig,
      `cannot tell where the leases are: correct "name" and "ipam.dataDir", ` +
        `then run ${request.env.command} again`,
    ),
  );
  return null;
}
