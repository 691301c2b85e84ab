/* A child that borrows its parent's memory: clone with CLONE_VM and CLONE_VFORK (vfork in many libraries is fork). */
#include "sample.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;
static volatile int seen;
static char *late;
static char pages[3 * 65536];

static void note(int number)
{
    (void)number;
    seen++;
}

static pid_t borrow(int (*run)(void *), void *argument, int flags)
{
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return clone(run, stack + 65536 - 64, CLONE_VM | CLONE_VFORK | flags, argument);
}

static int ended(pid_t child)
{
    int status;
    return waitpid(child, &status, __WALL) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int change(void *argument)
{
    *(volatile int *)argument = 5;
    pages[0] = 'a', pages[65536 + 7] = 'b', pages[sizeof pages - 1] = 'c';
    late = mmap(NULL, 3 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(late + 65536, "new");
    _exit(21);
}

static int replace(void *argument)
{
    *(volatile int *)argument = 4;
    execl("/proc/self/exe", "borrow", "23", NULL);
    _exit(1);
}

static int lend_on(void *argument)
{
    pid_t inner = borrow(change, argument, SIGCHLD);
    int *number = argument;
    *number = ended(inner) == 21 && *number == 5 ? 7 : 8;
    _exit(20);
}

static int moves(void *argument)
{
    char *old = argument;
    munmap(old, 65536);
    mprotect(old + 65536, 65536, PROT_READ);
    madvise(old + 131072, 65536, MADV_DONTNEED);
    late = (char *)syscall(SYS_brk, 0);
    syscall(SYS_brk, late + 65536);
    memset(late, 'z', 65536);
    kill(getpid(), SIGUSR1);
    _exit(22);
}

static int die(void *argument)
{
    *(volatile int *)argument = 10;
    kill(getpid(), SIGTERM);
    _exit(0);
}

int main(int argc, char **argv)
{
    volatile int value = 1;
    int status;
    if (argc > 1)
        return atoi(argv[1]);
    pid_t child = borrow(change, (void *)&value, SIGCHLD);
    CHECK("stores", ended(child) == 21 && value == 5 && pages[0] == 'a' && pages[65536 + 7] == 'b' && pages[sizeof pages - 1] == 'c');
    CHECK("a new mapping", late && !strcmp(late + 65536, "new") && !late[0] && (late[0] = 1, munmap(late, 3 * 65536) == 0));
    child = borrow(replace, (void *)&value, SIGCHLD);
    CHECK("stores before execve", value == 4 && ended(child) == 23);
    child = borrow(lend_on, (void *)&value, SIGCHLD);
    CHECK("a loan of a loan", ended(child) == 20 && value == 7);
    child = borrow(die, (void *)&value, SIGCHLD);
    CHECK("a child that a signal ended", waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTERM && value == 10);
    char *old = mmap(NULL, 3 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *end = (char *)syscall(SYS_brk, 0);
    memset(old, 'o', 3 * 65536);
    signal(SIGUSR1, note);
    child = borrow(moves, old, SIGCHLD);
    CHECK("a handler ran there", ended(child) == 22 && seen == 1);
    CHECK("the program break", (char *)syscall(SYS_brk, 0) == end + 65536 && late == end && end[0] == 'z' && end[65535] == 'z');
    int null = open("/dev/null", O_WRONLY);
    FAILS("what was unmapped", read(open("/dev/zero", O_RDONLY), old, 1), EFAULT);
    FAILS("what was protected", read(open("/dev/zero", O_RDONLY), old + 65536, 1), EFAULT);
    CHECK("what was thrown away", old[65536] == 'o' && !old[131072] && write(null, old + 131072, 1) == 1);
    char *args[] = { "none", NULL };
    status = posix_spawn(&child, "./does/not/exist", NULL, NULL, args, environ);
    CHECK("posix_spawn tells the error", status == ENOENT);
    args[0] = argv[0];
    char *good[] = { argv[0], "24", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 5, "/dev/null", O_RDONLY, 0);
    CHECK("posix_spawn", posix_spawn(&child, "/proc/self/exe", &actions, NULL, good, environ) == 0 && ended(child) == 24);
    child = fork();
    if (!child) {
        value = 9;
        _exit(0);
    }
    CHECK("fork still copies", ended(child) == 0 && value == 10);
    FAILS("beside the parent", borrow(change, (void *)&value, CLONE_FILES | CLONE_THREAD), EINVAL);
    return finish();
}
