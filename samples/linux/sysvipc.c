/* System V IPC: semaphores, message queues and shared memory between processes. */
#include "sample.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>

union semun { int val; struct semid_ds *buf; unsigned short *array; };
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct message { long type; char text[64]; };

#ifdef __s390x__ /* musl's semtimedop takes ipc's sixth word for the timeout, and here that call has five */
#define semtimedop(...) syscall(392, __VA_ARGS__)
#endif

static int op(int set, int index, int change, int flags)
{
    struct sembuf one = { .sem_num = index, .sem_op = change, .sem_flg = flags };
    return semop(set, &one, 1);
}

static int value(int set, int index)
{
    return semctl(set, index, GETVAL);
}

static void semaphores(void)
{
    struct semid_ds about;
    unsigned short values[3] = { 5, 0, 7 };
    struct timespec soon = { 0, 30000000 };
    int set = semget(IPC_PRIVATE, 3, 0640);
    CHECK("a set", set >= 0 && value(set, 0) == 0);
    CHECK("SETALL", semctl(set, 0, SETALL, (union semun){ .array = values }) == 0 && value(set, 2) == 7);
    CHECK("SETVAL", semctl(set, 1, SETVAL, (union semun){ .val = 3 }) == 0);
    memset(values, 0, sizeof values);
    CHECK("GETALL", semctl(set, 0, GETALL, (union semun){ .array = values }) == 0 &&
          values[0] == 5 && values[1] == 3 && values[2] == 7);
    CHECK("IPC_STAT", semctl(set, 0, IPC_STAT, (union semun){ .buf = &about }) == 0 && about.sem_nsems == 3 &&
          (about.sem_perm.mode & 0777) == 0640 && about.sem_otime == 0 && time(NULL) - about.sem_ctime < 100 &&
          about.sem_perm.uid == geteuid());
    CHECK("down", op(set, 0, -5, 0) == 0 && value(set, 0) == 0 && semctl(set, 0, GETPID) == getpid());
    FAILS("down again at once", op(set, 0, -1, IPC_NOWAIT), EAGAIN);
    struct sembuf both[2] = { { 1, -1, 0 }, { 0, -1, IPC_NOWAIT } };
    FAILS("all or nothing", semop(set, both, 2), EAGAIN);
    CHECK("nothing", value(set, 1) == 3);
    struct sembuf down = { 0, -1, 0 };
    FAILS("for a while", semtimedop(set, &down, 1, &soon), EAGAIN);
    FAILS("no such semaphore", op(set, 3, 1, 0), EFBIG);
    FAILS("too much", op(set, 2, 32767, 0), ERANGE);
    FAILS("no operation", semop(set, both, 0), EINVAL);
    FAILS("no such set", semget(0x5a5a0001, 1, 0), ENOENT);
    int known = semget(0x5a5a0001, 2, IPC_CREAT | 0600);
    CHECK("by key", known >= 0 && semget(0x5a5a0001, 1, 0) == known && known != set);
    FAILS("only anew", semget(0x5a5a0001, 1, IPC_CREAT | IPC_EXCL), EEXIST);
    FAILS("more than there are", semget(0x5a5a0001, 3, 0), EINVAL);
    FAILS("unknown command", semctl(known, 0, 77), EINVAL);
    int pid = fork();
    if (!pid) {
        op(known, 1, 2, SEM_UNDO);
        op(known, 0, 1, 0);
        op(set, 0, -1, 0);
        _exit(value(known, 1));
    }
    CHECK("a child woke us", op(known, 0, -1, 0) == 0 && value(known, 1) == 2);
    while (semctl(set, 0, GETNCNT) != 1)
        usleep(10000);
    CHECK("it waits now", semctl(set, 0, GETNCNT) == 1 && semctl(set, 0, GETZCNT) == 0 && op(set, 0, 1, 0) == 0);
    int status;
    CHECK("the child went", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 2);
    CHECK("SEM_UNDO", value(known, 1) == 0);
    pid = fork();
    if (!pid) {
        op(set, 0, -1, 0);
        _exit(errno == EIDRM ? 9 : 8);
    }
    while (semctl(set, 0, GETNCNT) != 1)
        usleep(10000);
    CHECK("removed", semctl(set, 0, IPC_RMID) == 0 && semctl(known, 0, IPC_RMID) == 0);
    CHECK("who waited hears of it", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 9);
    FAILS("gone", op(set, 0, 1, 0), EINVAL);
}

static int text_is(struct message *message, long got, const char *text)
{
    return got == (long)strlen(text) + 1 && !strcmp(message->text, text);
}

/* A table of /proc/sysvipc has a line with that id, permissions and more. */
static int listed(const char *path, int id, const char *rest)
{
    static char table[16384];
    char wanted[100];
    int fd = open(path, O_RDONLY);
    ssize_t size = 0, got = 0;
    while (fd >= 0 && (got = read(fd, table + size, sizeof table - 1 - size)) > 0)
        size += got;
    close(fd);
    table[size] = 0;
    form_into(wanted, " %d   %s", id, rest);
    return got == 0 && strstr(table, wanted);
}

static void queues(void)
{
    struct message message = { 2, "second" }, found;
    struct msqid_ds about;
    int queue = msgget(IPC_PRIVATE, 0600), status;
    CHECK("a queue", queue >= 0 && msgsnd(queue, &message, 7, 0) == 0);
    message = (struct message){ 1, "first" };
    CHECK("one more", msgsnd(queue, &message, 6, 0) == 0);
    message = (struct message){ 3, "third" };
    CHECK("and one more", msgsnd(queue, &message, 6, IPC_NOWAIT) == 0);
    CHECK("IPC_STAT", msgctl(queue, IPC_STAT, &about) == 0 && about.msg_qnum == 3 && about.msg_lspid == getpid() &&
          about.msg_lrpid == 0 && about.msg_qbytes == 16384 && time(NULL) - about.msg_stime < 100 && !about.msg_rtime);
    CHECK("a copy", text_is(&found, msgrcv(queue, &found, 64, 2, MSG_COPY | IPC_NOWAIT), "third") && found.type == 3);
    FAILS("a copy that waits", msgrcv(queue, &found, 64, 0, MSG_COPY), EINVAL);
    FAILS("a copy too long", msgrcv(queue, &found, 3, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
    errno = 0;
    CHECK("no fourth one", msgrcv(queue, &found, 64, 3, MSG_COPY | IPC_NOWAIT) == -1 && errno == ENOMSG);
    CHECK("in /proc", listed("/proc/sysvipc/msg", queue, "600          19          3"));
    CHECK("the lowest type", text_is(&found, msgrcv(queue, &found, 64, -2, 0), "first") && found.type == 1);
    CHECK("of a type", text_is(&found, msgrcv(queue, &found, 64, 3, 0), "third") && found.type == 3);
    FAILS("too long", msgrcv(queue, &found, 3, 0, 0), E2BIG);
    memset(&found, 'x', sizeof found);
    CHECK("cut off", msgrcv(queue, &found, 3, 0, MSG_NOERROR) == 3 && !memcmp(found.text, "secx", 4));
    errno = 0;
    CHECK("no message", msgrcv(queue, &found, 64, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
    message.type = 0;
    FAILS("no type", msgsnd(queue, &message, 1, 0), EINVAL);
    message.type = 1;
    FAILS("far too long", msgsnd(queue, &message, 100000, 0), EINVAL);
    int pid = fork();
    if (!pid) {
        struct message answer = { 0, "" };
        long got = msgrcv(queue, &answer, 64, 5, 0);
        answer.type = 6;
        strcat(answer.text, ", and back");
        msgsnd(queue, &answer, strlen(answer.text) + 1, 0);
        _exit(got == 6);
    }
    message = (struct message){ 5, "there" };
    CHECK("to the child", msgsnd(queue, &message, 6, 0) == 0);
    CHECK("and back", text_is(&found, msgrcv(queue, &found, 64, 6, 0), "there, and back"));
    CHECK("the child went", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1);
    about.msg_qbytes = 10;
    CHECK("IPC_SET", msgctl(queue, IPC_SET, &about) == 0 && msgctl(queue, IPC_STAT, &about) == 0 && about.msg_qbytes == 10);
    CHECK("fits", msgsnd(queue, &message, 6, 0) == 0);
    FAILS("full", msgsnd(queue, &message, 6, IPC_NOWAIT), EAGAIN);
    CHECK("removed", msgctl(queue, IPC_RMID, NULL) == 0);
    FAILS("gone", msgctl(queue, IPC_STAT, &about), EINVAL);
}

static void memory(void)
{
    struct shmid_ds about;
    int id = shmget(0x5a5a0002, 10000, IPC_CREAT | 0600), status;
    volatile int *here = shmat(id, NULL, 0), *again;
    CHECK("attached", id >= 0 && here != (void *)-1 && here[2000] == 0);
    FAILS("a larger one", shmget(0x5a5a0002, 20000, 0), EINVAL);
    again = shmat(shmget(0x5a5a0002, 0, 0), NULL, SHM_RDONLY);
    here[2000] = 42;
    CHECK("twice", again != here && again[2000] == 42);
    CHECK("IPC_STAT", shmctl(id, IPC_STAT, &about) == 0 && about.shm_segsz == 10000 && about.shm_nattch == 2 &&
          about.shm_cpid == getpid() && time(NULL) - about.shm_atime < 100 && (about.shm_perm.mode & 0777) == 0600);
    CHECK("one less", shmdt((void *)again) == 0 && shmctl(id, IPC_STAT, &about) == 0 && about.shm_nattch == 1);
    FAILS("nothing there", shmdt((void *)again), EINVAL);
    int pid = fork();
    if (!pid) {
        shmctl(id, IPC_STAT, &about);
        here[0] = about.shm_nattch;
        here[1] = 7;
        shmdt((void *)here);
        _exit(0);
    }
    CHECK("the child went", waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK("it had it too", here[0] == 2 && here[1] == 7);
    CHECK("not any more", shmctl(id, IPC_STAT, &about) == 0 && about.shm_nattch == 1);
    CHECK("marked", shmctl(id, IPC_RMID, NULL) == 0 && shmctl(id, IPC_STAT, &about) == 0 &&
          (about.shm_perm.mode & 01000));
    FAILS("no longer found", shmget(0x5a5a0002, 0, 0), ENOENT);
    CHECK("but there", here[2000] == 42);
    CHECK("let go", shmdt((void *)here) == 0);
    FAILS("gone", shmctl(id, IPC_STAT, &about), EINVAL);
    void *place = (void *)0x60000000;
    id = shmget(IPC_PRIVATE, 4096, 0600);
    CHECK("at an address", shmat(id, place, 0) == place);
    FAILS("not over it", shmat(id, place, 0), EINVAL);
    CHECK("unless asked to", shmat(id, place, SHM_REMAP) == place && shmdt(place) == 0);
    FAILS("not on a page", shmat(id, (char *)place + 4, 0), EINVAL);
    CHECK("removed", shmctl(id, IPC_RMID, NULL) == 0);
    FAILS("no size", shmget(IPC_PRIVATE, 0, 0600), EINVAL);
}

int main(void)
{
    semaphores();
    queues();
    memory();
    return finish();
}
