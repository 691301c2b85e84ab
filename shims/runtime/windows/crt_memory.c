/* The heap, sorting and searching. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "crt.h"

MS(void *, malloc, size_t size) { return malloc(size); }
MS(void *, calloc, size_t count, size_t size) { return calloc(count, size); }
MS(void *, realloc, void *block, size_t size) {
    if (block && !size) { /* frees, and returns null */
        free(block);
        return 0;
    }
    return realloc(block, size);
}
MS(void *, _recalloc, void *block, size_t count, size_t size) {
    size_t old = block ? malloc_usable_size(block) : 0, wanted;
    if (__builtin_mul_overflow(count, size, &wanted))
        return 0;
    char *made = realloc(block, wanted);
    if (made && wanted > old)
        memset(made + old, 0, wanted - old);
    return made;
}
MS(void, free, void *block) { free(block); }
MS(size_t, _msize, void *block) { return malloc_usable_size(block); }
MS(void *, _aligned_malloc, size_t size, size_t alignment) {
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
MS(void, _aligned_free, void *block) { free(block); }
MS(int, _callnewh, size_t size) { return 0; }

typedef int(MSABI *comparison)(const void *, const void *);

static int compare(const void *a, const void *b, void *function) { return ((comparison)function)(a, b); }

extern void qsort_r(void *, size_t, size_t, int (*)(const void *, const void *, void *), void *);

MS(void, qsort, void *base, size_t count, size_t size, comparison function) {
    qsort_r(base, count, size, compare, function);
}

MS(void *, bsearch, const void *key, const char *base, size_t count, size_t size, comparison function) {
    while (count) {
        const char *middle = base + count / 2 * size;
        int order = function(key, middle);
        if (!order)
            return (void *)middle;
        if (order > 0) {
            base = middle + size;
            count -= count / 2 + 1;
        } else
            count /= 2;
    }
    return 0;
}
