/* Members of the JSON object under way in the reply slot: a key and its value. */
#ifndef FAIRLEAD_MEMBER_H
#define FAIRLEAD_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

void member_int(struct reply *reply, const char *key, int64_t value);
void member_bool(struct reply *reply, const char *key, bool value);
void member_text(struct reply *reply, const char *key, struct span text);

#endif
