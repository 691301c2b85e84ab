/* The runtime: the guest half of a Windows process. It is a Linux program whose functions programs import. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define MSABI __attribute__((ms_abi))

typedef uint16_t WCHAR;
typedef uint8_t BYTE;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef int32_t BOOL;
typedef int32_t LONG;
typedef uint64_t QWORD;
typedef uintptr_t HANDLE;
typedef uint32_t NTSTATUS;

/* What a synthetic image's stub of a row `= runtime` jumps to, found by name. The host reads this array at the start. */
struct export {
    char name[56];
    void *address;
};
#define EXPORT_AS(name, function)                                                                            \
    static struct export export_##name __attribute__((section("ms_exports"), used, retain)) = {#name, (void *)(function)};
#define MS(result, name, ...)                                                                                \
    MSABI result ms_##name(__VA_ARGS__);                                                                     \
    EXPORT_AS(name, ms_##name)                                                                               \
    MSABI result ms_##name(__VA_ARGS__)

/* Hypercalls: abi_tables/windows/hypercalls.abi and numbers.tbl. Like musl's syscall: -1 and errno. */
enum { CALL_BEGIN = 0x40000000, CALL_PROGRAM_PATH, CALL_OPEN_LIBRARY, CALL_UNWRITTEN };
struct start_info {
    uintptr_t image, stack_base, stack_limit;
    DWORD pid, tid;
    HANDLE standard[3];
};

/* errors.c */
enum {
    ERROR_SUCCESS = 0,
    ERROR_INVALID_FUNCTION = 1,
    ERROR_FILE_NOT_FOUND = 2,
    ERROR_INVALID_HANDLE = 6,
    ERROR_NOT_ENOUGH_MEMORY = 8,
    ERROR_INVALID_PARAMETER = 87,
    ERROR_INSUFFICIENT_BUFFER = 122,
    ERROR_MOD_NOT_FOUND = 126,
    ERROR_PROC_NOT_FOUND = 127,
    ERROR_ENVVAR_NOT_FOUND = 203,
    ERROR_NO_UNICODE_TRANSLATION = 1113,
    ERROR_NO_MORE_ITEMS = 259,
};
void set_last_error(DWORD error);

/* text.c: conversions tell how many units they made, or with no room how many they would make. */
size_t wide_from_utf8(const char *text, size_t size, WCHAR *out, size_t room);
size_t utf8_from_wide(const WCHAR *text, size_t size, char *out, size_t room);
size_t wide_length(const WCHAR *text);
WCHAR *new_wide(const char *text);
char *new_narrow(const WCHAR *text);
int fold(int letter);
int wide_compare_folded(const WCHAR *a, const WCHAR *b, size_t most);

/* environment.c */
WCHAR *make_environment(char **environ);
/* command_line.c */
WCHAR *make_command_line(int argc, char **argv);
WCHAR *dos_path(const char *path);

/* loader.c */
struct module;
struct module *load_module(const char *name);
struct module *find_module(const WCHAR *name);
struct module *module_at(const void *base);
struct module *module_holding(const void *address);
struct module *program_module(void);
void start_modules(void *image, const WCHAR *path);
void attach_modules(void);
void detach_modules(void);
void *find_export(struct module *module, const char *name, DWORD ordinal);
void *module_entry(struct module *module);
void *module_base(struct module *module);
const WCHAR *module_path(struct module *module);

/* process.c */
void begin_process(struct start_info *info, int argc, char **argv, char **environ);
__attribute__((noreturn)) void end_process(DWORD code);

/* crt_exit.c */
void leave_crt(void);

#endif
