/* Modules as programs ask for them. */
#include <stdlib.h>
#include <string.h>

#include "layouts.h"

enum { BY_ADDRESS = 4 };

static void *base_or_error(struct module *module, DWORD error) {
    if (module)
        return module_base(module);
    set_last_error(error);
    return 0;
}

MS(void *, GetModuleHandleW, const WCHAR *name) {
    return base_or_error(name ? find_module(name) : program_module(), ERROR_MOD_NOT_FOUND);
}

MS(void *, GetModuleHandleA, const char *name) {
    WCHAR *wide = name ? new_wide(name) : 0;
    void *base = ms_GetModuleHandleW(wide);
    free(wide);
    return base;
}

MS(BOOL, GetModuleHandleExW, DWORD flags, const void *name, void **out) {
    *out = flags & BY_ADDRESS ? base_or_error(module_holding(name), ERROR_MOD_NOT_FOUND) : ms_GetModuleHandleW(name);
    return *out != 0;
}

MS(void *, GetProcAddress, void *base, const char *name) {
    struct module *module = module_at(base ? base : the_peb.image);
    DWORD ordinal = (uintptr_t)name < 0x10000 ? (uintptr_t)name : 0;
    void *found = module ? find_export(module, ordinal ? 0 : name, ordinal) : 0;
    if (!found)
        set_last_error(module ? ERROR_PROC_NOT_FOUND : ERROR_MOD_NOT_FOUND);
    return found;
}

MS(void *, LoadLibraryA, const char *name) {
    struct module *module = load_module(name);
    attach_modules();
    return base_or_error(module, ERROR_MOD_NOT_FOUND);
}

MS(void *, LoadLibraryW, const WCHAR *name) {
    char *narrow = new_narrow(name);
    void *base = ms_LoadLibraryA(narrow);
    free(narrow);
    return base;
}
MS(void *, LoadLibraryExW, const WCHAR *name, HANDLE file, DWORD flags) { return ms_LoadLibraryW(name); }
MS(void *, LoadLibraryExA, const char *name, HANDLE file, DWORD flags) { return ms_LoadLibraryA(name); }
MS(BOOL, FreeLibrary, void *base) { return module_at(base) != 0; }

MS(DWORD, GetModuleFileNameW, void *base, WCHAR *out, DWORD room) {
    struct module *module = base ? module_at(base) : program_module();
    if (!module || !room) {
        set_last_error(module ? ERROR_INSUFFICIENT_BUFFER : ERROR_MOD_NOT_FOUND);
        return 0;
    }
    const WCHAR *path = module_path(module);
    size_t length = wide_length(path), kept = length < room ? length : room - 1;
    memcpy(out, path, 2 * kept);
    out[kept] = 0;
    set_last_error(kept < length ? ERROR_INSUFFICIENT_BUFFER : ERROR_SUCCESS);
    return kept < length ? room : length;
}

MS(DWORD, GetModuleFileNameA, void *base, char *out, DWORD room) {
    struct module *module = base ? module_at(base) : program_module();
    if (!module || !room) {
        set_last_error(module ? ERROR_INSUFFICIENT_BUFFER : ERROR_MOD_NOT_FOUND);
        return 0;
    }
    char *path = new_narrow(module_path(module));
    size_t size = strlen(path), kept = size < room ? size : room - 1;
    memcpy(out, path, kept);
    out[kept] = 0;
    set_last_error(kept < size ? ERROR_INSUFFICIENT_BUFFER : ERROR_SUCCESS);
    free(path);
    return kept < size ? room : size;
}
