/* The command line, quoted so that CommandLineToArgvW gives back the same words; and paths as Windows writes them. */
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

/* "Parsing C command-line arguments": backslashes count double before a quotation mark only. */
static char *quoted(char *out, const char *word) {
    if (*word && !strpbrk(word, " \t\n\v\"")) {
        size_t size = strlen(word);
        memcpy(out, word, size);
        return out + size;
    }
    size_t slashes = 0;
    *out++ = '"';
    for (; *word; word++) {
        if (*word == '"')
            for (size_t k = 0; k <= slashes; k++)
                *out++ = '\\';
        slashes = *word == '\\' ? slashes + 1 : 0;
        *out++ = *word;
    }
    while (slashes--)
        *out++ = '\\';
    *out++ = '"';
    return out;
}

static char *with_backslashes(const char *path) {
    size_t size = strlen(path);
    char *made = malloc(size + 3), *at = made;
    if (*path == '/') {
        *at++ = 'Z';
        *at++ = ':';
    }
    for (; *path; path++)
        *at++ = *path == '/' ? '\\' : *path;
    *at = 0;
    return made;
}

WCHAR *dos_path(const char *path) {
    char *made = with_backslashes(path);
    WCHAR *wide = new_wide(made);
    free(made);
    return wide;
}

WCHAR *make_command_line(int argc, char **argv) {
    size_t room = 16;
    for (int k = 0; k < argc; k++)
        room += 2 * strlen(argv[k]) + 4;
    char *text = malloc(room), *at = text;
    for (int k = 0; k < argc; k++) {
        char *program = k ? 0 : with_backslashes(argv[0]);
        if (k)
            *at++ = ' ';
        at = quoted(at, program ? program : argv[k]);
        free(program);
    }
    *at = 0;
    WCHAR *wide = new_wide(text);
    free(text);
    return wide;
}
