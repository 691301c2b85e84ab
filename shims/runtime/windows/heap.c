/* Heaps. Every one shares the same blocks; destroying one gives its blocks back only when the process ends. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "layouts.h"

enum { HEAP_ZERO_MEMORY = 8, HEAP_REALLOC_IN_PLACE_ONLY = 16, LMEM_ZEROINIT = 0x40 };

MS(void *, GetProcessHeap, void) { return the_peb.heap; }
MS(void *, HeapCreate, DWORD options, size_t first, size_t most) { return malloc(16); }
MS(BOOL, HeapDestroy, void *heap) { return 1; }
MS(BOOL, HeapValidate, void *heap, DWORD flags, void *block) { return 1; }
MS(BOOL, HeapSetInformation, void *heap, DWORD class, void *information, size_t size) { return 1; }

MS(void *, HeapAlloc, void *heap, DWORD flags, size_t size) {
    return flags & HEAP_ZERO_MEMORY ? calloc(1, size) : malloc(size);
}

MS(void *, HeapReAlloc, void *heap, DWORD flags, void *block, size_t size) {
    size_t old = malloc_usable_size(block);
    if (flags & HEAP_REALLOC_IN_PLACE_ONLY)
        return size <= old ? block : 0;
    char *made = realloc(block, size ? size : 1);
    if (made && flags & HEAP_ZERO_MEMORY && size > old)
        memset(made + old, 0, size - old);
    return made;
}

MS(BOOL, HeapFree, void *heap, DWORD flags, void *block) {
    free(block);
    return 1;
}
MS(size_t, HeapSize, void *heap, DWORD flags, const void *block) { return malloc_usable_size((void *)block); }

MS(void *, LocalAlloc, DWORD flags, size_t size) { return flags & LMEM_ZEROINIT ? calloc(1, size) : malloc(size); }
MS(void *, LocalFree, void *block) {
    free(block);
    return 0;
}
