/* execve from a second thread into each program of the arguments in turn, which may be for another CPU: what must be
 * kept arrives at each of them. Scripts, descriptors and what the kernel refuses follow in the last. */
#include "sample.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;
static char **rest;

static void *hand_over(void *unused)
{
    (void)unused;
    execv(rest[0], rest);
    CHECK("execve", 0);
    exit(1);
}

static void set_out(void)
{
    char text[16];
    sigset_t mask;
    int fd = open("/dev/null", O_RDONLY);
    snprintf(text, sizeof text, "%d", getpid());
    setenv("RELAY", text, 1);
    sigemptyset(&mask), sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    kill(getpid(), SIGUSR1);
    signal(SIGURG, SIG_IGN);
    dup3(fd, 40, O_CLOEXEC), dup2(fd, 41), close(fd);
    umask(027);
}

static void arrive(void)
{
    sigset_t mask;
    struct sigaction action;
    CHECK("the process stays", atoi(getenv("RELAY")) == getpid());
    CHECK("descriptors", fcntl(40, F_GETFD) == -1 && fcntl(41, F_GETFD) == 0);
    CHECK("the mask", sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGTERM));
    CHECK("a waiting signal", sigpending(&mask) == 0 && sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGTERM));
    CHECK("an ignored signal", sigaction(SIGURG, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    mode_t old = umask(027);
    CHECK("the umask", old == 027);
}

/* Run it in a child: its output and exit status, or -1 where execve failed with *error. */
static int outcome(const char *name, char *argv[], int *error)
{
    int tube[2], status;
    pipe2(tube, O_CLOEXEC);
    pid_t child = fork();
    if (!child) {
        execve(name, argv, environ);
        write(tube[1], &errno, sizeof errno);
        _exit(0);
    }
    close(tube[1]);
    int failed = read(tube[0], error, sizeof *error) > 0;
    close(tube[0]);
    waitpid(child, &status, 0);
    return failed ? -1 : WEXITSTATUS(status);
}

static void refused(const char *what, const char *name, char *argv[], int expected)
{
    int error = 0;
    if (outcome(name, argv, &error) == -1 && error == expected)
        say("ok   %s: %s", what, error_name(error));
    else
        CHECK(what, 0);
}

static void write_file(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    fchmod(fd, 0755);
    write(fd, text, strlen(text));
    close(fd);
}

static void scripts(void)
{
    char text[64], name[8], *argv[] = { "zero", "one", NULL }, self[512];
    int error, length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    symlink(self, "me");
    write_file("s1", "#! ./me \t script  a b\t\n");
    CHECK("a script", outcome("./s1", argv, &error) == 11);
    for (int i = 2; i <= 6; i++) {
        snprintf(name, sizeof name, "s%d", i);
        snprintf(text, sizeof text, "#!./s%d", i - 1);
        write_file(name, text);
    }
    CHECK("five scripts", outcome("./s5", argv, &error) == 12);
    refused("six scripts", "./s6", argv, ELOOP);
    write_file("s", "#!./missing\n"), refused("no interpreter", "./s", argv, ENOENT);
    write_file("s", "#!./s1/x\n"), refused("below a file", "./s", argv, ENOTDIR);
    write_file("s", "#!.\n"), refused("a folder", "./s", argv, EACCES);
    write_file("s", "#!  \n"), refused("nobody", "./s", argv, ENOEXEC);
    write_file("s", "echo hello\n"), refused("no program", "./s", argv, ENOEXEC);
    write_file("s", ""), refused("an empty file", "./s", argv, ENOEXEC);
    write_file("s", "\177ELF"), refused("too short", "./s", argv, ENOEXEC);
    write_file("p", "#!./me"), chmod("p", 0644);
    write_file("s", "#!./p\n"), refused("an interpreter that may not be executed", "./s", argv, EACCES);
    CHECK("by descriptor", (error = open("s1", O_RDONLY)) > 2 && (fcntl(error, F_SETFD, 0), 1));
    pid_t child = fork();
    int status;
    if (!child)
        fexecve(error, argv, environ), _exit(99);
    waitpid(child, &status, 0);
    CHECK("a script by descriptor", WEXITSTATUS(status) == 13);
    child = fork();
    if (!child) {
        fcntl(error, F_SETFD, FD_CLOEXEC);
        fexecve(error, argv, environ);
        _exit(errno == ENOENT ? 0 : 98);
    }
    waitpid(child, &status, 0);
    CHECK("that its interpreter will not find", WEXITSTATUS(status) == 0);
    close(error);
    child = fork();
    if (!child) {
        char *by_name[] = { "other", "script", "name", NULL };
        error = open("me", O_RDONLY | O_CLOEXEC);
        fexecve(error, by_name, environ), _exit(97);
    }
    waitpid(child, &status, 0);
    CHECK("a program by descriptor", WEXITSTATUS(status) == 14);
    size_t much = 200000;
    char *long_one = malloc(much + 1), *arguments[] = { "x", long_one, NULL };
    memset(long_one, 'a', much), long_one[much] = 0;
    refused("too long an argument", "./me", arguments, E2BIG);
    unlink("s"), write_file("s", "#!./me script busy\n");
    child = fork();
    if (!child) {
        int writing = open("s", O_WRONLY);
        execve("./s", argv, environ);
        error = errno;
        close(writing);
        _exit(error == ETXTBSY ? 0 : 96);
    }
    waitpid(child, &status, 0);
    CHECK("a file that is being written", WEXITSTATUS(status) == 0);
    int ready[2], done[2];
    char byte;
    pipe(ready), pipe(done);
    child = fork();
    if (!child) {
        close(done[1]);
        open("s", O_WRONLY), write(ready[1], "", 1), read(done[0], &byte, 1);
        _exit(0);
    }
    read(ready[0], &byte, 1);
    refused("a file that another process is writing", "./s", argv, ETXTBSY);
    close(done[1]), waitpid(child, &status, 0);
    close(done[0]), close(ready[0]), close(ready[1]), pipe(done), pipe2(ready, O_CLOEXEC);
    child = fork();
    if (!child) {
        dup2(done[0], 0);
        close(done[1]);
        execl("./me", "me", "wait", NULL);
        _exit(97);
    }
    close(done[0]), close(ready[1]), read(ready[0], &byte, 1); /* until it runs */
    FAILS("a program that runs is not written", open("me", O_WRONLY), ETXTBSY);
    FAILS("nor cut off", truncate("me", 0), ETXTBSY);
    CHECK("but may be read", (error = open("me", O_RDONLY)) >= 0 && close(error) == 0);
    close(done[1]), waitpid(child, &status, 0);
    const char *made[] = { "s", "p", "me", "s1", "s2", "s3", "s4", "s5", "s6" };
    for (unsigned i = 0; i < sizeof made / sizeof *made; i++)
        unlink(made[i]);
}

/* What a script made of the arguments. */
static int interpret(int argc, char **argv)
{
    char name[16];
    const char *filename = (const char *)getauxval(AT_EXECFN);
    prctl(PR_GET_NAME, name);
    if (argc == 3 && !strcmp(argv[2], "name"))
        return !strcmp(argv[0], "other") && !strncmp(filename, "/dev/fd/", 8) ? 14 : 90;
    if (argc != 4 && argc != 8)
        return 91;
    if (strcmp(argv[0], "./me") || strcmp(argv[1], "script  a b") || strcmp(argv[argc - 1], "one"))
        return 92;
    if (!strncmp(argv[2], "/dev/fd/", 8))
        return !strcmp(filename, argv[2]) ? 13 : 93;
    if (argc == 4)
        return !strcmp(argv[2], "./s1") && !strcmp(filename, "./s1") && !strcmp(name, "s1") ? 11 : 94;
    return !strcmp(argv[2], "./s1") && !strcmp(argv[6], "./s5") && !strcmp(filename, "./s5") && !strcmp(name, "s5") ? 12 : 95;
}

int main(int argc, char **argv)
{
    char *again[] = { "/proc/self/exe", NULL };
    pthread_t thread;
    if (argc > 1 && !strcmp(argv[1], "wait"))
        return read(0, again, 1) == 0;
    if (argc > 1 && !strncmp(argv[1], "script", 6))
        return interpret(argc, argv);
    rest = argv + 1;
    if (getenv("RELAY"))
        arrive();
    else {
        if (argc < 2)
            rest = again;
        set_out();
    }
    if (rest[0] && !failures) {
        pthread_create(&thread, NULL, hand_over, NULL);
        pthread_join(thread, NULL);
    }
    enter_fresh_directory();
    scripts();
    leave_fresh_directory();
    return finish();
}
