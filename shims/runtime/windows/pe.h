/* Headers of a PE file in memory. Source: Microsoft's "PE Format". */
#ifndef PE_H
#define PE_H

#include "runtime.h"

enum { DIR_EXPORT = 0, DIR_IMPORT = 1, DIR_RELOCATION = 5, DIR_TLS = 9 };

struct directory {
    DWORD rva, size;
};

struct nt_headers {
    DWORD signature;
    WORD machine, sections;
    DWORD timestamp, symbols, symbol_count;
    WORD optional_size, characteristics;
    /* PE32+ */
    WORD magic;
    BYTE linker[2];
    DWORD code, data, bss, entry, code_base;
    uintptr_t image_base;
    DWORD section_alignment, file_alignment;
    WORD versions[4];
    WORD subsystem_major, subsystem_minor;
    DWORD win32_version, image_size, headers_size, checksum;
    WORD subsystem, dll_characteristics;
    uintptr_t stack_reserve, stack_commit, heap_reserve, heap_commit;
    DWORD loader_flags, directory_count;
    struct directory directories[16];
};

struct section {
    char name[8];
    DWORD size, rva, file_size, offset, relocations, lines;
    WORD relocation_count, line_count;
    DWORD characteristics;
};

struct import_descriptor {
    DWORD names, timestamp, forwarder, library, slots;
};

struct export_directory {
    DWORD characteristics, timestamp, version, name, ordinal_base, functions, names;
    DWORD function_table, name_table, ordinal_table;
};

struct tls_directory {
    uintptr_t start, end;
    DWORD *index;
    void (MSABI **callbacks)(void *base, DWORD reason, void *reserved);
    DWORD zeros, characteristics;
};

static inline struct nt_headers *headers_of(const void *base) {
    return (struct nt_headers *)((char *)base + *(DWORD *)((char *)base + 0x3c));
}

static inline struct section *sections_of(struct nt_headers *headers) {
    return (struct section *)((char *)&headers->magic + headers->optional_size);
}

#endif
