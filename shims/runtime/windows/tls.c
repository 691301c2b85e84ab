/* Slots of thread-local storage that programs ask for at run time. */
#include "layouts.h"

enum { SLOTS = 64, OUT_OF_INDEXES = -1 };

static QWORD used;

MS(DWORD, TlsAlloc, void) {
    for (DWORD k = 0; k < SLOTS; k++)
        if (!(used >> k & 1)) {
            used |= 1ull << k;
            current_teb()->tls_slots[k] = 0;
            return k;
        }
    set_last_error(ERROR_NO_MORE_ITEMS);
    return OUT_OF_INDEXES;
}

static BOOL check(DWORD index) {
    if (index < SLOTS)
        return 1;
    set_last_error(ERROR_INVALID_PARAMETER);
    return 0;
}

MS(BOOL, TlsFree, DWORD index) {
    if (!check(index))
        return 0;
    used &= ~(1ull << index);
    return 1;
}

MS(void *, TlsGetValue, DWORD index) {
    if (!check(index))
        return 0;
    set_last_error(ERROR_SUCCESS); /* so that 0 can be told from a failure */
    return current_teb()->tls_slots[index];
}

MS(BOOL, TlsSetValue, DWORD index, void *value) {
    if (!check(index))
        return 0;
    current_teb()->tls_slots[index] = value;
    return 1;
}
