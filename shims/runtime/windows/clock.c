/* Time. */
#include <time.h>
#include <unistd.h>

#include "runtime.h"

#define EPOCH 116444736000000000ll /* 1970 in units of 100 ns since 1601 */

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 10000000ll + time.tv_nsec / 100;
}

MS(BOOL, QueryPerformanceCounter, int64_t *out) {
    *out = now(CLOCK_MONOTONIC);
    return 1;
}
MS(BOOL, QueryPerformanceFrequency, int64_t *out) {
    *out = 10000000;
    return 1;
}
MS(void, GetSystemTimeAsFileTime, int64_t *out) { *out = now(CLOCK_REALTIME) + EPOCH; }
MS(void, GetSystemTimePreciseAsFileTime, int64_t *out) { *out = now(CLOCK_REALTIME) + EPOCH; }
MS(QWORD, GetTickCount64, void) { return now(CLOCK_MONOTONIC) / 10000; }
MS(DWORD, GetTickCount, void) { return now(CLOCK_MONOTONIC) / 10000; }

MS(void, Sleep, DWORD milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000l};
    do
        while (nanosleep(&time, &time))
            ;
    while (milliseconds == UINT32_MAX); /* INFINITE */
}

MS(int64_t, _time64, int64_t *out) {
    int64_t seconds = time(0);
    if (out)
        *out = seconds;
    return seconds;
}
MS(LONG, clock, void) { return clock() / (CLOCKS_PER_SEC / 1000); }
