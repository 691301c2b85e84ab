/* Timers: timer_create on every clock and with every kind of notice, interval timers, timerfd. */
#include "sample.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t count;
static volatile unsigned work;
static siginfo_t seen;

static void note(int number, siginfo_t *about, void *context)
{
    (void)number, (void)context;
    seen = *about;
    count++;
}

static void handle(int number)
{
    struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
    sigaction(number, &action, NULL);
    count = 0;
    memset(&seen, 0, sizeof seen);
}

static struct itimerspec after(long nanoseconds, long again)
{
    struct itimerspec times = { .it_value = { 0, nanoseconds }, .it_interval = { 0, again } };
    return times;
}

/* Compute, so that CPU clocks go on too, until count is reached; 30 seconds at most. */
static int spin(int until)
{
    time_t end = time(NULL) + 30;
    while (count < until && time(NULL) < end)
        for (int i = 0; i < 10000; i++)
            work += i;
    return count >= until;
}

static int await(int number)
{
    struct timespec limit = { 30, 0 };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return sigtimedwait(&set, &seen, &limit);
}

static void clocks(void)
{
    static const struct { clockid_t clock; const char *name; } each[] = {
        { CLOCK_REALTIME, "CLOCK_REALTIME" }, { CLOCK_MONOTONIC, "CLOCK_MONOTONIC" }, { CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
        { CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID" }, { CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID" },
    };
    for (unsigned i = 0; i < sizeof each / sizeof *each; i++) {
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 100 + i };
        struct itimerspec once = after(2000000, 0), left = after(1, 1);
        timer_t timer;
        handle(SIGUSR1);
        CHECK(each[i].name, timer_create(each[i].clock, &event, &timer) == 0);
        CHECK("is not armed yet", timer_gettime(timer, &left) == 0 && !left.it_value.tv_sec && !left.it_value.tv_nsec);
        CHECK("fires", timer_settime(timer, 0, &once, NULL) == 0 && spin(1));
        CHECK("tells who and what", seen.si_code == SI_TIMER && seen.si_signo == SIGUSR1 && seen.si_value.sival_int == 100 + (int)i &&
              seen.si_overrun == 0);
        CHECK("has stopped", timer_gettime(timer, &left) == 0 && !left.it_value.tv_sec && !left.it_value.tv_nsec && count == 1);
        once = after(2000000, 2000000);
        CHECK("fires again and again", timer_settime(timer, 0, &once, NULL) == 0 && spin(4));
        CHECK("is deleted", timer_delete(timer) == 0);
        FAILS("and gone", timer_gettime(timer, &left), EINVAL);
    }
}

static void notices(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_NONE };
    struct itimerspec times = { .it_value = { 100, 0 }, .it_interval = { 7, 5 } }, left, old;
    timer_t timer, other;
    CHECK("a timer that tells nothing", timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &times, NULL) == 0);
    CHECK("what is left", timer_gettime(timer, &left) == 0 && left.it_value.tv_sec >= 90 && left.it_value.tv_sec <= 100 &&
          left.it_interval.tv_sec == 7 && left.it_interval.tv_nsec == 5);
    times = after(0, 0);
    CHECK("the old setting", timer_settime(timer, 0, &times, &old) == 0 && old.it_value.tv_sec >= 90 && old.it_interval.tv_sec == 7);
    times.it_value.tv_nsec = 1000000000;
    FAILS("too many nanoseconds", timer_settime(timer, 0, &times, NULL), EINVAL);
    CHECK("no overrun", timer_getoverrun(timer) == 0);
    handle(SIGALRM);
    CHECK("without an event", timer_create(CLOCK_MONOTONIC, NULL, &other) == 0 && other != timer);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    times = after(0, 0);
    times.it_value = now;
    CHECK("a time that has passed", timer_settime(other, TIMER_ABSTIME, &times, NULL) == 0 && spin(1) && seen.si_code == SI_TIMER);
    timer_delete(timer), timer_delete(other);
    event.sigev_notify = 77;
    FAILS("a notice of no kind", timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    event.sigev_notify = SIGEV_SIGNAL, event.sigev_signo = 1000;
    FAILS("a signal that is none", timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    event.sigev_signo = SIGUSR1;
    FAILS("a clock that is none", timer_create(12345, &event, &timer), EINVAL);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_notify_thread_id = syscall(SYS_gettid);
    event.sigev_signo = SIGRTMIN + 5;
    handle(SIGRTMIN + 5);
    times = after(1000000, 0);
    CHECK("to a thread", timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &times, NULL) == 0 && spin(1));
    timer_delete(timer);
    event.sigev_notify_thread_id = 1;
    FAILS("to a thread of others", timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
}

static void called(union sigval value)
{
    count = value.sival_int;
}

static void threads(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = called, .sigev_value.sival_int = 5 };
    struct itimerspec times = after(1000000, 0);
    timer_t timer;
    count = 0;
    CHECK("a function in a thread of its own", timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
          timer_settime(timer, 0, &times, NULL) == 0 && spin(5));
    CHECK("deleted", timer_delete(timer) == 0);
}

static void overruns(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4, .sigev_value.sival_int = 9 };
    struct itimerspec times = after(1000000, 1000000);
    struct timespec wait = { 0, 30000000 };
    timer_t timer;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 4);
    sigprocmask(SIG_BLOCK, &set, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &times, NULL);
    nanosleep(&wait, NULL);
    CHECK("one signal for many firings", await(SIGRTMIN + 4) == SIGRTMIN + 4 && seen.si_overrun >= 15 && seen.si_value.sival_int == 9);
    CHECK("they are counted", timer_getoverrun(timer) == seen.si_overrun);
    nanosleep(&wait, NULL);
    CHECK("and counted anew", await(SIGRTMIN + 4) == SIGRTMIN + 4 && seen.si_overrun >= 15 && seen.si_overrun < 1000);
    times = after(0, 0);
    nanosleep(&wait, NULL);
    timer_settime(timer, 0, &times, NULL);
    wait.tv_nsec = 2000000;
    FAILS("disarmed, its signal is gone", sigtimedwait(&set, &seen, &wait), EAGAIN);
    int status;
    pid_t pid = fork();
    if (!pid)
        _exit(timer_gettime(timer, &times) == -1 && errno == EINVAL);
    CHECK("a child has no timers", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1);
    timer_delete(timer);
}

static void intervals(void)
{
    static const struct { int which, number; const char *name; } each[] = {
        { ITIMER_REAL, SIGALRM, "ITIMER_REAL" }, { ITIMER_VIRTUAL, SIGVTALRM, "ITIMER_VIRTUAL" }, { ITIMER_PROF, SIGPROF, "ITIMER_PROF" },
    };
    for (unsigned i = 0; i < 3; i++) {
        struct itimerval times = { { 0, 5000 }, { 0, 5000 } }, none = { { 0, 0 }, { 0, 0 } }, old;
        handle(each[i].number);
        CHECK(each[i].name, setitimer(each[i].which, &times, NULL) == 0 && spin(3) && seen.si_code == SI_KERNEL);
        CHECK("switched off", setitimer(each[i].which, &none, &old) == 0 && old.it_interval.tv_usec > 0);
        count = 0;
        for (int j = 0; j < 1000000; j++)
            work += j;
        CHECK("stays silent", count == 0);
    }
}

static volatile long firings;

static void count_firings(int number, siginfo_t *about, void *context)
{
    (void)number, (void)context;
    firings += 1 + about->si_overrun;
}

/* A timer that fires faster than a handler runs must leave time for the rest of the program. */
static void fast(void)
{
    struct sigaction action = { .sa_sigaction = count_firings, .sa_flags = SA_SIGINFO };
    struct itimerspec often = after(50000, 50000), never = after(0, 0), left;
    struct timespec begin, end;
    timer_t timer;
    sigaction(SIGALRM, &action, NULL);
    timer_create(CLOCK_MONOTONIC, NULL, &timer);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    timer_settime(timer, 0, &often, NULL);
    for (int i = 0; i < 1000000; i++)
        work += i;
    CHECK("its interval stays", timer_gettime(timer, &left) == 0 && left.it_interval.tv_nsec == 50000 && left.it_value.tv_nsec <= 50000);
    timer_settime(timer, 0, &never, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    timer_delete(timer);
    double passed = (end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec);
    CHECK("computing goes on beside a fast timer", 1);
    CHECK("signals and overruns are its firings", firings > passed / 50000 / 2 && firings <= passed / 50000 + 1);
}

static void descriptors(void)
{
    uint64_t times = 0;
    struct itimerspec soon = after(2000000, 2000000), left;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    FAILS("timerfd has nothing yet", read(fd, &times, 8), EAGAIN);
    CHECK("armed", timerfd_settime(fd, 0, &soon, NULL) == 0);
    struct pollfd about = { .fd = fd, .events = POLLIN };
    CHECK("poll sees it fire", poll(&about, 1, 30000) == 1 && about.revents == POLLIN);
    struct timespec wait = { 0, 30000000 };
    nanosleep(&wait, NULL);
    CHECK("it counts", read(fd, &times, 8) == 8 && times >= 10 && times < 10000);
    CHECK("what is left", timerfd_gettime(fd, &left) == 0 && left.it_interval.tv_nsec == 2000000 && left.it_value.tv_nsec <= 2000000);
    FAILS("timerfd of no clock", timerfd_create(77, 0), EINVAL);
    close(fd);
}

int main(void)
{
    clocks();
    notices();
    threads();
    overruns();
    intervals();
    fast();
    descriptors();
    return finish();
}
