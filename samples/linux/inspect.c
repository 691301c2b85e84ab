/* Looking into a child: its memory, its open files, its folder of /proc. */
#include "sample.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char text[64] = "the parent's", big[100000];

static ssize_t copy(int call, pid_t pid, void *here, void *there, size_t size)
{
    struct iovec local = { here, size }, remote = { there, size };
    return syscall(call, pid, &local, 1L, &remote, 1L, 0L);
}

static int is_link_to(const char *wanted, pid_t pid, const char *name)
{
    char path[64], target[PATH_MAX];
    form_into(path, "/proc/%d/%s", pid, name);
    ssize_t size = readlink(path, target, sizeof target - 1);
    return size == (ssize_t)strlen(wanted) && !memcmp(target, wanted, size);
}

/* Whether a file of its folder of /proc has the bytes in its first 64 KiB. */
static int tells(pid_t pid, const char *name, const char *wanted, size_t length)
{
    static char all[65536];
    char path[64];
    size_t used = 0;
    ssize_t got;
    form_into(path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY);
    while ((got = read(fd, all + used, sizeof all - used)) > 0)
        used += got;
    close(fd);
    return used && memmem(all, used, wanted, length) != NULL;
}

static void look(pid_t child, int out)
{
    char found[64] = "", byte, mine[2];
    struct iovec local[2] = { { found, 4 }, { found + 4, 60 } }, remote[2] = { { text, 10 }, { text + 10, 8 } };
    CHECK("its memory", copy(SYS_process_vm_readv, child, found, text, 12) == 12 && !strcmp(found, "the child's"));
    CHECK("pieces", syscall(SYS_process_vm_readv, child, local, 2L, remote, 2L, 0L) == 18 && !strcmp(found, "the child's"));
    CHECK("much of it", copy(SYS_process_vm_readv, child, big, big, sizeof big) == sizeof big && big[0] == 'c' && big[sizeof big - 1] == 'c');
    CHECK("written", copy(SYS_process_vm_writev, child, "hello from the parent", text, 22) == 22);
    FAILS("nothing there", copy(SYS_process_vm_readv, child, found, (void *)16, 8), EFAULT);
    FAILS("nobody", copy(SYS_process_vm_readv, 0x3ffffff0, found, text, 8), ESRCH);
    CHECK("its folder", is_link_to("/", child, "cwd"));
    CHECK("its root", is_link_to("/", child, "root"));
    CHECK("its map", tells(child, "maps", "[stack]", 7));
    CHECK("its environment", tells(child, "environ", "SAMPLE=1\0", 9));
    char name[32], path[64];
    form_into(name, "fd/%d", out);
    form_into(path, "/proc/%d/fd/%d", child, out);
    CHECK("its pipe", access(path, F_OK) == 0 && tells(child, "fdinfo/0", "flags:", 6));
    int fd = open(path, O_WRONLY);
    CHECK("opened again", fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
    int pidfd = syscall(SYS_pidfd_open, child, 0), taken = syscall(SYS_pidfd_getfd, pidfd, out, 0);
    CHECK("taken over", taken >= 0 && write(taken, "y", 1) == 1 && fcntl(taken, F_GETFD) == FD_CLOEXEC);
    CHECK("the same open file", syscall(SYS_kcmp, child, getpid(), KCMP_FILE, (long)out, (long)taken) == 0);
    CHECK("another one", syscall(SYS_kcmp, child, getpid(), KCMP_FILE, (long)out, (long)pidfd) > 0);
    CHECK("another memory", syscall(SYS_kcmp, child, getpid(), KCMP_VM, 0L, 0L) > 0 &&
          syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0L, 0L) == 0);
    FAILS("no such descriptor", syscall(SYS_pidfd_getfd, pidfd, 999, 0), EBADF);
    FAILS("with flags", syscall(SYS_pidfd_getfd, pidfd, out, 1), EINVAL);
    (void)byte, (void)mine;
    close(taken), close(pidfd);
}

int main(int argc, char **argv)
{
    int out[2], go[2], ready[2], status;
    char found[3] = "";
    if (!getenv("SAMPLE")) {
        setenv("SAMPLE", "1", 1);
        execv("/proc/self/exe", argv);
    }
    pipe(out), pipe(go), pipe(ready);
    pid_t child = fork();
    if (!child) {
        char byte;
        close(go[1]), close(out[0]);
        strcpy(text, "the child's"), memset(big, 'c', sizeof big);
        if (chdir("/"))
            _exit(1);
        write(ready[1], "", 1);
        read(go[0], &byte, 1);
        _exit(!strcmp(text, "hello from the parent") ? 7 : 2);
    }
    close(go[0]), close(out[1]);
    read(ready[0], found, 1);
    look(child, out[1]);
    CHECK("what came through its pipe", read(out[0], found, 2) == 2 && !memcmp(found, "xy", 2));
    kill(child, SIGSTOP), kill(child, SIGCONT), close(go[1]);
    CHECK("the child saw what was written", waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    FAILS("it is gone", copy(SYS_process_vm_readv, child, found, text, 1), ESRCH);
    return finish() + 0 * argc;
}
