/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a reply of a shape of the table (shapes.gen.h): an object, member by member, from a
 * struct. It refuses to know any shape; shapes.gen.c has the rows.
 */
#ifndef FAIRLEAD_SHAPE_H
#define FAIRLEAD_SHAPE_H

#include <stdint.h>

#include "reply.h"

enum field_type {
    /** The object ends. */
    FIELD_END,
    /** A list begins, which stays open with the object: reply_shape_end. */
    FIELD_LIST,
    FIELD_I32,
    FIELD_U32,
    FIELD_I64,
    FIELD_BOOL,
    /** A struct span. */
    FIELD_TEXT,
    /** The same; null when its pointer is. */
    FIELD_TEXT_OR_NULL,
};

/**
 * Writes an object. `fields` has for each member the type, the offset in the struct at `from`, and
 * the name with its NUL; it ends with FIELD_END or FIELD_LIST.
 */
void reply_shape(struct reply *reply, const char *fields, const void *from);

/** Ends the list and the object that a shape whose last member is a list leaves open. */
void reply_shape_end(struct reply *reply);

#endif
