/* clone: other signals at a child's end than SIGCHLD, or none; who waits for such children. */
#include "sample.h"
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static sigset_t all;

static pid_t cloned(int signal)
{
#if defined __s390x__
    return syscall(SYS_clone, 0L, (long)signal, 0L, 0L, 0L);
#else
    return syscall(SYS_clone, (long)signal, 0L, 0L, 0L, 0L);
#endif
}

/* A child that ends at once with a status, or by a signal if that is negative. */
static pid_t born(int signal, int status)
{
    pid_t child = cloned(signal);
    if (!child) {
        if (status < 0)
            kill(syscall(SYS_getpid), -status); /* raise() takes itself for its parent */
        _exit(status);
    }
    return child;
}

static pid_t born_to_execute(char *name)
{
    pid_t child = cloned(SIGUSR1);
    if (!child) {
        execl("/proc/self/exe", name, "executed", NULL);
        _exit(1);
    }
    return child;
}

/* The next signal within a while, 0 for none. */
static int next(siginfo_t *about, int milliseconds)
{
    struct timespec limit = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
    int number = sigtimedwait(&all, about, &limit);
    return number < 0 ? 0 : number;
}

static int tells(int signal, pid_t child, int code, int status)
{
    siginfo_t about;
    return next(&about, 10000) == signal && about.si_pid == child && about.si_code == code && about.si_status == status &&
           about.si_uid == getuid();
}

int main(int argc, char **argv)
{
    siginfo_t about;
    int status;
    if (argc > 1)
        return 5;
    sigemptyset(&all);
    sigaddset(&all, SIGCHLD), sigaddset(&all, SIGUSR1), sigaddset(&all, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &all, NULL);

    pid_t child = born(SIGUSR1, 3);
    CHECK("another signal tells of the end", tells(SIGUSR1, child, CLD_EXITED, 3));
    FAILS("wait does not see the child", waitpid(-1, &status, 0), ECHILD);
    CHECK("__WCLONE does", waitpid(-1, &status, __WCLONE) == child && WEXITSTATUS(status) == 3);
    FAILS("once", waitpid(-1, &status, __WALL), ECHILD);

    child = born(SIGUSR1, -SIGTERM);
    CHECK("killed", tells(SIGUSR1, child, CLD_KILLED, SIGTERM));
    CHECK("__WALL sees it", waitpid(child, &status, __WALL) == child && WTERMSIG(status) == SIGTERM);

    child = born(0, 4);
    CHECK("no signal at all", waitpid(child, &status, __WALL) == child && WEXITSTATUS(status) == 4 && next(&about, 100) == 0);

    child = born(SIGRTMIN + 1, 0);
    pid_t usual = born(SIGCHLD, 6);
    int first = next(&about, 10000), second = next(&about, 10000);
    CHECK("both kinds", first + second == SIGCHLD + SIGRTMIN + 1 && waitpid(-1, &status, 0) == usual);
    FAILS("__WCLONE for the usual one", waitpid(usual, &status, __WCLONE), ECHILD);
    CHECK("waitid", waitid(P_ALL, 0, &about, WEXITED | __WCLONE) == 0 && about.si_pid == child);

    child = born(SIGUSR1, 0);
    while (waitpid(child, &status, __WCLONE) < 0)
        ;
    CHECK("waited for before it told", tells(SIGUSR1, child, CLD_EXITED, 0) && next(&about, 50) == 0);

    child = born_to_execute(argv[0]);
    CHECK("another program tells as usual", tells(SIGCHLD, child, CLD_EXITED, 5) && waitpid(-1, &status, 0) == child);
    CHECK("nothing is left", next(&about, 50) == 0);
    return finish();
}
