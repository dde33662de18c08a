/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow, up to a bound (buffer.h). */
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t FIRST_CAPACITY_BYTES = 1024;

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->error = 0;
}

/** Sets the failure and gives NULL. */
static char *failed(struct buffer *buffer, int32_t error)
{
    buffer->error = error;
    return NULL;
}

char *buffer_room(struct buffer *buffer, uint32_t more)
{
    if (buffer->error != 0) return NULL;
    if (more > buffer->limit - buffer->length) return failed(buffer, EFBIG);
    uint32_t needed = buffer->length + more;
    if (needed > buffer->capacity || buffer->bytes == NULL) {
        uint64_t capacity = buffer->capacity;
        if (capacity < FIRST_CAPACITY_BYTES) capacity = FIRST_CAPACITY_BYTES;
        while (capacity < needed) capacity *= 2;
        char *larger = realloc(buffer->bytes, (size_t)capacity);
        if (larger == NULL) return failed(buffer, ENOMEM);
        buffer->bytes = larger;
        buffer->capacity = (uint32_t)capacity;
    }
    return buffer->bytes + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *bytes, uint32_t length)
{
    char *room = buffer_room(buffer, length);
    if (room == NULL) return;
    if (length > 0) memcpy(room, bytes, length);
    buffer->length += length;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    buffer->bytes = NULL;
    buffer->length = 0;
    buffer->capacity = 0;
    buffer->error = 0;
}
