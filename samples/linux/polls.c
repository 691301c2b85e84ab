/* Waiting for many things: epoll's modes and refusals, sets in sets, copies of descriptors, many threads on one set,
 * eventfd as a semaphore. */

#include "sample.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static int control(int set, int op, int fd, unsigned events, unsigned long long data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(set, op, fd, &event);
}

static const char *told(int result) {
    return result < 0 ? error_name(errno) : "0";
}

/* One line of answers, each call after the other: C leaves the order of arguments open. */
#define STEP(what, call) (strcat(strcat(strcat(line, *line ? ", " : ""), what ": "), told(call)))
#define LINE() (say("%s", line), *line = 0)

static char line[300];

/* Waits at most so long; answers how many events there were, prints the first. */
static void look(const char *what, int set, int patience) {
    struct epoll_event found[4];
    int count = epoll_wait(set, found, 4, patience);
    if (count > 0)
        say("%s: %d, %Lx with %x", what, count, (unsigned long long)found[0].data.u64, found[0].events);
    else
        say("%s: %s", what, told(count));
}

static void modes(void) {
    int set = epoll_create1(EPOLL_CLOEXEC), ends[2], pair[2];
    char byte;
    pipe(ends);
    say("close-on-exec %d", fcntl(set, F_GETFD));
    control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN, 0xaabbccdd11223344ull);
    look("nothing", set, 0);
    write(ends[1], "ab", 2);
    look("level", set, -1), look("level again", set, 0);
    control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET, 2);
    look("edge", set, 0), look("edge again", set, 0);
    write(ends[1], "c", 1);
    look("next edge", set, 0);
    control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 3);
    look("once", set, 0), look("once again", set, 0);
    control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 4);
    look("armed again", set, 0);
    STEP("removed", control(set, EPOLL_CTL_DEL, ends[0], 0, 0));
    STEP("again", control(set, EPOLL_CTL_DEL, ends[0], 0, 0));
    LINE();
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    control(set, EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLRDHUP, 5);
    shutdown(pair[1], SHUT_WR);
    look("half closed", set, 0);
    read(pair[0], &byte, 1);
    close(pair[1]);
    look("closed", set, 0);
    close(pair[0]);
    look("gone with its last descriptor", set, 0);
    control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT, 6);
    look("writable", set, 0);
    close(ends[0]);
    look("no reader", set, 0);
    close(ends[1]), close(set);
}

static void refusals(void) {
    int set = epoll_create(1), other = epoll_create1(0), third = epoll_create1(0), ends[2];
    struct epoll_event event = {.events = EPOLLIN};
    int file = open("plain", O_RDWR | O_CREAT, 0600);
    pipe(ends);
    unlink("plain");
    STEP("size 0", epoll_create(0)), STEP("flags", epoll_create1(1)), LINE();
    STEP("no set", control(ends[0], EPOLL_CTL_ADD, ends[1], 0, 0));
    STEP("no file", control(set, EPOLL_CTL_ADD, 999, 0, 0));
    STEP("plain file", control(set, EPOLL_CTL_ADD, file, 0, 0));
    STEP("itself", control(set, EPOLL_CTL_ADD, set, 0, 0));
    LINE();
    STEP("added", control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN, 0));
    STEP("twice", control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN, 0));
    STEP("unknown", control(set, 9, ends[0], 0, 0));
    STEP("not there", control(set, EPOLL_CTL_MOD, ends[1], 0, 0));
    LINE();
    STEP("no event", epoll_ctl(set, EPOLL_CTL_ADD, ends[1], 0)), STEP("no room", epoll_wait(set, &event, 0, 0));
    STEP("bad room", epoll_wait(set, &event, -1, 0)), LINE();
    STEP("closed set", epoll_wait(999, &event, 1, 0)), STEP("not a set", epoll_wait(ends[0], &event, 1, 0)), LINE();
    STEP("nested", control(other, EPOLL_CTL_ADD, set, EPOLLIN, 7));
    STEP("deeper", control(third, EPOLL_CTL_ADD, other, EPOLLIN, 8));
    STEP("circle", control(set, EPOLL_CTL_ADD, third, EPOLLIN, 9));
    LINE();
    write(ends[1], "x", 1);
    look("through two sets", third, 0);
    struct pollfd asked[] = {{third, POLLIN, 0}, {ends[0], POLLIN | POLLOUT, 0}, {-1, POLLIN, 9}, {999, 0, 0}};
    int count = poll(asked, 4, 0);
    say("poll: %d, %x %x %x %x", count, asked[0].revents, asked[1].revents, asked[2].revents, asked[3].revents);
    STEP("exclusive", control(third, EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLEXCLUSIVE, 1));
    STEP("changed", control(third, EPOLL_CTL_MOD, ends[1], EPOLLOUT, 1));
    LINE();
    close(ends[0]), close(ends[1]), close(set), close(other), close(third), close(file);
}

static void copies(void) {
    int set = epoll_create1(0), ends[2];
    pipe(ends);
    int copy = dup(ends[0]);
    control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN, 1);
    STEP("a copy", control(set, EPOLL_CTL_ADD, copy, EPOLLIN, 2));
    STEP("twice", control(set, EPOLL_CTL_ADD, copy, EPOLLIN, 2));
    LINE();
    write(ends[1], "x", 1);
    struct epoll_event found[4] = {0};
    int count = epoll_wait(set, found, 4, 0);
    say("both tell: %d, sum %d", count, (int)(found[0].data.u64 + found[1].data.u64));
    control(set, EPOLL_CTL_DEL, copy, 0, 0);
    close(ends[0]);
    look("a closed number whose file is open", set, 0);
    close(copy);
    look("all closed", set, 0);
    say("nobody reads: %s", told(fcntl(ends[1], F_GETFL) < 0 ? -1 : 0));
    struct pollfd asked = {ends[1], POLLOUT, 0};
    poll(&asked, 1, 0);
    say("the writer sees it: %x", asked.revents & POLLERR);
    int counter = eventfd(0, 0);
    control(set, EPOLL_CTL_ADD, counter, EPOLLIN, 7);
    pid_t child = fork();
    if (!child) {
        eventfd_write(counter, 1);
        _exit(control(set, EPOLL_CTL_MOD, counter, EPOLLIN | EPOLLONESHOT, 8) != 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    say("changed by the child: %d", status);
    look("its event", set, 0), look("only once", set, 0);
    close(counter), close(set), close(ends[1]);
}

enum { WAITERS = 12 };

static int shared_set, semaphore, woken;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_one(void *argument) {
    struct epoll_event found;
    eventfd_t one = 0;
    for (;;) {
        if (epoll_wait(shared_set, &found, 1, -1) != 1) return argument;
        if (eventfd_read(semaphore, &one) == 0) break;
    }
    pthread_mutex_lock(&lock);
    woken += (int)one;
    pthread_mutex_unlock(&lock);
    return 0;
}

static void crowd(void) {
    pthread_t threads[WAITERS];
    eventfd_t value = 0;
    shared_set = epoll_create1(0);
    semaphore = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
    control(shared_set, EPOLL_CTL_ADD, semaphore, EPOLLIN, 1);
    for (int k = 0; k < WAITERS; k++) pthread_create(&threads[k], 0, wait_for_one, 0);
    for (int k = 0; k < WAITERS; k += 4) eventfd_write(semaphore, 4), usleep(1000);
    for (int k = 0; k < WAITERS; k++) pthread_join(threads[k], 0);
    say("%d threads took one each, left: %s", woken, told(eventfd_read(semaphore, &value)));
    eventfd_write(semaphore, 0xfffffffffffffffeull);
    STEP("full", eventfd_write(semaphore, 1)), STEP("read", eventfd_read(semaphore, &value)), LINE();
    say("one of them: %d", (int)value);
    STEP("too large", eventfd_write(semaphore, ~0ull)), STEP("short", write(semaphore, "1234", 4)), LINE();
    close(semaphore), close(shared_set);
}

static void *write_later(void *argument) {
    usleep(20000);
    write(*(int *)argument, "x", 1);
    return 0;
}

static void patience(void) {
    int set = epoll_create1(0), ends[2];
    struct timespec before, after, nap = {0, 30000000};
    struct epoll_event found;
    pthread_t thread;
    pipe(ends);
    control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN, 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    int count = epoll_wait(set, &found, 1, 30);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long spent = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    say("waited: %d, long enough %d", count, spent >= 29);
    pthread_create(&thread, 0, write_later, &ends[1]);
    say("another thread writes: %d", epoll_wait(set, &found, 1, 10000));
    pthread_join(thread, 0);
    say("ppoll: %d", ppoll(&(struct pollfd){ends[1], POLLIN, 0}, 1, &nap, 0));
    close(ends[0]), close(ends[1]), close(set);
}

int main(void) {
    modes();
    refusals();
    copies();
    crowd();
    patience();
    return finish();
}
