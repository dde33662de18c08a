/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stars for secrets, for tests: reads cases from standard input, each a byte, j for JSON or p for
 * pairs, the length of a text as a number on a line, and the text. Prints a JSON list of what
 * becomes of each. One process looks for what it found before, so cases with long secrets are asked
 * one by one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "secrets.h"

int main(void)
{
    static struct reply said;
    char kind;
    unsigned length;
    reply_begin(&said);
    reply_list(&said);
    while (scanf("%c%u", &kind, &length) == 2) {
        struct reply names = {0};
        char *text = malloc(length + 1);
        getchar();
        if (text == NULL || fread(text, 1, length, stdin) != length) return 1;
        reply_begin(&names);
        reply_list(&names);
        if (kind == 'j') secrets_json(text, length, &names);
        else secrets_pairs(text, length, &names);
        secrets_again(text, length);
        reply_list_end(&names);
        reply_object(&said);
        reply_key(&said, "text");
        reply_json_string(&said, text, length);
        reply_key(&said, "names");
        reply_bytes(&said, names.buffer.bytes, names.buffer.length);
        reply_object_end(&said);
        buffer_free(&names.buffer);
        free(text);
    }
    reply_list_end(&said);
    fwrite(said.buffer.bytes, 1, said.buffer.length, stdout);
    buffer_free(&said.buffer);
    return 0;
}
