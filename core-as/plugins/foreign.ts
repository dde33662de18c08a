// SPDX-License-Identifier: Apache-2.0
// Types that others own and people write beside ours: rows of the table of types, so that what is
// said of a configuration knows them by name and role. It refuses to serve any of them.
import { Role, Type } from "../plugin/type";

/** Types whose keys are their owners' business, by role, divided by blanks. */
const MAIN =
  "antrea aws-cni azure-vnet calico ib-sriov kube-ovn ovn-k8s-cni-overlay ovs sriov weave-net";
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

/** The foreign rows of the table of types. */
export function foreign_types(): Type[] {
  const types = new Array<Type>();
  add_named(types, MAIN, Role.Main);
  add_named(types, META, Role.Meta);
  add_named(types, IPAM_TYPES, Role.Ipam);
  add_named(types, EITHER, Role.Either);
  return types;
}
