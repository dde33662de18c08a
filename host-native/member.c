/* Members of a JSON object (member.h). */
#include "member.h"

void member_int(struct reply *reply, const char *key, int64_t value)
{
    reply_key(reply, key);
    reply_int(reply, value);
}

void member_bool(struct reply *reply, const char *key, bool value)
{
    reply_key(reply, key);
    reply_bool(reply, value);
}

void member_text(struct reply *reply, const char *key, struct span text)
{
    reply_key(reply, key);
    reply_json_string(reply, text.ptr, text.len);
}
