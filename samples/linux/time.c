/* Clocks and sleeping, told as relations: nothing here depends on when it runs. */
#include "sample.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#ifndef SYS_clock_gettime
#define SYS_clock_gettime SYS_clock_gettime64
#endif

static long long now(clockid_t clock)
{
    struct timespec value;
    return clock_gettime(clock, &value) ? -1 : value.tv_sec * 1000000000ll + value.tv_nsec;
}

static void clocks(void)
{
    static const struct { clockid_t clock; const char *name; } each[] = {
        { CLOCK_REALTIME, "CLOCK_REALTIME" }, { CLOCK_MONOTONIC, "CLOCK_MONOTONIC" },
        { CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID" }, { CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID" },
        { CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW" }, { CLOCK_REALTIME_COARSE, "CLOCK_REALTIME_COARSE" },
        { CLOCK_MONOTONIC_COARSE, "CLOCK_MONOTONIC_COARSE" }, { CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
    };
    struct timespec step;
    for (unsigned i = 0; i < sizeof each / sizeof *each; i++) {
        long long last = now(each[i].clock), backward = 0;
        CHECK(each[i].name, last > 0 && clock_getres(each[i].clock, &step) == 0 && step.tv_sec == 0 && step.tv_nsec > 0);
        for (int j = 0; j < 200; j++) {
            long long next = now(each[i].clock);
            backward += next < last;
            last = next;
        }
        CHECK("does not go back", i == 0 || i == 5 || !backward);
    }
    struct timeval day;
    long long real = now(CLOCK_REALTIME);
    CHECK("gettimeofday agrees", gettimeofday(&day, NULL) == 0 && llabs(day.tv_sec - real / 1000000000) <= 2);
    CHECK("time agrees", llabs(time(NULL) - real / 1000000000) <= 2);
    CHECK("it is after 2024", real / 1000000000 > 1704067200);
    FAILS("clock_gettime of no clock", clock_gettime(12345, &step), EINVAL);
    FAILS("clock_gettime into nowhere", syscall(SYS_clock_gettime, CLOCK_REALTIME, 16L), EFAULT);
}

static void sleeping(void)
{
    struct timespec wait = { 0, 20000000 }, left, at;
    long long start = now(CLOCK_MONOTONIC);
    CHECK("nanosleep takes its time", nanosleep(&wait, &left) == 0 && now(CLOCK_MONOTONIC) - start >= 20000000);
    clock_gettime(CLOCK_MONOTONIC, &at);
    start = now(CLOCK_MONOTONIC);
    at.tv_nsec += 20000000;
    if (at.tv_nsec >= 1000000000)
        at.tv_sec++, at.tv_nsec -= 1000000000;
    CHECK("clock_nanosleep until a time", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0 &&
          now(CLOCK_MONOTONIC) >= at.tv_sec * 1000000000ll + at.tv_nsec);
    CHECK("a time that has passed", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
    CHECK("clock_nanosleep for a while", clock_nanosleep(CLOCK_REALTIME, 0, &wait, &left) == 0);
    wait.tv_nsec = 1000000000;
    FAILS("too many nanoseconds", nanosleep(&wait, NULL), EINVAL);
    wait.tv_nsec = -1;
    FAILS("too few nanoseconds", nanosleep(&wait, NULL), EINVAL);
    wait.tv_nsec = 0, wait.tv_sec = -1;
    FAILS("a negative time", nanosleep(&wait, NULL), EINVAL);
    CHECK("clock_nanosleep of no clock", clock_nanosleep(12345, 0, &at, NULL) == EINVAL);
    CHECK("usleep", usleep(1000) == 0);
}

static void used(void)
{
    struct rusage usage;
    struct tms times_;
    volatile unsigned work = 0;
    long long before = now(CLOCK_PROCESS_CPUTIME_ID);
    while (now(CLOCK_PROCESS_CPUTIME_ID) - before < 2000000)
        work += 1;
    CHECK("computing uses CPU time", now(CLOCK_PROCESS_CPUTIME_ID) > before && work > 0);
    CHECK("getrusage", getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_utime.tv_sec >= 0 && usage.ru_maxrss > 0);
    CHECK("times", times(&times_) != (clock_t)-1 && times_.tms_utime >= 0);
    CHECK("clock", clock() > 0);
    FAILS("getrusage of nobody", getrusage(99, &usage), EINVAL);
}

static void calendar(void)
{
    time_t moment = 1709210096;
    struct tm parts;
    gmtime_r(&moment, &parts);
    say("second 1709210096 is %d-%d-%d %d:%d:%d, day %d of the week, %d of the year", parts.tm_year + 1900, parts.tm_mon + 1,
        parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, parts.tm_wday, parts.tm_yday);
    say("and back %Ld", (long long)timegm(&parts));
    moment = (time_t)4102444800;
    gmtime_r(&moment, &parts);
    say("second 4102444800 is in %d", parts.tm_year + 1900);
}

int main(void)
{
    clocks();
    sleeping();
    used();
    calendar();
    return finish();
}
