/* Wild pointers and lengths for every call: the program must live on, and answer known errors where they are known.
 *
 * The pointers lead into a page without access, oddly aligned; what would end or change the process by
 * design is left out by name.
 */
#include "sample.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if defined __mips__ && defined __mips64
#define FIRST 5000
#elif defined __mips__
#define FIRST 4000
#else
#define FIRST 0
#endif

/* Calls that end, stop, split, or change this process or machine when they are believed. */
static const long left_out[] = {
    SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_clone, SYS_vhangup, SYS_setuid, SYS_setgid, SYS_setsid, SYS_umask,
    SYS_setfsuid, SYS_setfsgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_sync, SYS_personality,
    SYS_set_tid_address, SYS_rt_sigsuspend, SYS_reboot, SYS_kexec_load, SYS_ptrace, SYS_syslog, SYS_kill, SYS_tkill, SYS_tgkill,
#ifdef __x86_64__
    335, 336, /* uretprobe and uprobe, which answer SIGILL */
#endif
#ifdef SYS_fork
    SYS_fork,
#endif
#ifdef SYS_vfork
    SYS_vfork,
#endif
#ifdef SYS_pause
    SYS_pause,
#endif
#ifdef SYS_sigreturn
    SYS_sigreturn,
#endif
#ifdef SYS_sigsuspend
    SYS_sigsuspend,
#endif
#ifdef SYS_sigprocmask
    SYS_sigprocmask,
#endif
#ifdef SYS_ssetmask
    SYS_ssetmask,
#endif
#ifdef SYS_signal
    SYS_signal,
#endif
#ifdef SYS_nice
    SYS_nice,
#endif
#ifdef SYS_alarm
    SYS_alarm,
#endif
#ifdef SYS_iopl
    SYS_iopl,
#endif
#ifdef SYS_setuid32
    SYS_setuid32, SYS_setgid32, SYS_setreuid32, SYS_setregid32, SYS_setresuid32, SYS_setresgid32, SYS_setfsuid32, SYS_setfsgid32,
#endif
#ifdef SYS_swapcontext
    SYS_swapcontext,
#endif
#ifdef SYS_set_thread_area
    SYS_set_thread_area,
#endif
#ifdef SYS_arch_prctl
    SYS_arch_prctl,
#endif
#ifdef SYS_modify_ldt
    SYS_modify_ldt,
#endif
#ifdef SYS_prof
    SYS_prof,
#endif
#ifdef SYS_idle
    SYS_idle,
#endif
};

static int is_left_out(long number)
{
    for (unsigned i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (left_out[i] == number)
            return 1;
    return 0;
}

static void every_call(const char *what, long value)
{
    int answered = 0;
    for (long number = FIRST; number < FIRST + 470; number++) {
        if (is_left_out(number))
            continue;
        syscall(number, value, value, value, value, value, value);
        answered++;
    }
    CHECK(what, answered > 300);
}

static void one_by_one(char *wild)
{
    char buffer[16];
    int fd = open("/dev/zero", O_RDWR);
    FAILS("read", syscall(SYS_read, fd, wild, 8L), EFAULT);
    FAILS("read of too much", syscall(SYS_read, fd, wild, -1L), EFAULT);
    FAILS("readv", syscall(SYS_readv, fd, wild, 2L), EFAULT);
    FAILS("writev with too many parts", syscall(SYS_writev, fd, buffer, 2000L), EINVAL);
    FAILS("openat", syscall(SYS_openat, AT_FDCWD, wild, 0L), EFAULT);
    FAILS("readlinkat", syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", wild, 9L), EFAULT);
    FAILS("readlinkat into nothing", syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", buffer, 0L), EINVAL);
    FAILS("getcwd", syscall(SYS_getcwd, wild, 4096L), EFAULT);
    FAILS("pipe2", syscall(SYS_pipe2, wild, 0L), EFAULT);
    FAILS("uname", syscall(SYS_uname, wild), EFAULT);
    FAILS("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, wild, 0L, _NSIG / 8L), EFAULT);
    FAILS("rt_sigaction with a wrong size", syscall(SYS_rt_sigaction, SIGUSR1, 0L, 0L, 3L), EINVAL);
    FAILS("rt_sigprocmask", syscall(SYS_rt_sigprocmask, 0L, wild, 0L, _NSIG / 8L), EFAULT);
    FAILS("munmap", syscall(SYS_munmap, wild, 4096L), EINVAL);
    FAILS("execve", syscall(SYS_execve, wild, 0L, 0L), EFAULT);
    FAILS("sigaltstack", syscall(SYS_sigaltstack, wild, 0L), EFAULT);
    FAILS("getdents64", syscall(SYS_getdents64, 999L, wild, 100L), EBADF);
    close(fd);
    fd = open("/", O_RDONLY);
    FAILS("getdents64 into nowhere", syscall(SYS_getdents64, fd, wild, 4000L), EFAULT);
    FAILS("getdents64 into too little", syscall(SYS_getdents64, fd, buffer, 4L), EINVAL);
    close(fd);
}

int main(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *wild = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigset_t all;
    one_by_one(wild + page + 3);
    int out = dup(1);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    every_call("every call with wild pointers", (long)(wild + page + 3));
    every_call("every call with -1", -1);
    every_call("every call with an address that no process has", -4097);
    dup2(out, 1);
    CHECK("still here", getpid() > 0);
    return finish();
}
