/* printf into memory. */
#include <string.h>

#include "crt.h"

enum { LEGACY_TERMINATION = 1, STANDARD_SNPRINTF = 2 };

struct memory_sink {
    struct sink sink;
    char *at;
    size_t room; /* units, the terminator among them */
};

static void put(struct sink *sink, const void *units, size_t count) {
    struct memory_sink *memory = (struct memory_sink *)sink;
    size_t kept = count < memory->room ? count : memory->room;
    memcpy(memory->at, units, kept << sink->wide);
    memory->at += kept << sink->wide;
    memory->room -= kept;
}

static void end_at(char *out, int wide, size_t index) {
    if (wide)
        ((WCHAR *)out)[index] = 0;
    else
        out[index] = 0;
}

static int print(QWORD options, char *out, size_t room, const void *text, char *arguments, int wide) {
    struct memory_sink memory = {{put, wide, 0}, out, out ? room : 0};
    int made = format(&memory.sink, options, text, arguments);
    if (!out || made < 0)
        return made;
    if ((size_t)made < room) {
        end_at(out, wide, made);
        return made;
    }
    if (options & LEGACY_TERMINATION)
        return (size_t)made == room ? made : -1;
    if (room)
        end_at(out, wide, room - 1);
    return options & STANDARD_SNPRINTF && !wide ? made : -1;
}

MS(int, __stdio_common_vsprintf, QWORD options, char *out, size_t room, const char *text, void *locale, char *arguments) {
    return print(options, out, room, text, arguments, 0);
}

MS(int, __stdio_common_vswprintf, QWORD options, WCHAR *out, size_t room, const WCHAR *text, void *locale,
   char *arguments) {
    return print(options, (char *)out, room, text, arguments, 1);
}

MS(int, __stdio_common_vsprintf_s, QWORD options, char *out, size_t room, const char *text, void *locale,
   char *arguments) {
    int made = print(options, out, room, text, arguments, 0);
    if (made < 0 || (size_t)made >= room) {
        if (room)
            *out = 0;
        return fail_with(CRT_ERANGE);
    }
    return made;
}

MS(int, __stdio_common_vsnprintf_s, QWORD options, char *out, size_t room, size_t most, const char *text, void *locale,
   char *arguments) {
    int made = print(0, out, most < room ? most + 1 : room, text, arguments, 0);
    if (made < 0 && most >= room && most != (size_t)-1) {
        *out = 0;
        return fail_with(CRT_ERANGE);
    }
    return made;
}
