/* Pipes and waiting: poll, select, no waiting, parts of what was asked. */
#include "sample.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int tube[2];

static void one_pipe(void)
{
    char buffer[100];
    struct stat about;
    int waiting = 0;
    CHECK("pipe", pipe(tube) == 0 && fstat(tube[0], &about) == 0 && S_ISFIFO(about.st_mode));
    CHECK("through it", write(tube[1], "abcdef", 6) == 6 && read(tube[0], buffer, 4) == 4 && !memcmp(buffer, "abcd", 4));
    CHECK("FIONREAD", ioctl(tube[0], FIONREAD, &waiting) == 0 && waiting == 2);
    CHECK("a read gives what is there", read(tube[0], buffer, 100) == 2 && !memcmp(buffer, "ef", 2));
    FAILS("lseek", lseek(tube[0], 0, SEEK_SET), ESPIPE);
    FAILS("pread", pread(tube[0], buffer, 1, 0), ESPIPE);
    FAILS("write to the reading end", write(tube[0], "x", 1), EBADF);
    FAILS("read from the writing end", read(tube[1], buffer, 1), EBADF);
    FAILS("ftruncate", ftruncate(tube[1], 0), EINVAL);
    struct iovec parts[2] = { { "12", 2 }, { "345", 3 } };
    CHECK("writev", writev(tube[1], parts, 2) == 5 && read(tube[0], buffer, 100) == 5 && !memcmp(buffer, "12345", 5));
    close(tube[1]);
    CHECK("no writer: the end", read(tube[0], buffer, 1) == 0);
    close(tube[0]);
    CHECK("pipe2", pipe2(tube, O_NONBLOCK | O_CLOEXEC) == 0 && fcntl(tube[0], F_GETFD) == FD_CLOEXEC &&
          (fcntl(tube[1], F_GETFL) & O_NONBLOCK));
    FAILS("pipe2 with a bad flag", pipe2(tube, 0x12345), EINVAL);
    FAILS("a read that would wait", read(tube[0], buffer, 1), EAGAIN);
    static char block[4096];
    long total = 0, got;
    while ((got = write(tube[1], block, sizeof block)) > 0)
        total += got;
    int error = errno;
    CHECK("a full pipe", error == EAGAIN && total == fcntl(tube[1], F_GETPIPE_SZ) && total >= 4096);
    CHECK("room again", read(tube[0], block, 4096) == 4096 && write(tube[1], block, 100) == 100);
    close(tube[0]);
    signal(SIGPIPE, SIG_IGN);
    FAILS("no reader", write(tube[1], "x", 1), EPIPE);
    close(tube[1]);
}

static void polling(void)
{
    pipe(tube);
    struct pollfd each[3] = { { tube[0], POLLIN, 0 }, { tube[1], POLLOUT, 0 }, { -1, POLLIN, 99 } };
    CHECK("poll: only the writing end", poll(each, 3, 1000) == 1 && !each[0].revents && each[1].revents == POLLOUT &&
          !each[2].revents);
    CHECK("poll with a time", poll(each, 1, 20) == 0);
    write(tube[1], "x", 1);
    CHECK("poll: both", poll(each, 2, -1) == 2 && each[0].revents == POLLIN);
    each[2].fd = 999;
    CHECK("poll of a bad descriptor: POLLNVAL", poll(each, 3, 0) == 3 && each[2].revents == POLLNVAL);
    CHECK("poll of nothing", poll(NULL, 0, 1) == 0);
    struct timespec wait = { 0, 1000000 };
    CHECK("ppoll", ppoll(each, 1, &wait, NULL) == 1);
    char byte;
    read(tube[0], &byte, 1);
    CHECK("ppoll with a time", ppoll(each, 1, &wait, NULL) == 0);
    fd_set reading, writing;
    struct timeval time = { 0, 1000 };
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(tube[0], &reading);
    FD_SET(tube[1], &writing);
    CHECK("select", select(tube[1] + 1, &reading, &writing, NULL, &time) == 1 && !FD_ISSET(tube[0], &reading) &&
          FD_ISSET(tube[1], &writing));
    FD_SET(tube[0], &reading);
    time.tv_usec = 1000;
    CHECK("select with a time", select(tube[0] + 1, &reading, NULL, NULL, &time) == 0 && !FD_ISSET(tube[0], &reading));
    FD_SET(tube[0], &reading);
    write(tube[1], "y", 1);
    CHECK("pselect", pselect(tube[0] + 1, &reading, NULL, NULL, &wait, NULL) == 1 && FD_ISSET(tube[0], &reading));
    FD_ZERO(&reading);
    FD_SET(60, &reading);
    FAILS("select of a bad descriptor", select(61, &reading, NULL, NULL, &time), EBADF);
    FAILS("select of less than nothing", select(-1, &reading, NULL, NULL, &time), EINVAL);
    close(tube[1]);
    read(tube[0], &byte, 1);
    CHECK("POLLHUP", poll(each, 1, 0) == 1 && (each[0].revents & POLLHUP));
    close(tube[0]);
}

static volatile sig_atomic_t count;

static void counting(int number)
{
    (void)number;
    count++;
}

static void interrupted(void)
{
    struct sigaction action = { .sa_handler = counting, .sa_flags = SA_RESTART };
    sigset_t set, none;
    struct timespec wait = { 5, 0 };
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set), sigemptyset(&none);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    FAILS("ppoll with a mask that lets a signal in", ppoll(NULL, 0, &wait, &none), EINTR);
    CHECK("it came", count == 1);
    raise(SIGUSR1);
    FAILS("pselect likewise", pselect(0, NULL, NULL, NULL, &wait, &none), EINTR);
    CHECK("it came, and the mask is back", count == 2 && sigprocmask(SIG_BLOCK, NULL, &none) == 0 && sigismember(&none, SIGUSR1));
}

int main(void)
{
    one_pipe();
    polling();
    interrupted();
    return finish();
}
