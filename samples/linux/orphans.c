/* A parent's end: the signal that a child may ask for, and who adopts orphans. */
#include "sample.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* The status of a grandchild that act() gave, sent through a pipe; its parent ends first. */
static int grandchild(int (*act)(pid_t parent, int ready))
{
    int news[2], gate[2], answer = -1;
    pipe(news), pipe(gate);
    pid_t child = fork();
    if (!child) {
        pid_t parent = getpid();
        if (!fork()) {
            close(gate[0]);
            answer = act(parent, gate[1]);
            write(news[1], &answer, sizeof answer);
            _exit(0);
        }
        close(gate[1]);
        read(gate[0], &answer, 1); /* until it is ready */
        _exit(0);
    }
    close(news[1]), close(gate[0]), close(gate[1]);
    read(news[0], &answer, sizeof answer);
    close(news[0]);
    waitpid(child, NULL, 0);
    return answer;
}

static int take(int signal, int seconds)
{
    struct timespec limit = { seconds, 0 };
    siginfo_t about;
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, signal);
    return sigtimedwait(&set, &about, &limit) == signal ? (int)about.si_pid : 0;
}

static void block(int signal)
{
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int is_told(pid_t parent, int ready)
{
    int number = 0;
    block(SIGUSR1);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    prctl(PR_GET_PDEATHSIG, &number);
    write(ready, "", 1), close(ready);
    return take(SIGUSR1, 10) == parent && number == SIGUSR1;
}

static int is_not_told(pid_t parent, int ready)
{
    (void)parent;
    block(SIGUSR1);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    prctl(PR_SET_PDEATHSIG, 0);
    write(ready, "", 1), close(ready);
    return take(SIGUSR1, 1) == 0;
}

static pid_t keeper;

static int finds_the_keeper(pid_t parent, int ready)
{
    write(ready, "", 1), close(ready);
    while (getppid() == parent)
        usleep(1000);
    return getppid() == keeper;
}

static int finds_another(pid_t parent, int ready)
{
    return !finds_the_keeper(parent, ready);
}

static int child_has_none(void)
{
    int number = -1, reaper = -1, status;
    pid_t child = fork();
    if (!child) {
        prctl(PR_GET_PDEATHSIG, &number), prctl(PR_GET_CHILD_SUBREAPER, &reaper);
        _exit(number == 0 && reaper == 0 ? 7 : 1);
    }
    return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7;
}

static int is_killed(void)
{
    int news[2];
    char byte;
    pipe(news);
    pid_t child = fork();
    if (!child) {
        if (!fork()) {
            close(news[0]);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            write(news[1], "", 1);
            for (;;)
                pause();
        }
        read(news[0], &byte, 1);
        _exit(0);
    }
    close(news[1]);
    waitpid(child, NULL, 0);
    while (read(news[0], &byte, 1) > 0)
        ;
    close(news[0]);
    return 1; /* nobody holds the other end any more */
}

int main(void)
{
    int status, number = -1;
    keeper = getpid();
    CHECK("the parent's end is told", grandchild(is_told) == 1);
    CHECK("unless it shall not be", grandchild(is_not_told) == 1);
    CHECK("SIGKILL", is_killed());
    FAILS("no signal", prctl(PR_SET_PDEATHSIG, 200), EINVAL);
    CHECK("an orphan goes to someone else", grandchild(finds_another) == 1);
    CHECK("a subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_GET_CHILD_SUBREAPER, &number) == 0 && number == 1);
    CHECK("adopts it", grandchild(finds_the_keeper) == 1);
    CHECK("and waits for it", wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK("a child inherits neither", child_has_none());
    CHECK("no longer", prctl(PR_SET_CHILD_SUBREAPER, 0) == 0 && grandchild(finds_another) == 1);
    FAILS("no child is left", wait(&status), ECHILD);
    return finish();
}
