/* signalfd: what is pending as a file, with poll and epoll, in a child too; and calls that a signal ends or not. */
#include "sample.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static struct signalfd_siginfo seen[8];
static volatile sig_atomic_t count;

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second)
        sigaddset(&set, second);
    return set;
}

static int ready(int fd)
{
    struct pollfd about = { .fd = fd, .events = POLLIN | POLLOUT };
    return poll(&about, 1, 0) == 1 ? about.revents : 0;
}

static void reading(void)
{
    union sigval value = { .sival_int = -5 };
    sigset_t set = set_of(SIGUSR1, SIGRTMIN + 1), other = set_of(SIGUSR2, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK("signalfd", fd >= 0 && ready(fd) == 0);
    FAILS("nothing yet", read(fd, seen, sizeof seen), EAGAIN);
    kill(getpid(), SIGUSR1);
    CHECK("poll sees a signal", ready(fd) == POLLIN);
    FAILS("too little room", read(fd, seen, sizeof *seen - 1), EINVAL);
    CHECK("read", read(fd, seen, sizeof seen) == sizeof *seen && seen[0].ssi_signo == SIGUSR1 && seen[0].ssi_code == SI_USER);
    CHECK("who sent it", seen[0].ssi_pid == (uint32_t)getpid() && seen[0].ssi_uid == getuid());
    CHECK("it is gone", ready(fd) == 0);
    sigqueue(getpid(), SIGRTMIN + 1, value);
    value.sival_int = 6;
    sigqueue(getpid(), SIGRTMIN + 1, value);
    kill(getpid(), SIGUSR1);
    CHECK("three at once", read(fd, seen, sizeof seen) == 3 * sizeof *seen && seen[0].ssi_signo == SIGUSR1 &&
          seen[1].ssi_int == -5 && seen[2].ssi_int == 6 && seen[1].ssi_code == SI_QUEUE);
    CHECK("another set for the same file", signalfd(fd, &other, 0) == fd);
    kill(getpid(), SIGUSR1);
    CHECK("does not see this one", ready(fd) == 0);
    CHECK("until the set is changed back", signalfd(fd, &set, 0) == fd && ready(fd) == POLLIN);
    sigprocmask(SIG_BLOCK, &other, NULL);
    int second = signalfd(-1, &other, SFD_NONBLOCK), set_of_both = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = 77 }, events[4];
    epoll_ctl(set_of_both, EPOLL_CTL_ADD, second, &event);
    CHECK("epoll waits", epoll_wait(set_of_both, events, 4, 0) == 0);
    kill(getpid(), SIGUSR2);
    CHECK("epoll sees the signal", epoll_wait(set_of_both, events, 4, 10000) == 1 && events[0].data.u32 == 77);
    CHECK("once", epoll_wait(set_of_both, events, 4, 0) == 0);
    FAILS("no set at all", signalfd(set_of_both, &set, 0), EINVAL);
    FAILS("a flag of no meaning", signalfd(-1, &set, 12345), EINVAL);
    read(fd, seen, sizeof seen), read(second, seen, sizeof seen);
    close(set_of_both), close(second);
    int status;
    pid_t parent = getpid(), pid = fork();
    if (!pid) {
        kill(getpid(), SIGUSR1);
        int good = ready(fd) == POLLIN && read(fd, seen, sizeof seen) == sizeof *seen && seen[0].ssi_pid == (uint32_t)getpid();
        kill(parent, SIGUSR1);
        _exit(good && ready(fd) == 0);
    }
    struct pollfd about = { .fd = fd, .events = POLLIN };
    CHECK("poll waits for a child's signal", poll(&about, 1, 30000) == 1 && read(fd, seen, sizeof seen) == sizeof *seen &&
          seen[0].ssi_pid == (uint32_t)pid);
    CHECK("the child read its own", waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 1);
    close(fd);
}

static void children(void)
{
    sigset_t set = set_of(SIGCHLD, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, 0), status;
    pid_t pid = fork();
    if (!pid)
        _exit(3);
    CHECK("read waits for the end of a child", read(fd, seen, sizeof seen) == sizeof *seen && seen[0].ssi_signo == SIGCHLD);
    CHECK("and tells of it", seen[0].ssi_code == CLD_EXITED && seen[0].ssi_pid == (uint32_t)pid && seen[0].ssi_status == 3);
    waitpid(pid, &status, 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    close(fd);
}

static void note(int number)
{
    (void)number;
    count++;
}

static void handle(int flags)
{
    struct sigaction action = { .sa_handler = note, .sa_flags = flags };
    sigaction(SIGALRM, &action, NULL);
    count = 0;
}

static void soon(void)
{
    struct itimerval timer = { .it_value = { 0, 20000 } };
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* signal(7), "Interruption of system calls": these end with EINTR, SA_RESTART or not. */
static void never_restarted(void)
{
    struct timespec time = { 30, 0 };
    struct timeval time_ = { 30, 0 };
    struct epoll_event event;
    struct pollfd none = { .fd = -1 };
    sigset_t old;
    int fd = epoll_create1(0), ends[2];
    char byte;
    handle(SA_RESTART);
    sigprocmask(SIG_BLOCK, NULL, &old);
    soon();
    FAILS("poll", poll(&none, 1, 30000), EINTR);
    soon();
    FAILS("ppoll", ppoll(&none, 1, &time, &old), EINTR);
    soon();
    FAILS("select", select(0, NULL, NULL, NULL, &time_), EINTR);
    soon();
    FAILS("pselect", pselect(0, NULL, NULL, NULL, &time, &old), EINTR);
    soon();
    FAILS("epoll_wait", epoll_wait(fd, &event, 1, 30000), EINTR);
    soon();
    FAILS("nanosleep", nanosleep(&time, NULL), EINTR);
    soon();
    CHECK("clock_nanosleep", clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL) == EINTR);
    soon();
    FAILS("pause", pause(), EINTR);
    soon();
    FAILS("sigsuspend", sigsuspend(&old), EINTR);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time_, sizeof time_);
    soon();
    FAILS("a socket with a timeout", recv(ends[0], &byte, 1, 0), EINTR);
    CHECK("each handler ran", count == 10);
    close(ends[0]), close(ends[1]), close(fd);
}

static int feeder[2];

static void feed(int number)
{
    (void)number;
    count++;
    write(feeder[1], "x", 1);
}

/* These go on after a handler with SA_RESTART. */
static void restarted(void)
{
    struct sigaction action = { .sa_handler = feed, .sa_flags = SA_RESTART };
    char byte;
    int status;
    sigset_t set = set_of(SIGUSR1, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, feeder);
    sigaction(SIGALRM, &action, NULL);
    count = 0;
    soon();
    CHECK("read", read(feeder[0], &byte, 1) == 1);
    soon();
    CHECK("recv", recv(feeder[0], &byte, 1, 0) == 1);
    soon();
    pid_t pid = fork();
    if (!pid) {
        struct timespec time = { 0, 60000000 };
        nanosleep(&time, NULL);
        _exit(0);
    }
    CHECK("waitpid", waitpid(pid, &status, 0) == pid && count == 3);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, 0);
    action.sa_flags = 0;
    sigaction(SIGALRM, &action, NULL);
    soon();
    FAILS("a read of signalfd without it ends", read(fd, seen, sizeof seen), EINTR);
    close(fd), close(feeder[0]), close(feeder[1]);
}

/* A stop and SIGCONT, without a handler, end no sleep; what is left is slept. */
static void stopped(int number)
{
    int status, tube[2];
    char good;
    pipe(tube);
    pid_t pid = fork();
    if (!pid) {
        struct timespec time = { 0, 600000000 }, before, after, last = { 0, 100000000 };
        sigset_t usual;
        sigprocmask(SIG_BLOCK, NULL, &usual);
        setpgid(0, 0); /* in a group without a parent outside, SIGTSTP stops nobody */
        signal(SIGTSTP, note);
        signal(SIGTSTP, SIG_DFL);
        struct pollfd none = { .fd = -1 };
        clock_gettime(CLOCK_MONOTONIC, &before);
        write(tube[1], "", 1);
        good = nanosleep(&time, NULL) == 0;
        clock_gettime(CLOCK_MONOTONIC, &after);
        long took = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
        good = good && took >= 599 && took < 1100;
        write(tube[1], "", 1);
        good = good && poll(&none, 1, 100) == 0;
        write(tube[1], "", 1);
        good = good && ppoll(&none, 1, &last, &usual) == 0;
        _exit(good);
    }
    for (int i = 0; i < 3; i++) {
        struct timespec time = { 0, i ? 50000000 : 550000000 };
        read(tube[0], &good, 1);
        nanosleep(&time, NULL);
        kill(pid, number);
        waitpid(pid, &status, WUNTRACED);
        kill(pid, SIGCONT);
    }
    CHECK(number == SIGSTOP ? "sleep and poll outlast a stop" : "and one by SIGTSTP", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int main(void)
{
    reading();
    children();
    never_restarted();
    restarted();
    stopped(SIGSTOP);
    stopped(SIGTSTP);
    return finish();
}
