/* POSIX message queues: by priority, with limits and timeouts, between processes. */
#include "sample.h"
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static char text[64];
static unsigned priority;

static int gets_text(mqd_t queue, const char *wanted, unsigned at)
{
    ssize_t got = mq_receive(queue, text, sizeof text, &priority);
    return got == (ssize_t)strlen(wanted) && !memcmp(text, wanted, got) && priority == at;
}

static sem_t calls;
static int call_value;

static void called(union sigval value)
{
    call_value = value.sival_int;
    sem_post(&calls);
}

int main(void)
{
    char name[64];
    struct mq_attr limits = { .mq_maxmsg = 3, .mq_msgsize = 16 }, found;
    struct timespec when;
    form_into(name, "/sample-%d", (int)getpid());
    FAILS("none yet", mq_open(name, O_RDWR), ENOENT);
    FAILS("no room for a message", mq_open(name, O_RDWR | O_CREAT, 0600, &(struct mq_attr){ .mq_maxmsg = 1 }), EINVAL);
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &limits);
    if (queue < 0 && errno == ENOSYS) {
        say("no message queues");
        return 1;
    }
    CHECK("made", queue >= 0);
    FAILS("not anew", mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &limits), EEXIST);
    mqd_t reader = mq_open(name, O_RDONLY | O_NONBLOCK);
    CHECK("attributes", mq_getattr(reader, &found) == 0 && found.mq_flags == O_NONBLOCK && found.mq_maxmsg == 3 &&
          found.mq_msgsize == 16 && found.mq_curmsgs == 0);
    CHECK("sent", mq_send(queue, "low", 3, 1) == 0 && mq_send(queue, "high", 4, 9) == 0 && mq_send(queue, "low2", 4, 1) == 0);
    clock_gettime(CLOCK_REALTIME, &when);
    when.tv_nsec += 20000000;
    if (when.tv_nsec >= 1000000000)
        when.tv_sec++, when.tv_nsec -= 1000000000;
    FAILS("full for a while", mq_timedsend(queue, "x", 1, 0, &when), ETIMEDOUT);
    FAILS("too long", mq_send(queue, "a message of many words", 23, 0), EMSGSIZE);
    FAILS("a small buffer", mq_receive(reader, text, 8, NULL), EMSGSIZE);
    FAILS("only for reading", mq_send(reader, "x", 1, 0), EBADF);
    struct pollfd wait = { reader, POLLIN | POLLOUT, 0 };
    CHECK("poll", poll(&wait, 1, 0) == 1 && wait.revents == POLLIN);
    CHECK("by priority", gets_text(queue, "high", 9) && gets_text(reader, "low", 1) && gets_text(reader, "low2", 1));
    FAILS("empty", mq_receive(reader, text, sizeof text, NULL), EAGAIN);
    found.mq_flags = 0;
    CHECK("to blocking", mq_setattr(reader, &found, NULL) == 0 && mq_getattr(reader, &found) == 0 && found.mq_flags == 0);
    pid_t pid = fork();
    if (!pid) {
        mqd_t own = mq_open(name, O_WRONLY);
        usleep(30000);
        _exit(mq_send(own, "from the child", 14, 4) == 0 ? 6 : 7);
    }
    CHECK("a child's", gets_text(reader, "from the child", 4));
    int status;
    CHECK("the child went", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 6);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
    CHECK("mq_notify", mq_notify(queue, &event) == 0);
    FAILS("only one at a time", mq_notify(queue, &event), EBUSY);
    CHECK("tells", mq_send(queue, "x", 1, 0) == 0 && sigwaitinfo(&set, NULL) == SIGUSR2);
    CHECK("once", mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0);
    struct sigevent call = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = called, .sigev_value.sival_int = 42 };
    CHECK("by a thread", gets_text(queue, "x", 0) && mq_notify(queue, &call) == 0);
    FAILS("of which there is one", mq_notify(queue, &event), EBUSY);
    CHECK("calls", mq_send(queue, "x", 1, 0) == 0 && !sem_wait(&calls) && call_value == 42);
    CHECK("once", gets_text(queue, "x", 0) && mq_send(queue, "x", 1, 0) == 0 && sem_trywait(&calls) == -1);
    CHECK("unlinked", mq_unlink(name) == 0);
    FAILS("gone", mq_unlink(name), ENOENT);
    CHECK("but there", gets_text(queue, "x", 0) && mq_close(queue) == 0 && mq_close(reader) == 0);
    FAILS("closed", mq_send(queue, "x", 1, 0), EBADF);
    FAILS("no queue", mq_getattr(1, &found), EBADF);
    return finish();
}
