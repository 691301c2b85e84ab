/* seccomp: calls given up by filters and by the strict mode; what a filter may say. */
#include "sample.h"
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define FILTER(...) { .len = sizeof (struct sock_filter[]){ __VA_ARGS__ } / sizeof(struct sock_filter), \
                      .filter = (struct sock_filter[]){ __VA_ARGS__ } }
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW 4
#else
#define LOW 0
#endif

static volatile int trapped, number_seen, data_seen;
static volatile unsigned arch_seen;

static void on_sys(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    trapped += info->si_code == SYS_SECCOMP;
    number_seen = info->si_syscall;
    arch_seen = info->si_arch;
    data_seen = info->si_errno;
}

static int install(struct sock_fprog *program)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program);
}

static int killed_by(void (*act)(void))
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        act();
        _exit(1);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void strictly(void)
{
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    write(1, "ok   strict: write goes on\n", 27);
    syscall(SYS_exit, 9);
}

static void strictly_killed(void)
{
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    syscall(SYS_getppid);
}

static void kills(void)
{
    struct sock_fprog program = FILTER(LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                                       ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW));
    install(&program);
    syscall(SYS_getpid);
    syscall(SYS_getppid);
}

static void *thread_end(void *unused)
{
    struct sock_fprog program = FILTER(LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                                       ANSWER(SECCOMP_RET_KILL_THREAD), ANSWER(SECCOMP_RET_ALLOW));
    install(&program);
    syscall(SYS_getppid);
    trapped = 77;
    return unused;
}

static void refusals(void)
{
    struct sock_fprog fine = FILTER(ANSWER(SECCOMP_RET_ALLOW)), no_end = FILTER(LOAD(nr)),
        far = FILTER(BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), ANSWER(SECCOMP_RET_ALLOW)),
        odd = FILTER(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ANSWER(0)), wide = FILTER(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ANSWER(0));
    CHECK("no mode yet", prctl(PR_GET_SECCOMP) == 0);
    unsigned action = SECCOMP_RET_KILL_PROCESS, none = 0x12340000;
    CHECK("an action", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0);
    FAILS("no action", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &none), EOPNOTSUPP);
    if (geteuid())
        FAILS("not without no_new_privs", install(&fine), EACCES);
    else
        say("ok   not without no_new_privs: EACCES");
    CHECK("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    FAILS("no end", install(&no_end), EINVAL);
    FAILS("a jump too far", install(&far), EINVAL);
    FAILS("an odd place", install(&odd), EINVAL);
    FAILS("a narrow load", install(&wide), EINVAL);
    fine.len = 0;
    FAILS("no instruction", install(&fine), EINVAL);
}

int main(void)
{
    refusals();
    CHECK("strict: exit goes on", killed_by(strictly) == -9);
    CHECK("strict: others don't", killed_by(strictly_killed) == SIGKILL);
    CHECK("a filter kills", killed_by(kills) == SIGSYS);
    struct sock_fprog errors = FILTER(
        LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1), ANSWER(SECCOMP_RET_ERRNO | EXDEV),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1), ANSWER(SECCOMP_RET_ERRNO),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 0, 1), ANSWER(SECCOMP_RET_TRAP | 42),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + LOW),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0700), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0700, 0, 1),
        ANSWER(SECCOMP_RET_ERRNO | ENOTTY), ANSWER(SECCOMP_RET_ALLOW));
    CHECK("a filter", install(&errors) == 0 && prctl(PR_GET_SECCOMP) == 2);
    FAILS("an error of its choice", syscall(SYS_getppid), EXDEV);
    CHECK("success without doing it", syscall(SYS_getpgid, 99999) == 0);
    FAILS("by an argument", syscall(SYS_umask, 0722), ENOTTY);
    CHECK("another argument", syscall(SYS_umask, 022) >= 0);
    struct sigaction action = { .sa_sigaction = on_sys, .sa_flags = SA_SIGINFO };
    sigaction(SIGSYS, &action, NULL);
    syscall(SYS_getsid, 0);
    CHECK("SIGSYS", trapped == 1 && number_seen == SYS_getsid && data_seen == 42);
    struct sock_fprog here = FILTER(LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch_seen, 1, 0),
                                    ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr),
                                    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                                    ANSWER(SECCOMP_RET_ERRNO | EROFS), ANSWER(SECCOMP_RET_ALLOW));
    CHECK("one more", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &here) == 0);
    FAILS("of two errors the newer", syscall(SYS_getppid), EROFS);
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    CHECK("a thread that is killed", pthread_create(&thread, &detached, thread_end, NULL) == 0);
    usleep(100000);
    CHECK("alone", trapped == 1);
    return finish();
}
