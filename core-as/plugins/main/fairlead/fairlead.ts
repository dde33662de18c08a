// SPDX-License-Identifier: Apache-2.0
// The CNI type `fairlead`: a whole chain in one call. Its "plugins" are the very objects of a
// conflist. How the list is read is list.ts, what becomes of it ../../../plugin/chain.ts.

import { Adding } from "../../../attach/adding";
import { Chain } from "../../../plugin/chain";
import { Inner, Outcome } from "../../../plugin/plugin";
import { CONFIG, Role, Type } from "../../../plugin/type";
import { Request } from "../../../spec/request";
import { list_read, tell_unheard } from "./list";

export class Fused extends Chain {
  /** `outer`: it is a runtime's own list, which may hold a plugin of the type `fairlead`. */
  constructor(private outer: bool = false) {
    super();
  }

  describe(type: Type): void {
    type.role = Role.Chain;
    type.about = "a whole chain of these in one process";
    type.at(CONFIG, "plugins");
  }
  protected compose(request: Request): Inner[] {
    return list_read(request, this.outer);
  }

  add(request: Request, adding: Adding): Outcome {
    if (!this.outer) tell_unheard(request, this.inner(request));
    return super.add(request, adding);
  }
}
