/* Who has a terminal: its session, its foreground group, what the others get instead of it. */
#include "sample.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

static int tty, news[2];

/* A child in a group of its own. */
static pid_t job(int (*act)(void))
{
    pid_t child = fork();
    if (!child) {
        setpgid(0, 0);
        _exit(act() ? 7 : 1);
    }
    setpgid(child, child);
    return child;
}

static int good(pid_t child)
{
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static int stopped_by(pid_t child, int signal)
{
    int status;
    return waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

static int takes_it(void)
{
    signal(SIGTTOU, SIG_IGN);
    return tcsetpgrp(tty, getpid()) == 0 && tcgetpgrp(tty) == getpid();
}

static int takes_it_blocked(void)
{
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGTTOU);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return tcsetpgrp(tty, getpid()) == 0 && tcgetpgrp(tty) == getpid();
}

static int asks_for_it(void)
{
    signal(SIGTTOU, SIG_DFL);
    return tcsetpgrp(tty, getpid()) == 0;
}

static int reads(void)
{
    char byte;
    return read(tty, &byte, 1) == 1 && byte == 'x';
}

static int may_not_read(void)
{
    char byte;
    signal(SIGTTIN, SIG_IGN);
    return read(tty, &byte, 1) == -1 && errno == EIO;
}

static volatile sig_atomic_t heard;

static void hear(int number)
{
    heard = number;
}

static int is_interrupted(void)
{
    char byte;
    struct sigaction action = { .sa_handler = hear };
    sigaction(SIGTTIN, &action, NULL);
    return read(tty, &byte, 1) == -1 && errno == EINTR && heard == SIGTTIN;
}

static int waits(void)
{
    char byte;
    while (tcgetpgrp(tty) != getpid())
        usleep(1000);
    write(news[1], "", 1);
    return read(tty, &byte, 1) == 0; /* it never comes */
}

static int is_foreign(void)
{
    int number;
    return tcgetpgrp(tty) == -1 && errno == ENOTTY && tcsetpgrp(tty, getpid()) == -1 && errno == ENOTTY &&
           ioctl(tty, TIOCGSID, &number) == -1 && errno == ENOTTY && ioctl(tty, TIOCNOTTY) == -1 && errno == ENOTTY &&
           open("/dev/tty", O_RDWR) == -1 && errno == ENXIO;
}

static int is_foreign_in_a_new_session(void)
{
    if (fork()) {
        int status;
        wait(&status);
        return WEXITSTATUS(status) == 7;
    }
    _exit(setsid() == getpid() && is_foreign() ? 7 : 1); /* no leader of a group but its child may do that */
}

static int gives_it_up(void)
{
    int other = open("/dev/tty", O_RDWR);
    return other >= 0 && ioctl(other, TIOCNOTTY) == 0 && close(other) == 0 && is_foreign();
}

static void in_session(int master)
{
    char byte;
    pid_t self = getpid();
    int number;
    CHECK("a new session has no terminal", setsid() == self && is_foreign());
    CHECK("TIOCSCTTY", ioctl(tty, TIOCSCTTY, 0) == 0 && tcgetpgrp(tty) == self && tcgetsid(tty) == self);
    CHECK("TIOCGSID", ioctl(tty, TIOCGSID, &number) == 0 && number == self);
    CHECK("the other end knows, too", ioctl(master, TIOCGPGRP, &number) == 0 && number == self);
    FAILS("no such group", tcsetpgrp(tty, 0x3ffffff0), ESRCH);
    FAILS("no group", tcsetpgrp(tty, -1), EINVAL);
    CHECK("who ignores SIGTTOU takes it", good(job(takes_it)) && tcgetpgrp(tty) != self);
    signal(SIGTTOU, SIG_IGN);
    CHECK("taken back", tcsetpgrp(tty, self) == 0 && tcgetpgrp(tty) == self);
    CHECK("who blocks SIGTTOU takes it", good(job(takes_it_blocked)) && tcsetpgrp(tty, self) == 0);
    pid_t child = job(asks_for_it);
    CHECK("others are stopped", stopped_by(child, SIGTTOU) && tcgetpgrp(tty) == self);
    CHECK("and get it by the shell", tcsetpgrp(tty, child) == 0 && kill(-child, SIGCONT) == 0 && good(child) && tcsetpgrp(tty, self) == 0);
    child = job(reads);
    CHECK("who reads in the background is stopped", stopped_by(child, SIGTTIN));
    CHECK("and reads in the foreground", tcsetpgrp(tty, child) == 0 && kill(child, SIGCONT) == 0 && write(master, "x\n", 2) == 2 &&
          good(child) && tcsetpgrp(tty, self) == 0 && tcflush(tty, TCIFLUSH) == 0);
    CHECK("who ignores SIGTTIN is refused", good(job(may_not_read)));
    CHECK("who handles it is interrupted", good(job(is_interrupted)));
    child = job(waits);
    tcsetpgrp(tty, child);
    read(news[0], &byte, 1);
    CHECK("Ctrl-Z is for the foreground", write(master, "\x1a", 1) == 1 && stopped_by(child, SIGTSTP) && kill(child, SIGCONT) == 0);
    CHECK("Ctrl-backslash", write(master, "\x1c", 1) == 1 && waitpid(child, &number, 0) == child && WIFSIGNALED(number) &&
          WTERMSIG(number) == SIGQUIT && tcsetpgrp(tty, self) == 0);
    CHECK("another session", good(job(is_foreign_in_a_new_session)));
    CHECK("a child gives it up for itself", good(job(gives_it_up)) && tcgetpgrp(tty) == self);
    signal(SIGHUP, SIG_IGN), signal(SIGCONT, hear);
    heard = 0;
    CHECK("its leader for all", ioctl(tty, TIOCNOTTY) == 0 && is_foreign() && heard == SIGCONT);
    CHECK("it is free", ioctl(tty, TIOCSCTTY, 0) == 0 && tcgetpgrp(tty) == self);
}

int main(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), status;
    grantpt(master), unlockpt(master), pipe(news);
    tty = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK("a terminal", tty >= 0);
    pid_t leader = fork();
    if (!leader) {
        in_session(master);
        _exit(failures ? 1 : 7);
    }
    CHECK("all of it", waitpid(leader, &status, 0) == leader && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return finish();
}
