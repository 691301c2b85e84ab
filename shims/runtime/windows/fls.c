/* Fiber-local storage: a thread is its only fiber. Callbacks run when a slot is freed, and at the end of the process. */
#include "layouts.h"

enum { SLOTS = 128, OUT_OF_INDEXES = -1 };
typedef void(MSABI *callback)(void *value);

static struct {
    int used;
    callback function;
    void *value;
} slots[SLOTS];

static BOOL check(DWORD index) {
    if (index < SLOTS && slots[index].used)
        return 1;
    set_last_error(ERROR_INVALID_PARAMETER);
    return 0;
}

MS(DWORD, FlsAlloc, callback function) {
    for (DWORD k = 1; k < SLOTS; k++)
        if (!slots[k].used) {
            slots[k].used = 1;
            slots[k].function = function;
            slots[k].value = 0;
            return k;
        }
    set_last_error(ERROR_NO_MORE_ITEMS);
    return OUT_OF_INDEXES;
}

MS(BOOL, FlsFree, DWORD index) {
    if (!check(index))
        return 0;
    slots[index].used = 0;
    if (slots[index].function && slots[index].value)
        slots[index].function(slots[index].value);
    return 1;
}

MS(void *, FlsGetValue, DWORD index) {
    if (!check(index))
        return 0;
    set_last_error(ERROR_SUCCESS);
    return slots[index].value;
}

MS(BOOL, FlsSetValue, DWORD index, void *value) {
    if (!check(index))
        return 0;
    slots[index].value = value;
    return 1;
}
