/* Pseudo-terminals made by the program itself: names, modes, sizes, sessions, job control characters. */
#include "sample.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

static char name[64];

/* Read until the text has come, or nothing more does. */
static int comes(int fd, const char *text)
{
    char all[400];
    size_t used = 0;
    while (used < sizeof all - 1) {
        ssize_t got = read(fd, all + used, sizeof all - 1 - used);
        if (got <= 0)
            return 0;
        all[used += got] = 0;
        if (strstr(all, text))
            return 1;
    }
    return 0;
}

static int slave_of(int master)
{
    int number = -1, locked = -1;
    struct stat about, same;
    FAILS("locked", open(ptsname(master), O_RDWR | O_NOCTTY), EIO);
    CHECK("grantpt and unlockpt", grantpt(master) == 0 && ioctl(master, TIOCGPTLCK, &locked) == 0 && locked == 1 &&
          unlockpt(master) == 0);
    CHECK("TIOCGPTN", ioctl(master, TIOCGPTN, &number) == 0 && number >= 0);
    form_into(name, "/dev/pts/%d", number);
    CHECK("ptsname", !strcmp(ptsname(master), name));
    int slave = open(name, O_RDWR | O_NOCTTY), peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    CHECK("opened", slave >= 0 && isatty(slave) && isatty(master));
    CHECK("TIOCGPTPEER", peer >= 0 && ttyname(peer) && !strcmp(ttyname(peer), name) && close(peer) == 0);
    CHECK("one file by both ways", fstat(slave, &about) == 0 && stat(name, &same) == 0 && S_ISCHR(same.st_mode) &&
          about.st_ino == same.st_ino && about.st_dev == same.st_dev && about.st_rdev == same.st_rdev);
    return slave;
}

static void modes(int master, int slave)
{
    struct termios raw, was;
    struct winsize size = { .ws_row = 30, .ws_col = 90 }, found;
    char text[32];
    int waiting;
    struct pollfd wait = { .fd = master, .events = POLLIN };
    CHECK("size", ioctl(master, TIOCSWINSZ, &size) == 0 && ioctl(slave, TIOCGWINSZ, &found) == 0 &&
          found.ws_row == 30 && found.ws_col == 90);
    CHECK("a line", write(master, "ab\x7f" "c\n", 5) == 5 && read(slave, text, 32) == 3 && !memcmp(text, "ac\n", 3));
    CHECK("its echo", comes(master, "c\r\n"));
    CHECK("raw", tcgetattr(slave, &was) == 0 && (raw = was, cfmakeraw(&raw), tcsetattr(slave, TCSANOW, &raw) == 0));
    CHECK("as it comes", write(master, "x\x03", 2) == 2 && read(slave, text, 32) == 2 && text[1] == 3);
    CHECK("FIONREAD", write(slave, "12345", 5) == 5 && poll(&wait, 1, 1000) == 1 && ioctl(master, FIONREAD, &waiting) == 0 && waiting == 5 &&
          read(master, text, 32) == 5);
    CHECK("put back", tcsetattr(slave, TCSAFLUSH, &was) == 0 && tcgetattr(slave, &raw) == 0 && raw.c_lflag == was.c_lflag);
    FAILS("no modem", ioctl(slave, TIOCMGET, &waiting), ENOTTY);
}

static void session(int master, int slave)
{
    int status, ready[2];
    char byte;
    pipe(ready);
    pid_t pid = fork();
    if (!pid) {
        close(master);
        signal(SIGHUP, SIG_DFL);
        int leads = setsid() == getpid(), takes = ioctl(slave, TIOCSCTTY, 0) == 0;
        int all = leads && takes && tcgetpgrp(slave) == getpid() && tcgetsid(slave) == getpid();
        int tty = open("/dev/tty", O_RDWR);
        all = all && tty >= 0 && isatty(tty);
        dprintf(tty, "child %s\n", all ? "leads" : "does not lead");
        write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    CHECK("a session of its own", comes(master, "child leads"));
    read(ready[0], &byte, 1);
    CHECK("Ctrl-C", write(master, "\x03", 1) == 1 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
          WTERMSIG(status) == SIGINT);
    close(slave);
    CHECK("^C was echoed", comes(master, "^C"));
    FAILS("nobody has the other end", read(master, &byte, 1), EIO);
    close(ready[0]), close(ready[1]);
}

int main(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), other;
    CHECK("posix_openpt", master >= 0);
    int slave = slave_of(master);
    modes(master, slave);
    session(master, slave);
    close(master);
    FAILS("gone with its master", open(name, O_RDWR | O_NOCTTY), ENOENT);
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK("two", master >= 0 && other >= 0 && fcntl(master, F_GETFD) == FD_CLOEXEC);
    FAILS("no terminal", ioctl(slave = open("/dev/null", O_RDWR), TIOCGPTN, &other), ENOTTY);
    return finish();
}
