/* What a program's start-up code asks of the C runtime: arguments, environment, initializers, how to end. */
#include <stdlib.h>
#include <string.h>

#include "crt.h"
#include "layouts.h"

typedef void(MSABI *procedure)(void);
typedef int(MSABI *initializer)(void);
struct table {
    procedure *first, *last, *end;
};

static int argc;
static char **argv, **environment;
static WCHAR **wide_argv, **wide_environment;
static int commit_mode;

/* --- arguments: "Parsing C command-line arguments" --- */

/* The word at *at without its quotation marks, which may be the name of the program: it has no escapes. */
static char *next_word(const char **at, char *out, int is_program) {
    const char *text = *at;
    char *word = out;
    int quoted = 0;
    while (*text && (quoted || (*text != ' ' && *text != '\t'))) {
        size_t slashes = strspn(text, "\\");
        if (!is_program && slashes && text[slashes] == '"') {
            memset(out, '\\', slashes / 2);
            out += slashes / 2;
            text += slashes;
            if (slashes % 2)
                *out++ = *text++;
        } else if (slashes) {
            memset(out, '\\', slashes);
            out += slashes;
            text += slashes;
        } else if (*text == '"') {
            if (quoted && !is_program && text[1] == '"')
                *out++ = *++text;
            else
                quoted = !quoted;
            text++;
        } else
            *out++ = *text++;
    }
    *out = 0;
    while (*text == ' ' || *text == '\t')
        text++;
    *at = text;
    return word;
}

static void read_arguments(void) {
    const char *at = new_narrow(the_peb.parameters->command_line.text);
    size_t size = strlen(at) + 2;
    argv = calloc(size / 2 + 2, sizeof *argv);
    char *words = malloc(2 * size);
    for (int is_program = 1; *at || is_program; is_program = 0) {
        argv[argc] = next_word(&at, words, is_program);
        words += strlen(words) + 1;
        argc++;
    }
    wide_argv = calloc(argc + 1, sizeof *wide_argv);
    for (int k = 0; k < argc; k++)
        wide_argv[k] = new_wide(argv[k]);
}

static void read_environment(void) {
    size_t count = 0, index = 0;
    for (WCHAR *at = the_peb.parameters->environment; *at; at += wide_length(at) + 1)
        count++;
    environment = calloc(count + 1, sizeof *environment);
    wide_environment = calloc(count + 1, sizeof *wide_environment);
    for (WCHAR *at = the_peb.parameters->environment; *at; at += wide_length(at) + 1) {
        wide_environment[index] = at;
        environment[index++] = new_narrow(at);
    }
}

MS(int, _configure_narrow_argv, int mode) {
    if (!argv)
        read_arguments();
    return 0;
}
MS(int, _configure_wide_argv, int mode) { return ms__configure_narrow_argv(mode); }
MS(int, _initialize_narrow_environment, void) {
    if (!environment)
        read_environment();
    return 0;
}
MS(int, _initialize_wide_environment, void) { return ms__initialize_narrow_environment(); }
MS(int *, __p___argc, void) { return &argc; }
MS(char ***, __p___argv, void) { return &argv; }
MS(WCHAR ***, __p___wargv, void) { return &wide_argv; }
MS(char ***, __p__environ, void) { return &environment; }
MS(WCHAR ***, __p__wenviron, void) { return &wide_environment; }
MS(char **, _get_initial_narrow_environment, void) {
    ms__initialize_narrow_environment();
    return environment;
}
MS(WCHAR **, _get_initial_wide_environment, void) {
    ms__initialize_narrow_environment();
    return wide_environment;
}

MS(char *, getenv, const char *name) {
    ms__initialize_narrow_environment();
    size_t size = strlen(name);
    for (char **each = environment; *each; each++) {
        size_t k = 0;
        while (k < size && fold(each[0][k]) == fold(name[k]))
            k++;
        if (k == size && (*each)[size] == '=')
            return *each + size + 1;
    }
    return 0;
}

/* --- initializers, and what runs at the end --- */

MS(void, _initterm, procedure *at, procedure *end) {
    for (; at < end; at++)
        if (*at)
            (*at)();
}

MS(int, _initterm_e, initializer *at, initializer *end) {
    int failed = 0;
    for (; at < end && !failed; at++)
        if (*at)
            failed = (*at)();
    return failed;
}

static struct table at_exit;

MS(int, _initialize_onexit_table, struct table *table) {
    if (!table)
        return -1;
    if (table->first == table->end)
        *table = (struct table){0};
    return 0;
}

MS(int, _register_onexit_function, struct table *table, procedure function) {
    if (table->last == table->end) {
        size_t count = table->end - table->first, room = count ? 2 * count : 32;
        procedure *made = realloc(table->first, room * sizeof *made);
        if (!made)
            return -1;
        *table = (struct table){made, made + count, made + room};
    }
    *table->last++ = function;
    return 0;
}

MS(int, _execute_onexit_table, struct table *table) {
    while (table->last > table->first) {
        procedure function = *--table->last;
        if (function)
            function();
    }
    free(table->first);
    *table = (struct table){0};
    return 0;
}

MS(int, _crt_atexit, procedure function) { return ms__register_onexit_function(&at_exit, function); }
MS(int, _crt_at_quick_exit, procedure function) { return 0; }
MS(procedure, _onexit, procedure function) { return ms__crt_atexit(function) ? 0 : function; }
MS(void, _register_thread_local_exe_atexit_callback, void *callback) {}

MS(void, _cexit, void) {
    ms__execute_onexit_table(&at_exit);
    flush_streams();
}
MS(void, _c_exit, void) {}

MS(void, exit, int code) {
    ms__cexit();
    end_process(code);
}
MS(void, _exit, int code) { end_process(code); }
MS(void, _Exit, int code) { end_process(code); }
MS(void, quick_exit, int code) { end_process(code); }
MS(void, abort, void) { end_process(3); }
MS(void, terminate, void) { end_process(3); }

/* --- switches that nothing depends on here --- */

MS(void, _set_app_type, int type) {}
MS(int, _set_new_mode, int mode) { return 0; }
MS(int, _configthreadlocale, int mode) { return 2; /* _DISABLE_PER_THREAD_LOCALE */ }
MS(void, __setusermatherr, void *handler) {}
MS(void *, _set_invalid_parameter_handler, void *handler) {
    static void *current;
    void *old = current;
    current = handler;
    return old;
}
MS(int *, __p__commode, void) { return &commit_mode; }
MS(int, _seh_filter_exe, DWORD code, void *exception) { return 0; }
MS(int, _seh_filter_dll, DWORD code, void *exception) { return 0; }
