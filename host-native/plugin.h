/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign plugins, beside plugin.exec itself. */
#ifndef FAIRLEAD_PLUGIN_H
#define FAIRLEAD_PLUGIN_H

#include <stdint.h>

/** From now on another process executes them, whatever becomes of this one: 0 or -errno. */
int32_t plugin_begin_launcher(void);

#endif
