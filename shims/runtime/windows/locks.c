/* Critical sections: a futex word that is -1 when free, 0 when taken, 1 when somebody may wait for it. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layouts.h"

struct section {
    void *debug;
    LONG word, depth;
    HANDLE owner, semaphore;
    size_t spins;
};
enum { FREE = -1, TAKEN = 0, AWAITED = 1 };

MS(BOOL, InitializeCriticalSectionEx, struct section *section, DWORD spins, DWORD flags) {
    *section = (struct section){(void *)-1, FREE, 0, 0, 0, spins & 0xffffff};
    return 1;
}
MS(void, InitializeCriticalSection, struct section *section) { ms_InitializeCriticalSectionEx(section, 0, 0); }
MS(BOOL, InitializeCriticalSectionAndSpinCount, struct section *section, DWORD spins) {
    return ms_InitializeCriticalSectionEx(section, spins, 0);
}
MS(void, DeleteCriticalSection, struct section *section) { *section = (struct section){0, FREE}; }

MS(BOOL, TryEnterCriticalSection, struct section *section) {
    HANDLE self = current_teb()->tid;
    LONG expected = FREE;
    if (section->owner != self &&
        !__atomic_compare_exchange_n(&section->word, &expected, TAKEN, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return 0;
    section->owner = self;
    section->depth++;
    return 1;
}

MS(void, EnterCriticalSection, struct section *section) {
    if (ms_TryEnterCriticalSection(section))
        return;
    while (__atomic_exchange_n(&section->word, AWAITED, __ATOMIC_ACQUIRE) != FREE)
        syscall(SYS_futex, &section->word, FUTEX_WAIT_PRIVATE, AWAITED, 0);
    section->owner = current_teb()->tid;
    section->depth = 1;
}

MS(void, LeaveCriticalSection, struct section *section) {
    if (--section->depth > 0)
        return;
    section->owner = 0;
    if (__atomic_exchange_n(&section->word, FREE, __ATOMIC_RELEASE) == AWAITED)
        syscall(SYS_futex, &section->word, FUTEX_WAKE_PRIVATE, 1);
}
