/* Environment variables: one block of NAME=VALUE strings, names in any case. */
#include <stdlib.h>
#include <string.h>

#include "layouts.h"

WCHAR *make_environment(char **environ) {
    size_t size = 2;
    for (char **each = environ; *each; each++)
        size += strlen(*each) + 1;
    WCHAR *block = calloc(size, 2), *at = block;
    for (char **each = environ; *each; each++) {
        size_t bytes = strlen(*each) + 1;
        at += wide_from_utf8(*each, bytes, at, bytes);
    }
    return block;
}

static WCHAR *end_of_block(WCHAR *block) {
    while (*block)
        block += wide_length(block) + 1;
    return block;
}

/* The string that begins with NAME=, or null; a first letter = belongs to the name (=C:). */
static WCHAR *entry_of(const WCHAR *name) {
    size_t length = wide_length(name);
    for (WCHAR *at = the_peb.parameters->environment; length && *at; at += wide_length(at) + 1)
        if (!wide_compare_folded(at, name, length) && at[length] == '=')
            return at;
    return 0;
}

MS(DWORD, GetEnvironmentVariableW, const WCHAR *name, WCHAR *out, DWORD room) {
    WCHAR *entry = entry_of(name);
    if (!entry) {
        set_last_error(ERROR_ENVVAR_NOT_FOUND);
        return 0;
    }
    WCHAR *value = entry + wide_length(name) + 1;
    size_t length = wide_length(value);
    if (length >= room)
        return length + 1;
    memcpy(out, value, 2 * length + 2);
    set_last_error(ERROR_SUCCESS);
    return length;
}

MS(DWORD, GetEnvironmentVariableA, const char *name, char *out, DWORD room) {
    WCHAR *wide = new_wide(name), *entry = entry_of(wide);
    DWORD made = 0;
    if (!entry)
        set_last_error(ERROR_ENVVAR_NOT_FOUND);
    else {
        WCHAR *value = entry + wide_length(wide) + 1;
        made = utf8_from_wide(value, wide_length(value) + 1, out, room);
        if (made <= room)
            made--;
    }
    free(wide);
    return made;
}

MS(BOOL, SetEnvironmentVariableW, const WCHAR *name, const WCHAR *value) {
    struct parameters *parameters = the_peb.parameters;
    WCHAR *old = entry_of(name), *block = parameters->environment, *end = end_of_block(block);
    size_t name_length = wide_length(name), value_length = value ? wide_length(value) : 0;
    if (!name_length) {
        set_last_error(ERROR_INVALID_PARAMETER);
        return 0;
    }
    if (old) {
        WCHAR *next = old + wide_length(old) + 1;
        memmove(old, next, 2 * (end + 1 - next));
        end -= next - old;
    }
    if (value) {
        size_t kept = end - block, added = name_length + value_length + 2;
        WCHAR *made = malloc(2 * (kept + added + 2)); /* the old block stays: GetEnvironmentStrings may have told of it */
        if (!made) {
            set_last_error(ERROR_NOT_ENOUGH_MEMORY);
            return 0;
        }
        memcpy(made, block, 2 * kept);
        memcpy(made + kept, name, 2 * name_length);
        made[kept + name_length] = '=';
        memcpy(made + kept + name_length + 1, value, 2 * value_length + 2);
        made[kept + added] = made[kept + added + 1] = 0;
        parameters->environment = made;
    }
    return 1;
}

MS(BOOL, SetEnvironmentVariableA, const char *name, const char *value) {
    WCHAR *wide = new_wide(name), *content = value ? new_wide(value) : 0;
    BOOL done = ms_SetEnvironmentVariableW(wide, content);
    free(wide);
    free(content);
    return done;
}

MS(WCHAR *, GetEnvironmentStringsW, void) {
    WCHAR *block = the_peb.parameters->environment;
    size_t size = 2 * (end_of_block(block) + 1 - block) + 2;
    WCHAR *copy = malloc(size);
    return copy ? memcpy(copy, block, size) : copy;
}

MS(BOOL, FreeEnvironmentStringsW, WCHAR *block) {
    free(block);
    return 1;
}
