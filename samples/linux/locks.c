/* Locks on files: of processes, of open files, of flock; waiting for them, and waiting for each other. */
#include "sample.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

static int file;

static int lock(int fd, int command, int type, long start, long length)
{
    struct flock one = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
    return fcntl(fd, command, &one);
}

/* What another process finds in the way of a write lock. */
static int in_the_way(long start, long length, struct flock *found)
{
    int tube[2];
    pipe(tube);
    pid_t pid = fork();
    if (!pid) {
        *found = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
        fcntl(file, F_GETLK, found);
        write(tube[1], found, sizeof *found);
        _exit(0);
    }
    read(tube[0], found, sizeof *found);
    close(tube[0]), close(tube[1]);
    waitpid(pid, NULL, 0);
    return found->l_type;
}

static int status_of(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void of_processes(void)
{
    struct flock found;
    CHECK("a lock", lock(file, F_SETLK, F_WRLCK, 10, 20) == 0);
    CHECK("seen by others", in_the_way(0, 0, &found) == F_WRLCK && found.l_start == 10 && found.l_len == 20 &&
          found.l_pid == getpid() && found.l_whence == SEEK_SET);
    CHECK("not beside it", in_the_way(30, 5, &found) == F_UNLCK);
    CHECK("a hole in it", lock(file, F_SETLK, F_UNLCK, 15, 5) == 0 && in_the_way(15, 5, &found) == F_UNLCK &&
          in_the_way(14, 5, &found) == F_WRLCK && found.l_len == 5);
    CHECK("a reader's", lock(file, F_SETLK, F_RDLCK, 10, 20) == 0 && in_the_way(12, 1, &found) == F_RDLCK);
    pid_t pid = fork();
    if (!pid) {
        if (lock(file, F_SETLK, F_WRLCK, 10, 1) == 0 || (errno != EAGAIN && errno != EACCES))
            _exit(1);
        _exit(lock(file, F_SETLK, F_RDLCK, 10, 1) == 0 ? 7 : 2);
    }
    CHECK("two readers", status_of(pid) == 7);
    void *page = mmap(NULL, 100, PROT_READ, MAP_SHARED, file, 0);
    CHECK("a mapping comes and goes", page != MAP_FAILED && munmap(page, 100) == 0 && in_the_way(0, 0, &found) == F_RDLCK);
    close(dup(file));
    CHECK("any close lets go of all", in_the_way(0, 0, &found) == F_UNLCK);
    FAILS("no such type", lock(file, F_SETLK, 99, 0, 0), EINVAL);
    FAILS("nothing open", lock(999, F_SETLK, F_WRLCK, 0, 0), EBADF);
}

static void *holds(void *unused)
{
    usleep(30000);
    lock(file, F_SETLK, F_UNLCK, 0, 0);
    return unused;
}

static void woken(int number)
{
    (void)number;
}

static void waiting(void)
{
    pthread_t thread;
    CHECK("locked", lock(file, F_SETLK, F_WRLCK, 0, 0) == 0);
    pid_t pid = fork();
    if (!pid)
        _exit(lock(file, F_SETLKW, F_WRLCK, 0, 0) == 0 ? 5 : 6);
    CHECK("another thread lets go", pthread_create(&thread, NULL, holds, NULL) == 0 && status_of(pid) == 5);
    pthread_join(thread, NULL);
    struct sigaction action = { .sa_handler = woken };
    sigaction(SIGALRM, &action, NULL);
    int there[2];
    char byte;
    pipe(there);
    pid = fork();
    if (!pid) {
        lock(file, F_SETLK, F_WRLCK, 0, 10);
        write(there[1], "x", 1);
        usleep(100000);
        _exit(lock(file, F_SETLKW, F_WRLCK, 20, 10) == 0 ? 3 : errno == EDEADLK ? 4 : 5);
    }
    read(there[0], &byte, 1);
    CHECK("ours", lock(file, F_SETLK, F_WRLCK, 20, 10) == 0);
    struct itimerval soon = { .it_value.tv_usec = 20000 };
    setitimer(ITIMER_REAL, &soon, NULL);
    FAILS("a signal ends it", lock(file, F_SETLKW, F_WRLCK, 0, 10), EINTR);
    int got = lock(file, F_SETLKW, F_WRLCK, 0, 10), error = errno;
    lock(file, F_SETLK, F_UNLCK, 0, 0);
    int other = status_of(pid);
    CHECK("one of two hears of it", (got == 0 && other == 4) || (got == -1 && error == EDEADLK && other == 3));
    close(there[0]), close(there[1]);
}

static void of_open_files(void)
{
    int again = open("file", O_RDWR), same = dup(file);
    CHECK("flock", flock(file, LOCK_EX) == 0 && flock(same, LOCK_EX | LOCK_NB) == 0);
    FAILS("not by another open", flock(again, LOCK_SH | LOCK_NB), EAGAIN);
    CHECK("shared", flock(file, LOCK_SH) == 0 && flock(again, LOCK_SH | LOCK_NB) == 0);
    FAILS("not alone", flock(again, LOCK_EX | LOCK_NB), EAGAIN);
    flock(again, LOCK_UN);
    flock(file, LOCK_EX);
    pid_t pid = fork();
    if (!pid)
        _exit(flock(again, LOCK_EX) == 0 ? 8 : 9);
    usleep(20000);
    CHECK("and waited for", flock(same, LOCK_UN) == 0 && status_of(pid) == 8);
    CHECK("OFD", lock(file, F_OFD_SETLK, F_WRLCK, 0, 10) == 0 && lock(same, F_OFD_SETLK, F_WRLCK, 5, 10) == 0);
    FAILS("not by another open", lock(again, F_OFD_SETLK, F_RDLCK, 14, 1), EAGAIN);
    struct flock found = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    CHECK("F_OFD_GETLK", fcntl(again, F_OFD_GETLK, &found) == 0 && found.l_type == F_WRLCK && found.l_len == 15 && found.l_pid == -1);
    close(same);
    FAILS("a dup more or less does not matter", lock(again, F_OFD_SETLK, F_RDLCK, 14, 1), EAGAIN);
    pid = fork();
    if (!pid)
        _exit(lock(again, F_OFD_SETLKW, F_RDLCK, 14, 1) == 0 ? 8 : 9);
    usleep(20000);
    CHECK("and waited for", lock(file, F_OFD_SETLK, F_UNLCK, 0, 0) == 0 && status_of(pid) == 8);
    close(again);
}

int main(void)
{
    enter_fresh_directory();
    file = open("file", O_RDWR | O_CREAT, 0600);
    ftruncate(file, 100);
    of_processes();
    waiting();
    of_open_files();
    close(file);
    unlink("file");
    leave_fresh_directory();
    return finish();
}
