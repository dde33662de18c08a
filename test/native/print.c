/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.c beside the C library's: every conversion that the host may use, with values at the ends
 * of their types and into every size of room. Prints what differs, and how many were compared.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define snprintf print_snprintf
#define vsnprintf print_vsnprintf
int print_snprintf(char *into, size_t size, const char *format, ...);
int print_vsnprintf(char *into, size_t size, const char *format, va_list arguments);
#include "../../host-native/print.c"
#undef snprintf
#undef vsnprintf

#define ROOM_MAX 80

static int compared;

static void compare(const char *format, ...)
{
    for (size_t size = 0; size <= ROOM_MAX; size++) {
        char ours[ROOM_MAX + 1], theirs[ROOM_MAX + 1];
        memset(ours, 'x', sizeof ours);
        memset(theirs, 'x', sizeof theirs);
        va_list arguments;
        va_start(arguments, format);
        int our_length = print_vsnprintf(ours, size, format, arguments);
        va_end(arguments);
        va_start(arguments, format);
        int their_length = vsnprintf(theirs, size, format, arguments);
        va_end(arguments);
        compared++;
        if (our_length != their_length || memcmp(ours, theirs, sizeof ours) != 0) {
            printf("%s in %zu: %d %.*s\n", format, size, our_length, ROOM_MAX, ours);
        }
    }
}

int main(void)
{
    static const long long values[] = {0, 1, -1, 9, 10, 42, -42, INT_MAX, INT_MIN, UINT_MAX,
        LLONG_MAX, LLONG_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        long long value = values[i];
        compare("%d", (int)value);
        compare("%i|%5d|%05d", (int)value, (int)value, (int)value);
        compare("%u %x %08x", (unsigned)value, (unsigned)value, (unsigned)value);
        compare("%ld %lu %lx", (long)value, (unsigned long)value, (unsigned long)value);
        compare("%lld.%09ld", value, (long)value);
        compare("%llu:%llu", (unsigned long long)value, (unsigned long long)value);
        compare("%zu bytes", (size_t)value);
    }
    static const char *const texts[] = {"", "a", "eth0",
                                        "a text that is somewhat longer than most"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        compare("%s", texts[i]);
        compare("<%s> is held by %s", texts[i], texts[i]);
        for (int most = -1; most < 6; most++) compare("%.*s/%.*s", most, texts[i], most, "abc");
        compare("100 %% of %s %c", texts[i], 'x');
    }
    // No end of the text is needed within the precision.
    static const char open_end[] = {'a', 'b', 'c'};
    compare("%.*s", 3, open_end);
    compare("none");
    printf("%d compared\n", compared);
    return 0;
}
