/* execve in place, three times itself: arguments, environment, descriptors, masks, what is kept and what not. */
#include "sample.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

extern char **environ;

static void refusals(void)
{
    char *argv[] = { "x", NULL };
    int fd = open("plain", O_CREAT | O_WRONLY, 0600);
    FAILS("a missing program", execv("./missing", argv), ENOENT);
    FAILS("no permission", execv("./plain", argv), EACCES);
    fchmod(fd, 0700);
    write(fd, "\0nothing", 8);
    close(fd);
    FAILS("no program", execv("./plain", argv), ENOEXEC);
    FAILS("a folder", execv(".", argv), EACCES);
    FAILS("below a file", execv("./plain/x", argv), ENOTDIR);
    FAILS("a wild name", execv((char *)16, argv), EFAULT);
    unlink("plain");
}

static int stage_two(char **argv)
{
    sigset_t mask;
    struct sigaction action;
    CHECK("arguments", !strcmp(argv[1], "two") && !strcmp(argv[2], "a b") && !strcmp(argv[3], "") && !argv[4]);
    CHECK("the environment", !strcmp(environ[0], "ONE=1") && !strcmp(environ[1], "TWO=") && !environ[2]);
    CHECK("O_CLOEXEC closed one, the other stays", fcntl(40, F_GETFD) == -1 && fcntl(41, F_GETFD) == 0);
    CHECK("the mask stays", sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
    CHECK("a waiting signal stays", sigpending(&mask) == 0 && sigismember(&mask, SIGUSR1));
    CHECK("a handler is gone", sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    CHECK("an ignored signal stays ignored", sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    CHECK("the process stays", atoi(getenv("ONE")) == 1 && getpid() > 0);
    char *next[] = { "another name", "three", NULL };
    execve("/proc/self/exe", next, environ);
    return !CHECK("execve again", 0);
}

static void nothing(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "two"))
        return stage_two(argv) || finish();
    if (argc > 1 && !strcmp(argv[1], "three")) {
        CHECK("argv[0] is what was given", !strcmp(argv[0], "another name"));
        return finish() ? 1 : 42;
    }
    enter_fresh_directory();
    refusals();
    leave_fresh_directory();
    int fd = open("/dev/null", O_RDONLY);
    sigset_t mask;
    sigemptyset(&mask), sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    raise(SIGUSR1);
    signal(SIGUSR2, nothing);
    signal(SIGHUP, SIG_IGN);
    dup3(fd, 40, O_CLOEXEC), dup2(fd, 41);
    char *next[] = { argv[0], "two", "a b", "", NULL }, *environment[] = { "ONE=1", "TWO=", NULL };
    if (failures)
        return finish();
    execve("/proc/self/exe", next, environment);
    return !CHECK("execve of itself", 0);
}
