// SPDX-License-Identifier: Apache-2.0
// Types that others own and people write beside ours: rows of the table of types, so that what is
// said of a configuration knows them. Keys are those of the reference plugins (1.9.1); a type
// without keys here is known by its name and role only. It refuses to serve any of them.
import { CONFIG, IPAM, Role, RUNTIME, Type } from "../plugin/type";

/** Types whose keys are their owners' business, by role, divided by blanks. */
const MAIN =
  "antrea aws-cni azure-vnet calico ib-sriov kube-ovn ovn-k8s-cni-overlay ovs sriov " + "weave-net";
const META = "egress-cni istio-cni linkerd-cni route-override";
const IPAM_TYPES = "azure-vnet-ipam calico-ipam whereabouts";
/** Chained behind another in some of the set-ups that their documents describe. */
const EITHER = "cilium-cni multus multus-shim";

function foreign(name: string, role: Role): Type {
  const type = new Type(name);
  type.role = role;
  type.ours = false;
  return type;
}

function add_named(types: Type[], names: string, role: Role): void {
  const list = names.split(" ");
  for (let i = 0; i < list.length; i++) types.push(foreign(list[i], role));
}

/** Types whose keys are known. */
function reference_types(): Type[] {
  const dhcp = foreign("dhcp", Role.Ipam)
    .at(IPAM, "type daemonSocketPath provide request priority")
    .at("ipam.provide", "option value fromArg")
    .at("ipam.request", "skipDefault option")
    .at(RUNTIME, "");
  return [dhcp];
}

/** The foreign rows of the table of types. */
export function foreign_types(): Type[] {
  const types = reference_types();
  add_named(types, MAIN, Role.Main);
  add_named(types, META, Role.Meta);
  add_named(types, IPAM_TYPES, Role.Ipam);
  add_named(types, EITHER, Role.Either);
  return types;
}
