/* What a signal tells of itself: sender, reason, value; from oneself, a child, a parent, the kernel. */
#include "sample.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t count;
static siginfo_t seen[8];

static void note(int number, siginfo_t *about, void *context)
{
    (void)number, (void)context;
    if (count < 8)
        seen[count] = *about;
    count++;
}

static void handle(int number, int flags)
{
    struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | flags };
    sigaction(number, &action, NULL);
    count = 0;
    memset(seen, 0, sizeof seen);
}

static void block(int how, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(how, &set, NULL);
}

/* Wait for a signal that is blocked; seen[0] is what it told. */
static int await(int number)
{
    struct timespec limit = { 10, 0 };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return sigtimedwait(&set, seen, &limit);
}

static int from(const siginfo_t *about, int code, pid_t pid)
{
    if (about->si_code == code && about->si_pid == pid && about->si_uid == getuid())
        return 1;
    say("     code %d of %d, pid %d of %d, uid %d", about->si_code, code, (int)about->si_pid, (int)pid, (int)about->si_uid);
    return 0;
}

static void oneself(void)
{
    union sigval value = { .sival_int = 1234567 };
    handle(SIGUSR1, 0);
    kill(getpid(), SIGUSR1);
    CHECK("kill: SI_USER", count == 1 && from(seen, SI_USER, getpid()));
    count = 0;
    raise(SIGUSR1);
    CHECK("raise: SI_TKILL", count == 1 && from(seen, SI_TKILL, getpid()));
    count = 0;
    CHECK("sigqueue: SI_QUEUE", sigqueue(getpid(), SIGUSR1, value) == 0 && count == 1 && from(seen, SI_QUEUE, getpid()));
    CHECK("with its value", seen[0].si_value.sival_int == 1234567);
    int tube[2];
    handle(SIGPIPE, 0);
    CHECK("a pipe without readers", pipe(tube) == 0 && close(tube[0]) == 0 && write(tube[1], "x", 1) == -1 && errno == EPIPE);
    CHECK("SIGPIPE comes from oneself", count == 1 && from(seen, SI_USER, getpid()));
    close(tube[1]);
    struct itimerval timer = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } }; /* again: one may come before pause() */
    handle(SIGALRM, 0);
    setitimer(ITIMER_REAL, &timer, NULL);
    while (!count)
        pause();
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK("an alarm comes from the kernel", seen[0].si_code == SI_KERNEL && seen[0].si_pid == 0);
}

static pid_t start(void)
{
    fflush(NULL);
    return fork();
}

static void children(void)
{
    int status;
    block(SIG_BLOCK, SIGCHLD);
    handle(SIGCHLD, 0);
    pid_t pid = start();
    if (!pid)
        _exit(7);
    CHECK("SIGCHLD for an exit", await(SIGCHLD) == SIGCHLD && seen[0].si_signo == SIGCHLD && from(seen, CLD_EXITED, pid));
    CHECK("with its status and times", seen[0].si_status == 7 && seen[0].si_utime >= 0 && seen[0].si_utime < 1000 && !seen[0].si_errno);
    waitpid(pid, &status, 0);
    pid = start();
    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    CHECK("for a stop", await(SIGCHLD) == SIGCHLD && from(seen, CLD_STOPPED, pid) && seen[0].si_status == SIGSTOP);
    kill(pid, SIGCONT);
    CHECK("for going on", await(SIGCHLD) == SIGCHLD && from(seen, CLD_CONTINUED, pid) && seen[0].si_status == SIGCONT);
    kill(pid, SIGUSR2);
    CHECK("for a signal", await(SIGCHLD) == SIGCHLD && from(seen, CLD_KILLED, pid) && seen[0].si_status == SIGUSR2);
    CHECK("waitpid agrees", waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
    pid = start();
    if (!pid) {
        raise(SIGSTOP);
        _exit(3);
    }
    CHECK("a thread stops its process", waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    kill(pid, SIGCONT);
    CHECK("which goes on", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3);
    block(SIG_UNBLOCK, SIGCHLD);
    handle(SIGCHLD, SA_NOCLDSTOP);
    pid = start();
    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    CHECK("with SA_NOCLDSTOP a stop is not told", waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && count == 0);
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) != pid)
        ;
    CHECK("an end is, before waitpid returns", count == 1 && from(seen, CLD_KILLED, pid) && seen[0].si_status == SIGKILL);
    handle(SIGCHLD, SA_NOCLDWAIT);
    pid = start();
    if (!pid)
        _exit(0);
    FAILS("with SA_NOCLDWAIT nothing is left to wait for", waitpid(pid, &status, 0), ECHILD);
    signal(SIGCHLD, SIG_DFL);
}

static void from_children(void)
{
    union sigval value = { .sival_int = -42 };
    int status;
    block(SIG_BLOCK, SIGUSR1);
    block(SIG_BLOCK, SIGRTMIN + 3);
    pid_t parent = getpid(), pid = start();
    if (!pid)
        _exit(kill(parent, SIGUSR1));
    CHECK("kill by a child", await(SIGUSR1) == SIGUSR1 && from(seen, SI_USER, pid) && waitpid(pid, &status, 0) == pid);
    pid = start();
    if (!pid)
        _exit(sigqueue(parent, SIGRTMIN + 3, value));
    CHECK("sigqueue by a child", await(SIGRTMIN + 3) == SIGRTMIN + 3 && from(seen, SI_QUEUE, pid) &&
          seen[0].si_value.sival_int == -42 && waitpid(pid, &status, 0) == pid);
    pid = start();
    if (!pid)
        _exit(syscall(SYS_tgkill, parent, parent, SIGUSR1));
    sigset_t empty;
    sigemptyset(&empty);
    handle(SIGUSR1, 0);
    FAILS("sigsuspend", sigsuspend(&empty), EINTR); /* a C library's sigtimedwait says SI_USER */
    CHECK("tgkill by a child", count == 1 && from(seen, SI_TKILL, pid) && waitpid(pid, &status, 0) == pid);
    pid = start();
    if (!pid) {
        for (int i = 1; i <= 5; i++) {
            value.sival_int = i;
            sigqueue(parent, SIGRTMIN + 3, value);
        }
        _exit(0);
    }
    int right = 0;
    for (int i = 1; i <= 5; i++)
        right += await(SIGRTMIN + 3) == SIGRTMIN + 3 && seen[0].si_value.sival_int == i;
    CHECK("five are five, in order", right == 5 && waitpid(pid, &status, 0) == pid);
    block(SIG_UNBLOCK, SIGUSR1);
    block(SIG_UNBLOCK, SIGRTMIN + 3);
}

static void to_children(void)
{
    union sigval value = { .sival_int = 77 };
    siginfo_t told;
    int status, right[2];
    pipe(right);
    block(SIG_BLOCK, SIGUSR1);
    pid_t pid = start();
    if (!pid) {
        int good = await(SIGUSR1) == SIGUSR1 && from(seen, SI_QUEUE, getppid()) && seen[0].si_value.sival_int == 77;
        write(right[1], "", 1);
        good = good && await(SIGUSR1) == SIGUSR1 && from(seen, -100, getppid()) && seen[0].si_value.sival_int == 78;
        write(right[1], "", 1);
        good = good && await(SIGUSR1) == SIGUSR1 && from(seen, SI_USER, getppid());
        write(right[1], "", 1);
        good = good && await(SIGUSR1) == SIGUSR1 && from(seen, SI_USER, getppid());
        _exit(good);
    }
    char byte, folder[32];
    sigqueue(pid, SIGUSR1, value);
    read(right[0], &byte, 1);
    memset(&told, 0, sizeof told);
    told.si_signo = SIGUSR1;
    told.si_code = SI_USER;
    told.si_pid = getpid();
    told.si_uid = getuid();
    told.si_value.sival_int = 78;
    FAILS("nobody pretends to be kill", syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &told), EPERM);
    told.si_code = -100;
    int fd = syscall(SYS_pidfd_open, pid, 0);
    FAILS("another signal in the siginfo", syscall(SYS_pidfd_send_signal, fd, SIGUSR2, &told, 0), EINVAL);
    CHECK("pidfd_send_signal with a siginfo", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &told, 0) == 0);
    read(right[0], &byte, 1);
    CHECK("and without", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0) == 0);
    read(right[0], &byte, 1);
    sprintf(folder, "/proc/%d", pid);
    int beside = open(folder, O_PATH | O_DIRECTORY), entry = open(folder, O_DIRECTORY);
    FAILS("but not by a mere path", syscall(SYS_pidfd_send_signal, beside, SIGUSR1, NULL, 0), EBADF);
    CHECK("pidfd_send_signal by a folder of /proc", syscall(SYS_pidfd_send_signal, entry, SIGUSR1, NULL, 0) == 0);
    CHECK("the child received all", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1);
    FAILS("pidfd_send_signal to nobody", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0), ESRCH);
    FAILS("nor by its folder", syscall(SYS_pidfd_send_signal, entry, SIGUSR1, NULL, 0), ESRCH);
    FAILS("pidfd_send_signal by another file", syscall(SYS_pidfd_send_signal, right[0], SIGUSR1, NULL, 0), EBADF);
    close(beside), close(entry), close(fd), close(right[0]), close(right[1]);
    block(SIG_UNBLOCK, SIGUSR1);
}

static void queues(void)
{
    union sigval value;
    struct timespec soon = { 0, 1000000 };
    int order[4], low = SIGRTMIN + 1, high = SIGRTMIN + 2;
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, low);
    sigaddset(&both, high);
    sigprocmask(SIG_BLOCK, &both, NULL);
    for (int i = 0; i < 4; i++) {
        value.sival_int = i;
        sigqueue(getpid(), i % 2 ? low : high, value);
    }
    for (int i = 0; i < 4; i++)
        order[i] = sigwaitinfo(&both, seen) > 0 ? seen[0].si_value.sival_int : -1;
    CHECK("lower signals first, each in order", order[0] == 1 && order[1] == 3 && order[2] == 0 && order[3] == 2);
    FAILS("no more", sigtimedwait(&both, seen, &soon), EAGAIN);
    handle(low, 0);
    handle(high, 0);
    for (int i = 0; i < 4; i++) {
        value.sival_int = i;
        sigqueue(getpid(), i % 2 ? low : high, value);
    }
    sigprocmask(SIG_UNBLOCK, &both, NULL);
    CHECK("unblocked, all are handled", count == 4);
    struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_SIGPENDING, &none);
    sigprocmask(SIG_BLOCK, &both, NULL);
    FAILS("at the limit of pending signals", sigqueue(getpid(), low, value), EAGAIN);
    CHECK("kill still works", kill(getpid(), low) == 0 && sigtimedwait(&both, seen, &soon) == low && seen[0].si_code == SI_USER);
}

static void files(void)
{
    int number = SIGRTMIN + 4, pair[2];
    block(SIG_BLOCK, number);
    int folder = open(".", O_RDONLY | O_DIRECTORY);
    CHECK("a directory tells by a signal of one's choice", fcntl(folder, F_SETSIG, number) == 0 && fcntl(folder, F_NOTIFY, DN_CREATE) == 0);
    int made = open("made", O_CREAT | O_EXCL | O_WRONLY, 0600);
    CHECK("which file, and why", await(number) == number && seen[0].si_code == POLL_MSG && seen[0].si_fd == folder);
    close(made), close(folder), unlink("made");
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    fcntl(pair[0], F_SETOWN, getpid());
    fcntl(pair[0], F_SETSIG, number);
    fcntl(pair[0], F_SETFL, O_ASYNC);
    CHECK("a socket does, too", write(pair[1], "x", 1) == 1 && await(number) == number && seen[0].si_code == POLL_IN && seen[0].si_fd == pair[0]);
    close(pair[0]), close(pair[1]);
    block(SIG_UNBLOCK, number);
}

int main(void)
{
    oneself();
    children();
    from_children();
    to_children();
    files();
    queues();
    return finish();
}
