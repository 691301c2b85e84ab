/* Modules: relocation, imports, static thread-local storage, the order of DllMain. The host only maps images. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layouts.h"
#include "pe.h"

enum { PAGE = 4096, DLL_DETACH = 0, DLL_ATTACH = 1, MOST_TLS = 256, HIGH_ORDINAL = 63 };

struct module {
    struct ldr_entry entry; /* first: lists lead here */
    int attached;
};

static void *tls_vector[MOST_TLS];
static DWORD tls_count;

static void append(struct list *list, struct list *link) {
    link->next = list;
    link->previous = list->previous;
    list->previous->next = link;
    list->previous = link;
}

static struct module *of_link(struct list *link, size_t offset) { return (struct module *)((char *)link - offset); }

#define EACH_MODULE(module)                                                                                  \
    for (struct list *link = the_peb.ldr->load.next; link != &the_peb.ldr->load; link = link->next)          \
        for (struct module *module = of_link(link, 0); module; module = 0)

void *module_base(struct module *module) { return module->entry.base; }
void *module_entry(struct module *module) { return module->entry.entry; }
const WCHAR *module_path(struct module *module) { return module->entry.path.text; }
struct module *program_module(void) { return of_link(the_peb.ldr->load.next, 0); }

struct module *module_at(const void *base) {
    EACH_MODULE(module)
    if (module->entry.base == base)
        return module;
    return 0;
}

struct module *module_holding(const void *address) {
    EACH_MODULE(module)
    if ((uintptr_t)address - (uintptr_t)module->entry.base < module->entry.size)
        return module;
    return 0;
}

/* A name without an extension means .dll. */
struct module *find_module(const WCHAR *name) {
    size_t length = wide_length(name), last = 0;
    for (size_t k = 0; k < length; k++)
        if (name[k] == '\\' || name[k] == '/')
            last = k + 1;
    name += last;
    length -= last;
    EACH_MODULE(module) {
        WCHAR *own = module->entry.name.text;
        size_t size = module->entry.name.length / 2;
        int bare = size == length + 4 && !wide_compare_folded(own + length, u".dll", 4);
        if ((size == length || bare) && !wide_compare_folded(own, name, length))
            return module;
    }
    return 0;
}

/* --- rights --- */

static int rights_of(DWORD characteristics) {
    return (characteristics >> 30 & 1 ? PROT_READ : 0) | (characteristics >> 31 ? PROT_WRITE : 0) |
           (characteristics >> 29 & 1 ? PROT_EXEC : 0);
}

/* Give the section at rva, or all with rva 0, its own rights, or let it be written. */
static void protect(char *base, DWORD rva, int writable) {
    struct nt_headers *headers = headers_of(base);
    struct section *section = sections_of(headers);
    for (int k = 0; k < headers->sections; k++, section++) {
        size_t size = (section->size ? section->size : section->file_size) + PAGE - 1 & -PAGE;
        if (rva && rva - section->rva >= size)
            continue;
        mprotect(base + section->rva, size, writable ? PROT_READ | PROT_WRITE : rights_of(section->characteristics));
    }
}

/* --- relocation --- */

static void relocate(char *base) {
    struct nt_headers *headers = headers_of(base);
    struct directory directory = headers->directories[DIR_RELOCATION];
    uintptr_t delta = (uintptr_t)base - headers->image_base;
    if (!delta || !directory.size)
        return;
    protect(base, 0, 1);
    for (DWORD at = 0; at + 8 <= directory.size;) {
        DWORD *block = (DWORD *)(base + directory.rva + at);
        WORD *entry = (WORD *)(block + 2);
        for (DWORD k = 0; block[1] >= 8 && k < (block[1] - 8) / 2; k++) {
            char *place = base + block[0] + (entry[k] & 0xfff);
            if (entry[k] >> 12 == 10) /* IMAGE_REL_BASED_DIR64 */
                *(uintptr_t *)place += delta;
            else if (entry[k] >> 12 == 3) /* IMAGE_REL_BASED_HIGHLOW */
                *(DWORD *)place += delta;
        }
        if (!block[1])
            break;
        at += block[1];
    }
    protect(base, 0, 0);
}

/* --- exports --- */

static void *forwarded(const char *text) {
    char name[256];
    const char *dot = strrchr(text, '.');
    if (!dot || dot - text > 240)
        return 0;
    memcpy(name, text, dot - text);
    strcpy(name + (dot - text), ".dll");
    struct module *module = load_module(name);
    if (!module)
        return 0;
    return dot[1] == '#' ? find_export(module, 0, atoi(dot + 2)) : find_export(module, dot + 1, 0);
}

void *find_export(struct module *module, const char *name, DWORD ordinal) {
    char *base = module->entry.base;
    struct directory directory = headers_of(base)->directories[DIR_EXPORT];
    if (!directory.size)
        return 0;
    struct export_directory *exports = (void *)(base + directory.rva);
    DWORD *names = (DWORD *)(base + exports->name_table), index = ordinal - exports->ordinal_base;
    if (name) {
        DWORD low = 0, high = exports->names;
        while (low < high) {
            DWORD middle = (low + high) / 2;
            int order = strcmp(name, base + names[middle]);
            if (!order) {
                index = ((WORD *)(base + exports->ordinal_table))[middle];
                break;
            }
            if (order < 0)
                high = middle;
            else
                low = middle + 1;
        }
        if (low >= high)
            return 0;
    }
    if (index >= exports->functions)
        return 0;
    DWORD rva = ((DWORD *)(base + exports->function_table))[index];
    if (rva - directory.rva < directory.size)
        return forwarded(base + rva);
    return rva ? base + rva : 0;
}

/* --- imports --- */

static void *import(struct module *module, const char *library, char *base, uintptr_t entry) {
    int by_ordinal = entry >> HIGH_ORDINAL;
    const char *name = base + (DWORD)entry + 2;
    char number[8] = "#";
    void *found = !module      ? 0
                  : by_ordinal ? find_export(module, 0, entry & 0xffff)
                               : find_export(module, name, 0);
    if (found)
        return found;
    if (by_ordinal) { /* what isn't there fails when it is called, not before */
        DWORD ordinal = entry & 0xffff;
        char *at = number + 1;
        for (DWORD unit = 10000; unit; unit /= 10)
            if (ordinal >= unit || unit == 1)
                *at++ = '0' + ordinal / unit % 10;
        *at = 0;
        name = number;
    }
    return (void *)syscall(CALL_UNWRITTEN, library, name);
}

static void bind_imports(char *base) {
    struct nt_headers *headers = headers_of(base);
    if (!headers->directories[DIR_IMPORT].size)
        return;
    struct import_descriptor *each = (void *)(base + headers->directories[DIR_IMPORT].rva);
    for (; each->library && each->slots; each++) {
        const char *library = base + each->library;
        struct module *module = load_module(library);
        uintptr_t *names = (uintptr_t *)(base + (each->names ? each->names : each->slots));
        uintptr_t *slots = (uintptr_t *)(base + each->slots);
        protect(base, each->slots, 1);
        for (; *names; names++, slots++)
            *slots = (uintptr_t)import(module, library, base, *names);
        protect(base, each->slots, 0);
    }
}

/* --- thread-local storage --- */

static struct tls_directory *tls_of(char *base) {
    struct directory directory = headers_of(base)->directories[DIR_TLS];
    return directory.size ? (struct tls_directory *)(base + directory.rva) : 0;
}

static void give_tls(struct module *module) {
    struct tls_directory *tls = tls_of(module->entry.base);
    if (!tls || tls_count == MOST_TLS)
        return;
    size_t size = tls->end - tls->start;
    char *block = calloc(1, size + tls->zeros + 16);
    memcpy(block, (void *)tls->start, size);
    *tls->index = tls_count;
    module->entry.tls_index = -1;
    tls_vector[tls_count++] = block;
    current_teb()->tls = tls_vector;
}

static void call_tls(struct module *module, DWORD reason) {
    struct tls_directory *tls = tls_of(module->entry.base);
    if (tls && tls->callbacks)
        for (int k = 0; tls->callbacks[k]; k++)
            tls->callbacks[k](module->entry.base, reason, 0);
}

/* --- loading --- */

static struct unicode_string counted(WCHAR *text) {
    size_t size = 2 * wide_length(text);
    return (struct unicode_string){size, size + 2, text};
}

static struct module *enter(char *base, WCHAR *path) {
    struct nt_headers *headers = headers_of(base);
    struct module *module = calloc(1, sizeof *module);
    module->entry.base = base;
    module->entry.entry = headers->entry ? base + headers->entry : 0;
    module->entry.size = headers->image_size;
    module->entry.timestamp = headers->timestamp;
    module->entry.count = 1;
    module->entry.path = counted(path);
    size_t last = 0;
    for (size_t k = 0; path[k]; k++)
        if (path[k] == '\\')
            last = k + 1;
    module->entry.name = counted(path + last);
    append(&the_peb.ldr->load, &module->entry.load);
    append(&the_peb.ldr->memory, &module->entry.memory);
    return module;
}

static struct module *link_up(struct module *module) {
    char *base = module->entry.base;
    relocate(base);
    bind_imports(base);
    give_tls(module);
    append(&the_peb.ldr->start, &module->entry.start);
    return module;
}

/* A library's own path: what the host found, or for its synthetic images a place among the system's files. */
static WCHAR *path_of(char *base, const char *name) {
    struct directory directory = headers_of(base)->directories[DIR_EXPORT];
    if (directory.size)
        name = base + ((struct export_directory *)(base + directory.rva))->name;
    char path[4200] = "C:\\Windows\\System32\\";
    strncat(path, name, 4096);
    return new_wide(path);
}

struct module *load_module(const char *name) {
    long found = syscall(CALL_OPEN_LIBRARY, name);
    if (found == -1)
        return 0;
    struct module *known = module_at((void *)found);
    if (known) {
        if (known->entry.count != (WORD)-1)
            known->entry.count++;
        return known;
    }
    return link_up(enter((char *)found, path_of((char *)found, name)));
}

/* The program stands first in the lists, then what every process has. */
void start_modules(void *image, const WCHAR *path) {
    struct module *program = enter(image, (WCHAR *)path);
    load_module("ntdll.dll");
    load_module("kernel32.dll");
    link_up(program);
}

static BOOL call_entry(struct module *module, DWORD reason, void *reserved) {
    BOOL(MSABI *entry)(void *, DWORD, void *) = module->entry.entry;
    return module == program_module() || !entry || entry(module->entry.base, reason, reserved);
}

void attach_modules(void) {
    struct list *head = &the_peb.ldr->start;
    for (struct list *link = head->next; link != head; link = link->next) {
        struct module *module = of_link(link, offsetof(struct ldr_entry, start));
        if (module->attached)
            continue;
        module->attached = 1;
        call_tls(module, DLL_ATTACH);
        call_entry(module, DLL_ATTACH, 0);
    }
}

void detach_modules(void) {
    struct list *head = &the_peb.ldr->start;
    for (struct list *link = head->previous; link != head; link = link->previous) {
        struct module *module = of_link(link, offsetof(struct ldr_entry, start));
        if (!module->attached)
            continue;
        module->attached = 0;
        call_entry(module, DLL_DETACH, (void *)1);
        call_tls(module, DLL_DETACH);
    }
}
