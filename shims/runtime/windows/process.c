/* The process and its first thread, as programs see them: PEB, TEB, parameters; their end. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layouts.h"
#include "pe.h"

enum { ARCH_SET_GS = 0x1001, WINDOWS_10_22H2 = 19045, CURRENT_PROCESS_HEAP = 1 };

struct peb the_peb __attribute__((aligned(4096)));
struct teb first_teb __attribute__((aligned(4096)));
static struct ldr_data ldr;
static struct parameters parameters;

static struct unicode_string counted(WCHAR *text) {
    size_t size = 2 * wide_length(text);
    return (struct unicode_string){size > 0xfffc ? 0xfffc : size, size > 0xfffc ? 0xfffe : size + 2, text};
}

static void fill_parameters(struct start_info *info, WCHAR *path, int argc, char **argv, char **environ) {
    char folder[4096];
    parameters.room = parameters.length = sizeof parameters;
    parameters.flags = 1; /* its pointers are addresses */
    memcpy(parameters.standard, info->standard, sizeof info->standard);
    WCHAR *current = dos_path(getcwd(folder, sizeof folder) ? folder : "/");
    parameters.folder = counted(current);
    parameters.image_path = counted(path);
    parameters.title = counted(path);
    parameters.command_line = counted(make_command_line(argc, argv));
    parameters.environment = make_environment(environ);
    for (WCHAR *at = parameters.environment; at[0] || at[1]; at++)
        parameters.environment_size += 2;
    parameters.environment_size += 4;
}

static void fill_peb(struct start_info *info) {
    struct nt_headers *headers = headers_of((void *)info->image);
    the_peb.image = (void *)info->image;
    the_peb.ldr = &ldr;
    the_peb.parameters = &parameters;
    the_peb.heap = (void *)&the_peb.heap;
    the_peb.mutant = (HANDLE)-1;
    the_peb.processors = sysconf(_SC_NPROCESSORS_ONLN);
    the_peb.affinity = the_peb.processors < 64 ? (1UL << the_peb.processors) - 1 : ~0UL;
    the_peb.major = 10;
    the_peb.build = WINDOWS_10_22H2;
    the_peb.platform = 2;
    the_peb.image_subsystem = headers->subsystem;
    the_peb.image_major = headers->subsystem_major;
    the_peb.image_minor = headers->subsystem_minor;
    the_peb.section_timeout = -25920000000000; /* 30 days in units of 100 ns */
    ldr.length = sizeof ldr;
    ldr.initialized = 1;
    ldr.load.next = ldr.load.previous = &ldr.load;
    ldr.memory.next = ldr.memory.previous = &ldr.memory;
    ldr.start.next = ldr.start.previous = &ldr.start;
}

static void fill_teb(struct start_info *info) {
    first_teb.self = &first_teb;
    first_teb.peb = &the_peb;
    first_teb.stack_base = (void *)info->stack_base;
    first_teb.stack_limit = first_teb.stack_allocation = (void *)info->stack_limit;
    first_teb.exceptions = 0;
    first_teb.pid = info->pid;
    first_teb.tid = info->tid;
    syscall(SYS_arch_prctl, ARCH_SET_GS, &first_teb);
}

void begin_process(struct start_info *info, int argc, char **argv, char **environ) {
    char name[4097];
    long size = syscall(CALL_PROGRAM_PATH, name, sizeof name - 1);
    name[size < 0 ? 0 : size] = 0;
    WCHAR *path = dos_path(name);
    fill_peb(info);
    fill_teb(info);
    fill_parameters(info, path, argc, argv, environ);
    start_modules((void *)info->image, path);
}

void end_process(DWORD code) {
    detach_modules();
    syscall(SYS_exit_group, code);
    __builtin_unreachable();
}

MS(void, ExitProcess, DWORD code) { end_process(code); }
MS(HANDLE, GetCurrentProcess, void) { return (HANDLE)-1; }
MS(HANDLE, GetCurrentThread, void) { return (HANDLE)-2; }
MS(DWORD, GetCurrentProcessId, void) { return current_teb()->pid; }
MS(DWORD, GetCurrentThreadId, void) { return current_teb()->tid; }
MS(BOOL, IsDebuggerPresent, void) { return the_peb.debugged; }
MS(struct peb *, RtlGetCurrentPeb, void) { return &the_peb; }
MS(WCHAR *, GetCommandLineW, void) { return parameters.command_line.text; }

MS(char *, GetCommandLineA, void) {
    static char *narrow;
    return narrow ? narrow : (narrow = new_narrow(parameters.command_line.text));
}

MS(BOOL, TerminateProcess, HANDLE process, DWORD code) {
    if (process == (HANDLE)-1)
        syscall(SYS_exit_group, code);
    set_last_error(ERROR_INVALID_HANDLE);
    return 0;
}

MS(HANDLE, GetStdHandle, DWORD which) {
    DWORD index = -10 - which; /* STD_INPUT_HANDLE -10, output -11, error -12 */
    if (index < 3)
        return parameters.standard[index];
    set_last_error(ERROR_INVALID_HANDLE);
    return (HANDLE)-1;
}

MS(BOOL, SetStdHandle, DWORD which, HANDLE handle) {
    DWORD index = -10 - which;
    if (index < 3)
        parameters.standard[index] = handle;
    else
        set_last_error(ERROR_INVALID_HANDLE);
    return index < 3;
}
