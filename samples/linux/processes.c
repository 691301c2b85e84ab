/* fork, wait and exec: own memory, shared files, how a child ended. */
#include "sample.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static volatile sig_atomic_t children;

static void counting(int number)
{
    (void)number;
    children++;
}

int main(int argc, char **argv)
{
    int status, tube[2], value = 1;
    char text[8];
    if (argc > 1)
        return atoi(argv[1]);
    signal(SIGCHLD, counting);
    pid_t self = getpid(), child = fork();
    if (!child)
        _exit(getppid() == self && getpid() != self ? 7 : 1);
    CHECK("a child's status", waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK("SIGCHLD", children == 1);
    FAILS("no child is left", waitpid(-1, &status, 0), ECHILD);
    pipe(tube);
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child = fork();
    if (!child) {
        value = 2, *shared = 3;
        write(tube[1], "child", 5);
        _exit(0);
    }
    CHECK("a pipe from the child", read(tube[0], text, 8) == 5 && !memcmp(text, "child", 5));
    CHECK("its memory is its own, but for what is shared", wait(&status) == child && value == 1 && *shared == 3);
    child = fork();
    if (!child) {
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        raise(SIGTERM);
        _exit(0);
    }
    CHECK("a child that a signal ended", waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    child = fork();
    if (!child) {
        execl("/proc/self/exe", argv[0], "33", NULL);
        _exit(127);
    }
    CHECK("a child that runs another program", waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 33);
    child = fork();
    if (!child)
        for (;;)
            pause();
    CHECK("WNOHANG", waitpid(child, &status, WNOHANG) == 0);
    CHECK("a child that is killed", kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    FAILS("and is gone", kill(child, 0), ESRCH);
    int fd = open("/proc/self/exe", O_RDONLY);
    child = fork();
    if (!child) {
        lseek(fd, 100, SEEK_SET);
        _exit(0);
    }
    wait(NULL);
    CHECK("positions are shared", lseek(fd, 0, SEEK_CUR) == 100);
    return finish();
}
