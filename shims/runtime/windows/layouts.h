/* What programs read of the process themselves. Layouts: winternl.h, and lib/std/os/windows.zig of Zig 0.13. */
#ifndef LAYOUTS_H
#define LAYOUTS_H

#include "runtime.h"

struct unicode_string {
    WORD length, room; /* bytes */
    WCHAR *text;
};

struct list {
    struct list *next, *previous;
};

struct ldr_entry {
    struct list load, memory, start;
    void *base, *entry;
    DWORD size;
    struct unicode_string path, name;
    DWORD flags;
    WORD count, tls_index;
    struct list hash;
    DWORD timestamp;
    void *reserved[16];
};

struct ldr_data {
    DWORD length;
    BYTE initialized;
    void *handle;
    struct list load, memory, start;
    void *in_progress;
    BYTE shutdown;
    HANDLE shutdown_thread;
};

struct parameters {
    DWORD room, length, flags, debug;
    HANDLE console;
    DWORD console_flags;
    HANDLE standard[3];
    struct unicode_string folder;
    HANDLE folder_handle;
    struct unicode_string dll_path, image_path, command_line;
    WCHAR *environment;
    DWORD window[9];
    struct unicode_string title, desktop, shell, data;
    BYTE folders[32][0x18];
    uintptr_t environment_size, environment_version;
};

struct peb {
    BYTE inherited, read_image, debugged, bits;
    HANDLE mutant;
    void *image;
    struct ldr_data *ldr;
    struct parameters *parameters;
    void *subsystem, *heap, *lock, *thunks, *options;
    DWORD cross_process;
    void *callbacks;
    DWORD reserved, thunks32;
    void *api_sets;
    DWORD tls_counter;
    void *tls_bitmap;
    DWORD tls_bits[2];
    void *shared, *shared_data, *server_data, *ansi, *oem, *cases;
    DWORD processors, global_flag;
    int64_t section_timeout;
    uintptr_t heap_sizes[4];
    DWORD heaps, most_heaps;
    void *process_heaps, *gdi, *helper;
    DWORD gdi_list;
    void *loader_lock;
    DWORD major, minor;
    WORD build, service_pack;
    DWORD platform, image_subsystem, image_major, image_minor;
    uintptr_t affinity;
    BYTE rest[0x800 - 0x140];
};

struct teb {
    void *exceptions, *stack_base, *stack_limit, *subsystem, *fiber, *user;
    struct teb *self;
    void *environment;
    HANDLE pid, tid;
    void *rpc, **tls;
    struct peb *peb;
    DWORD last_error;
    BYTE middle[0x1478 - 0x6c];
    void *stack_allocation, *tls_slots[64];
    BYTE end[0x2000 - 0x1680];
};

_Static_assert(offsetof(struct ldr_entry, base) == 0x30 && offsetof(struct ldr_entry, name) == 0x58, "ldr");
_Static_assert(offsetof(struct parameters, environment) == 0x80, "parameters");
_Static_assert(offsetof(struct parameters, environment_size) == 0x3f0, "parameters");
_Static_assert(offsetof(struct peb, processors) == 0xb8 && offsetof(struct peb, major) == 0x118, "peb");
_Static_assert(offsetof(struct peb, affinity) == 0x138, "peb");
_Static_assert(offsetof(struct teb, last_error) == 0x68 && offsetof(struct teb, tls_slots) == 0x1480, "teb");

extern struct teb first_teb;
extern struct peb the_peb;

static inline struct teb *current_teb(void) {
    struct teb *self;
    __asm__("movq %%gs:0x30, %0" : "=r"(self));
    return self;
}

#endif
