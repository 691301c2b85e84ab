/* Ids: given up for a while and for good by who is root, refused to all others; what follows from them. */
#include "sample.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { USER = 1234, GROUP = 1235, OTHER = 1236 };

static char **arguments;

/* Whether a child says so: what it gives up its parent keeps. */
static int in_child(int (*act)(void))
{
    int status;
    pid_t child = fork();
    if (!child)
        _exit(act() ? 7 : 1);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static int refused(int result)
{
    return result == -1 && errno == EPERM;
}

static int users_are(uid_t real, uid_t effective, uid_t saved)
{
    uid_t r, e, s;
    return getresuid(&r, &e, &s) == 0 && r == real && e == effective && s == saved;
}

static int groups_are(gid_t real, gid_t effective, gid_t saved)
{
    gid_t r, e, s;
    return getresgid(&r, &e, &s) == 0 && r == real && e == effective && s == saved;
}

static int opens(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int others_are_refused(void)
{
    uid_t user = getuid();
    gid_t group = getgid(), groups[] = { OTHER };
    return refused(setuid(USER)) && refused(setgid(GROUP)) && refused(setresuid(-1, USER, -1)) &&
           refused(setreuid(USER, -1)) && refused(setregid(-1, GROUP)) && refused(setgroups(1, groups)) &&
           users_are(user, user, user) && groups_are(group, group, group);
}

static int for_a_while(void)
{
    char path[] = "/tmp/secretXXXXXX";
    int fd = mkstemp(path), good = fd >= 0 && seteuid(USER) == 0 && users_are(0, USER, 0);
    good = good && !opens(path) && errno == EACCES && access(path, R_OK) == 0; /* access() asks for the real user */
    good = good && prctl(PR_GET_DUMPABLE) == 0 && refused(setgroups(0, NULL));
    good = good && setreuid(USER, 0) == 0 && users_are(USER, 0, 0) && opens(path) && setresuid(0, -1, -1) == 0;
    return good && unlink(path) == 0;
}

static int status_says(const char *wanted)
{
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = 0;
    return strstr(text, wanted) != NULL;
}

static int makes_files(void)
{
    char path[] = "/tmp/mineXXXXXX";
    struct stat state;
    int fd = mkstemp(path), good = fd >= 0 && fstat(fd, &state) == 0 && state.st_uid == USER && state.st_gid == GROUP;
    good = good && refused(fchown(fd, 0, -1)) && fchown(fd, -1, OTHER) == 0;
    return good && unlink(path) == 0;
}

static int for_good(void)
{
    gid_t groups[] = { GROUP, OTHER }, found[4];
    struct ucred peer;
    socklen_t size = sizeof peer;
    int pair[2], good = setgroups(2, groups) == 0 && setgid(GROUP) == 0 && setuid(USER) == 0;
    good = good && users_are(USER, USER, USER) && groups_are(GROUP, GROUP, GROUP);
    good = good && getgroups(4, found) == 2 && found[0] + found[1] == GROUP + OTHER;
    good = good && others_are_refused() == 0; /* these are its own by now */
    good = good && refused(setuid(0)) && refused(seteuid(0)) && refused(setgid(0)) && refused(setgroups(0, NULL));
    good = good && refused(kill(getppid(), 0)) && makes_files();
    good = good && status_says("Uid:\t1234\t1234\t1234\t1234\n") && status_says("Groups:\t1235 1236 \n") &&
           status_says("CapEff:\t0000000000000000\n");
    return good && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
           getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == USER && peer.gid == GROUP;
}

static void *look(void *unused)
{
    (void)unused;
    return (void *)(long)(getuid() == USER && users_are(USER, USER, USER));
}

static void *wait_and_look(void *gate)
{
    char byte;
    return read(*(int *)gate, &byte, 1) == 1 ? look(NULL) : NULL;
}

static int all_threads_change(void)
{
    pthread_t thread;
    void *good;
    int gate[2];
    return pipe(gate) == 0 && pthread_create(&thread, NULL, wait_and_look, gate) == 0 && setuid(USER) == 0 &&
           write(gate[1], "", 1) == 1 && pthread_join(thread, &good) == 0 && good;
}

static int capabilities(struct __user_cap_data_struct *data)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    return syscall(SYS_capget, &header, data);
}

static int capabilities_are_kept(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    int good = prctl(PR_SET_KEEPCAPS, 1) == 0 && setuid(USER) == 0 && capabilities(data) == 0;
    good = good && data[0].effective == 0 && data[0].permitted >> CAP_SETUID & 1 && refused(setuid(0));
    data[0].effective = data[0].permitted = 1 << CAP_SETUID | 1 << CAP_SETGID;
    data[1].effective = data[1].permitted = 0;
    good = good && syscall(SYS_capset, &header, data) == 0 && setgid(GROUP) == 0 && setresuid(0, 0, USER) == 0;
    data[0].permitted |= 1 << CAP_CHOWN;
    return good && users_are(0, 0, USER) && refused(syscall(SYS_capset, &header, data));
}

static int executes(void)
{
    if (setresuid(USER, USER, 0) || prctl(PR_GET_DUMPABLE) != 0)
        return 0;
    execl("/proc/self/exe", arguments[0], "executed", NULL);
    return 0;
}

static int is_executed(void)
{
    struct __user_cap_data_struct data[2];
    return users_are(USER, USER, USER) && prctl(PR_GET_DUMPABLE) == 1 && capabilities(data) == 0 &&
           !(data[0].permitted | data[1].permitted | data[0].effective);
}

static int file_users(void)
{
    char path[] = "/tmp/fsuidXXXXXX";
    int fd = mkstemp(path), good = fd >= 0 && syscall(SYS_setfsuid, USER) == 0;
    good = good && !opens(path) && errno == EACCES && geteuid() == 0 && syscall(SYS_setfsuid, -1) == USER;
    return good && syscall(SYS_setfsuid, 0) == USER && opens(path) && unlink(path) == 0;
}

static int changes_root(void)
{
    char path[] = "/tmp/rootXXXXXX", file[64], cwd[64];
    if (!mkdtemp(path))
        return 0;
    form_into(file, "%s/file", path);
    int fd = creat(file, 0600), inside = fork(), status;
    if (!inside)
        _exit(chroot(path) == 0 && chdir("/") == 0 && opens("/file") && opens("../../file") && !opens(file) &&
                      getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/")
                  ? 7
                  : 1);
    return fd >= 0 && waitpid(inside, &status, 0) == inside && WEXITSTATUS(status) == 7 && unlink(file) == 0 && rmdir(path) == 0;
}

int main(int argc, char **argv)
{
    arguments = argv;
    if (argc > 1)
        return is_executed() ? 7 : 1;
    int root = geteuid() == 0;
    CHECK("an ordinary user takes on no ids", root || in_child(others_are_refused));
    CHECK("root is another user for a while", !root || in_child(for_a_while));
    CHECK("or for good", !root || in_child(for_good));
    CHECK("with all threads", !root || in_child(all_threads_change));
    CHECK("capabilities outlive it if they shall", !root || in_child(capabilities_are_kept));
    CHECK("execve takes the way back", !root || in_child(executes));
    CHECK("a user for files alone", !root || in_child(file_users));
    CHECK("chroot", root ? in_child(changes_root) : refused(chroot("/")));
    CHECK("the parent is who it was", (geteuid() == 0) == root);
    FAILS("user -1", syscall(SYS_setuid, -1), EINVAL);
    return finish();
}
