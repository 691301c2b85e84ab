/* Slim locks and things done once. A lock's word: 1 owned, 2 somebody waits, 4 for each reader. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layouts.h"

enum { OWNED = 1, AWAITED = 2, READER = 4 };
enum { ONCE_PENDING = 1, ONCE_DONE = 2, ONCE_CHECK_ONLY = 1, ONCE_FAILED = 4, ONCE_ASYNC = 2 };

/* Take the lock by adding to its word, unless any bit of *closed* is there. */
static int try(DWORD *word, DWORD closed, DWORD add) {
    DWORD now = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (!(now & closed))
        if (__atomic_compare_exchange_n(word, &now, now + add, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return 1;
    return 0;
}

static void take(DWORD *word, DWORD closed, DWORD add) {
    while (!try(word, closed, add)) {
        DWORD now = __atomic_or_fetch(word, AWAITED, __ATOMIC_RELAXED);
        if (now & closed)
            syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, now, 0);
    }
}

static void give(DWORD *word, DWORD held) {
    DWORD now = __atomic_sub_fetch(word, held, __ATOMIC_RELEASE);
    if (now == AWAITED) {
        __atomic_and_fetch(word, ~AWAITED, __ATOMIC_RELAXED);
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX);
    }
}

MS(void, InitializeSRWLock, DWORD *lock) { *(QWORD *)lock = 0; }
MS(void, AcquireSRWLockExclusive, DWORD *lock) { take(lock, ~(DWORD)AWAITED, OWNED); }
MS(BOOL, TryAcquireSRWLockExclusive, DWORD *lock) { return try(lock, ~(DWORD)AWAITED, OWNED); }
MS(void, ReleaseSRWLockExclusive, DWORD *lock) { give(lock, OWNED); }
MS(void, AcquireSRWLockShared, DWORD *lock) { take(lock, OWNED, READER); }
MS(BOOL, TryAcquireSRWLockShared, DWORD *lock) { return try(lock, OWNED, READER); }
MS(void, ReleaseSRWLockShared, DWORD *lock) { give(lock, READER); }

typedef BOOL(MSABI *once_function)(void *once, void *parameter, void **context);

MS(BOOL, InitOnceBeginInitialize, QWORD *once, DWORD flags, BOOL *pending, void **context) {
    if (*once & ONCE_DONE) {
        if (context)
            *context = (void *)(*once & ~3ull);
        *pending = 0;
        return 1;
    }
    if (flags & ONCE_CHECK_ONLY)
        return 0;
    *once = ONCE_PENDING;
    *pending = 1;
    return 1;
}

MS(BOOL, InitOnceComplete, QWORD *once, DWORD flags, void *context) {
    *once = flags & ONCE_FAILED ? 0 : (uintptr_t)context | ONCE_DONE;
    return 1;
}

MS(BOOL, InitOnceExecuteOnce, QWORD *once, once_function function, void *parameter, void **context) {
    BOOL pending;
    ms_InitOnceBeginInitialize(once, 0, &pending, context);
    if (!pending)
        return 1;
    void *made = 0;
    BOOL good = function(once, parameter, &made);
    ms_InitOnceComplete(once, good ? 0 : ONCE_FAILED, made);
    if (context)
        *context = made;
    return good;
}
