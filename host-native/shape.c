/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a reply of a shape (shape.h). */
#include "shape.h"

#include <string.h>

#include "host.h"

static void reply_value(struct reply *reply, char type, const char *at)
{
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    struct span text;
    switch (type) {
    case FIELD_I32: memcpy(&i32, at, sizeof i32); reply_int(reply, i32); break;
    case FIELD_U32: memcpy(&u32, at, sizeof u32); reply_int(reply, u32); break;
    case FIELD_I64: memcpy(&i64, at, sizeof i64); reply_int(reply, i64); break;
    case FIELD_BOOL: reply_bool(reply, *at != 0); break;
    default:
        memcpy(&text, at, sizeof text);
        if (type == FIELD_TEXT || text.ptr != NULL) reply_json_string(reply, text.ptr, text.len);
        else reply_null(reply);
    }
}

void reply_shape(struct reply *reply, const char *fields, const void *from)
{
    reply_object(reply);
    for (; *fields != FIELD_END; fields += 3 + strlen(fields + 2)) {
        reply_key(reply, fields + 2);
        if (*fields == FIELD_LIST) {
            reply_list(reply);
            return;
        }
        reply_value(reply, *fields, (const char *)from + (uint8_t)fields[1]);
    }
    reply_object_end(reply);
}

void reply_shape_end(struct reply *reply)
{
    reply_list_end(reply);
    reply_object_end(reply);
}
