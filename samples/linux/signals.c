/* Signals: handlers, masks, restarts, stacks, values, timers, and what a handler may do. */
#include "sample.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t count, depth, deepest, last, mask_right;
static volatile siginfo_t about_last;
static int tube[2];

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    sigaction(number, &action, NULL);
    count = deepest = 0;
}

static void handle_with_info(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };
    sigaction(number, &action, NULL);
    count = 0;
}

static int blocked(int number)
{
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, number);
}

static void set_blocked(int how, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(how, &set, NULL);
}

static void counting(int number)
{
    count++;
    last = number;
}

static void informed(int number, siginfo_t *about, void *context)
{
    count++;
    last = number;
    memcpy((void *)&about_last, about, sizeof about_last);
    mask_right = context && !sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

static void basics(void)
{
    struct sigaction action = { 0 }, before;
    handle(SIGUSR1, counting, 0);
    CHECK("raise", raise(SIGUSR1) == 0 && count == 1 && last == SIGUSR1);
    CHECK("kill itself", kill(getpid(), SIGUSR1) == 0 && count == 2);
    CHECK("the old action", sigaction(SIGUSR1, NULL, &before) == 0 && before.sa_handler == counting);
    CHECK("SIG_IGN", signal(SIGUSR1, SIG_IGN) == counting && raise(SIGUSR1) == 0 && count == 2);
    CHECK("the old action was SIG_IGN", sigaction(SIGUSR1, NULL, &before) == 0 && before.sa_handler == SIG_IGN);
    CHECK("SIGCHLD, SIGURG, SIGWINCH do nothing by default", !raise(SIGCHLD) && !raise(SIGURG) && !raise(SIGWINCH));
    CHECK("kill with signal 0 only asks", kill(getpid(), 0) == 0);
    action.sa_handler = counting;
    FAILS("an action for SIGKILL", sigaction(SIGKILL, &action, NULL), EINVAL);
    FAILS("an action for SIGSTOP", sigaction(SIGSTOP, &action, NULL), EINVAL);
    FAILS("an action for signal 200", sigaction(200, &action, NULL), EINVAL);
    FAILS("kill with signal 200", kill(getpid(), 200), EINVAL);
    FAILS("kill of a process that can't be", kill(0x3fffffff, 0), ESRCH);
    handle(SIGUSR1, counting, SA_RESETHAND);
    raise(SIGUSR1);
    CHECK("SA_RESETHAND", count == 1 && sigaction(SIGUSR1, NULL, &before) == 0 && before.sa_handler == SIG_DFL);
    handle(SIGRTMIN + 3, counting, 0);
    CHECK("a real time signal", raise(SIGRTMIN + 3) == 0 && count == 1 && last == SIGRTMIN + 3);
    handle(SIGRTMAX, counting, 0);
    CHECK("the last signal", raise(SIGRTMAX) == 0 && count == 1 && last == SIGRTMAX);
}

static void information(void)
{
    union sigval value = { .sival_ptr = (void *)0x1234 };
    handle_with_info(SIGUSR1, informed, 0);
    kill(getpid(), SIGUSR1);
    CHECK("siginfo of kill", count == 1 && about_last.si_signo == SIGUSR1 && about_last.si_code == SI_USER &&
          about_last.si_pid == getpid() && about_last.si_uid == getuid());
    raise(SIGUSR1);
    CHECK("siginfo of raise", about_last.si_code == SI_TKILL && about_last.si_pid == getpid());
    CHECK("sigqueue", sigqueue(getpid(), SIGUSR1, value) == 0 && count == 3);
    CHECK("its value", about_last.si_code == SI_QUEUE && about_last.si_value.sival_ptr == value.sival_ptr &&
          about_last.si_pid == getpid());
    CHECK("the mask in the context", mask_right);
}

static void nested(int number)
{
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (++count < 3)
        raise(number);
    depth--;
}

static void masks(void)
{
    sigset_t set;
    handle(SIGUSR1, counting, 0);
    set_blocked(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1), raise(SIGUSR1);
    CHECK("a blocked signal waits", count == 0 && sigpending(&set) == 0 && sigismember(&set, SIGUSR1));
    set_blocked(SIG_UNBLOCK, SIGUSR1);
    CHECK("and comes once", count == 1 && sigpending(&set) == 0 && !sigismember(&set, SIGUSR1));
    handle(SIGRTMIN + 1, counting, 0);
    set_blocked(SIG_BLOCK, SIGRTMIN + 1);
    raise(SIGRTMIN + 1), raise(SIGRTMIN + 1), raise(SIGRTMIN + 1);
    set_blocked(SIG_UNBLOCK, SIGRTMIN + 1);
    CHECK("real time signals queue", count == 3);
    handle(SIGUSR1, nested, 0);
    raise(SIGUSR1);
    CHECK("a signal is blocked in its own handler", count == 3 && deepest == 1 && !blocked(SIGUSR1));
    handle(SIGUSR1, nested, SA_NODEFER);
    raise(SIGUSR1);
    CHECK("not with SA_NODEFER", count == 3 && deepest == 3);
    set_blocked(SIG_BLOCK, SIGUSR2);
    handle(SIGUSR2, counting, 0);
    raise(SIGUSR2);
    sigemptyset(&set);
    FAILS("sigsuspend", sigsuspend(&set), EINTR);
    CHECK("sigsuspend let it in and put the mask back", count == 1 && blocked(SIGUSR2));
    raise(SIGUSR2);
    sigaddset(&set, SIGUSR2);
    struct timespec none = { 0, 0 };
    siginfo_t about;
    CHECK("sigtimedwait takes it", sigtimedwait(&set, &about, &none) == SIGUSR2 && about.si_signo == SIGUSR2 && count == 1);
    FAILS("sigtimedwait with nothing there", sigtimedwait(&set, &about, &none), EAGAIN);
    signal(SIGUSR2, SIG_IGN);
    set_blocked(SIG_UNBLOCK, SIGUSR2);
    FAILS("sigprocmask with a bad way", sigprocmask(99, &set, NULL), EINVAL);
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    CHECK("SIGKILL and SIGSTOP can't be blocked", !blocked(SIGKILL) && !blocked(SIGSTOP) && blocked(SIGTERM));
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void looking_at_mask(int number)
{
    count++;
    mask_right = blocked(number) && blocked(SIGUSR2) && !blocked(SIGTERM);
}

static void changing_mask(int number, siginfo_t *about, void *context)
{
    (void)number, (void)about;
    count++;
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

static void masks_in_handlers(void)
{
    struct sigaction action = { .sa_handler = looking_at_mask };
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    count = 0;
    raise(SIGUSR1);
    CHECK("sa_mask in the handler", count == 1 && mask_right);
    CHECK("and not after it", !blocked(SIGUSR1) && !blocked(SIGUSR2));
    handle_with_info(SIGUSR1, changing_mask, 0);
    raise(SIGUSR1);
    CHECK("a handler changes the mask in its context", count == 1 && blocked(SIGUSR2));
    set_blocked(SIG_UNBLOCK, SIGUSR2);
}

static char other_stack[65536];

static void on_other_stack(int number)
{
    char here;
    stack_t now;
    (void)number;
    count++;
    sigaltstack(NULL, &now);
    mask_right = &here >= other_stack && &here < other_stack + sizeof other_stack && (now.ss_flags & SS_ONSTACK);
    now.ss_flags = SS_DISABLE;
    mask_right = mask_right && sigaltstack(&now, NULL) == -1 && errno == EPERM;
}

static void stacks(void)
{
    stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof other_stack }, old;
    CHECK("sigaltstack", sigaltstack(&stack, NULL) == 0);
    CHECK("sigaltstack tells", sigaltstack(NULL, &old) == 0 && old.ss_sp == other_stack && old.ss_size == sizeof other_stack &&
          old.ss_flags == 0);
    handle(SIGUSR1, on_other_stack, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK("the handler runs on it, and can't change it there", count == 1 && mask_right);
    handle(SIGUSR1, on_other_stack, 0);
    raise(SIGUSR1);
    CHECK("without SA_ONSTACK it does not", count == 1 && !mask_right);
    stack.ss_size = 100;
    FAILS("a stack that is too small", sigaltstack(&stack, NULL), ENOMEM);
    stack.ss_flags = 99;
    FAILS("sigaltstack with a bad flag", sigaltstack(&stack, NULL), EINVAL);
    stack.ss_flags = SS_DISABLE;
    CHECK("switched off", sigaltstack(&stack, NULL) == 0 && sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
}

static void feeding(int number)
{
    (void)number;
    count++;
    write(tube[1], "x", 1);
}

static void start_timer(long microseconds, long again)
{
    struct itimerval timer = { .it_value = { 0, microseconds }, .it_interval = { 0, again } };
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void restarts(void)
{
    char byte;
    struct timespec wait = { 5, 0 }, left;
    pipe(tube);
    handle(SIGALRM, feeding, SA_RESTART);
    start_timer(20000, 0);
    CHECK("a read goes on after a handler with SA_RESTART", read(tube[0], &byte, 1) == 1 && count == 1);
    handle(SIGALRM, feeding, 0);
    start_timer(20000, 0);
    FAILS("without it, the read ends", read(tube[0], &byte, 1), EINTR);
    CHECK("the handler ran", count == 1 && read(tube[0], &byte, 1) == 1);
    handle(SIGALRM, counting, SA_RESTART);
    start_timer(20000, 0);
    FAILS("nanosleep is never restarted", nanosleep(&wait, &left), EINTR);
    CHECK("it tells what was left", count == 1 && left.tv_sec == 4 && left.tv_nsec > 0);
    start_timer(20000, 0);
    FAILS("pause", pause(), EINTR);
    CHECK("alarm answers what was left of the last", alarm(100) == 0 && alarm(0) >= 99);
    close(tube[0]), close(tube[1]);
}

static void counting_numbers(int number)
{
    volatile double a = 0.1;
    volatile float b = 0.7f;
    (void)number;
    count++;
    for (int i = 0; i < 20; i++) {
        a = a * 3.7 + b;
        b = (float)(a / 17);
    }
}

static double __attribute__((noinline)) series(int terms, int until)
{
    double a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
    for (int i = 1; i <= terms || count < until; i++) {
        if (i > terms)
            i = terms;
        else {
            a += b / i, b += c / i, c += d / i, d += e / i, e += f / i, f += 1.0 / i;
        }
    }
    return a + b + c + d + e + f;
}

static uint64_t __attribute__((noinline)) mixing(int until)
{
    uint64_t a = 1, b = 2, c = 3, d = 4;
    int i = 0;
    while (i < 50000 || count < until) {
        if (i >= 50000)
            continue;
        i++;
        a = a * 5 + b, b ^= c >> 3, c += d << 7 | 1, d = d * 3 + (a > b);
    }
    return a ^ b ^ c ^ d;
}

static void registers(void)
{
    double calm = series(40000, 0);
    uint64_t calm_bits = (count = 0, mixing(0));
    handle(SIGALRM, counting_numbers, 0);
    start_timer(2000, 2000);
    CHECK("floating point registers survive handlers", series(40000, 6) == calm);
    count = 0;
    CHECK("so do all the others, in a loop without calls", mixing(6) == calm_bits);
    start_timer(0, 0);
    handle(SIGUSR1, counting_numbers, 0);
    double x = 1.25, y = 1.25;
    for (int i = 0; i < 20; i++)
        x = x * 1.5 - 0.25;
    for (int i = 0; i < 20; i++) {
        y = y * 1.5 - 0.25;
        raise(SIGUSR1);
    }
    CHECK("and around raise", count == 20 && x == y);
}

static sigjmp_buf escape;

static void jumping(int number)
{
    count++;
    siglongjmp(escape, number);
}

static void jumps(void)
{
    handle(SIGUSR1, jumping, 0);
    for (volatile int i = 0; i < 5; i++)
        if (!sigsetjmp(escape, 1))
            raise(SIGUSR1);
    CHECK("longjmp out of a handler, five times", count == 5 && !blocked(SIGUSR1));
    if (!sigsetjmp(escape, 0))
        raise(SIGUSR1);
    CHECK("without the mask it stays blocked", count == 6 && blocked(SIGUSR1));
    set_blocked(SIG_UNBLOCK, SIGUSR1);
}

static void pipes(void)
{
    pipe(tube);
    close(tube[0]);
    handle(SIGPIPE, counting, 0);
    FAILS("a pipe without readers", write(tube[1], "x", 1), EPIPE);
    CHECK("SIGPIPE came", count == 1 && last == SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    FAILS("ignored, only the error is left", write(tube[1], "x", 1), EPIPE);
    close(tube[1]);
}

static void timers(void)
{
    struct itimerval now;
    handle(SIGALRM, counting, 0);
    start_timer(2000, 2000);
    while (count < 4)
        pause();
    CHECK("an interval timer comes again and again", getitimer(ITIMER_REAL, &now) == 0 && now.it_interval.tv_usec == 2000);
    start_timer(0, 0);
    CHECK("switched off", getitimer(ITIMER_REAL, &now) == 0 && now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0);
    now.it_value.tv_usec = 1000000;
    FAILS("a timer with too many microseconds", setitimer(ITIMER_REAL, &now, NULL), EINVAL);
    FAILS("a timer of no kind", setitimer(77, &now, NULL), EINVAL);
}

int main(void)
{
    basics();
    information();
    masks();
    masks_in_handlers();
    stacks();
    restarts();
    registers();
    jumps();
    pipes();
    timers();
    return finish();
}
