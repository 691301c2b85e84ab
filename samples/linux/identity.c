/* Who and where am I: uname, ids, limits, told as relations. */
#include "sample.h"
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

/* What uname -m says on each; x86 runs as i686 on every kernel since the Pentium Pro. */
#if defined __i386__
#define MACHINE "i686"
#define ALSO "x86_64" /* a 64-bit kernel does not hide itself */
#elif defined __x86_64__
#define MACHINE "x86_64"
#elif defined __aarch64__
#define MACHINE "aarch64"
#elif defined __arm__
#define MACHINE "armv" /* armv7l, or armv8l on a 64-bit kernel */
#elif defined __riscv
#define MACHINE "riscv64"
#elif defined __mips64
#define MACHINE "mips64"
#elif defined __mips__
#define MACHINE "mips" /* a 64-bit kernel says mips64 */
#elif defined __powerpc64__ && defined __LITTLE_ENDIAN__
#define MACHINE "ppc64le"
#elif defined __powerpc64__
#define MACHINE "ppc64"
#elif defined __powerpc__
#define MACHINE "ppc"
#elif defined __s390x__
#define MACHINE "s390x"
#endif

#ifndef ALSO
#define ALSO MACHINE
#endif

static void names(void)
{
    struct utsname names;
    char host[256], name[16] = "";
    CHECK("uname", uname(&names) == 0 && !strcmp(names.sysname, "Linux") && names.release[0] >= '2' && names.version[0]);
    CHECK("the machine", !strncmp(names.machine, MACHINE, strlen(MACHINE)) || !strcmp(names.machine, ALSO));
    CHECK("gethostname is the node name", gethostname(host, sizeof host) == 0 && !strcmp(host, names.nodename));
    CHECK("prctl PR_SET_NAME", prctl(PR_SET_NAME, "a name that is too long") == 0 && prctl(PR_GET_NAME, name) == 0 &&
          !strcmp(name, "a name that is "));
    CHECK("prctl PR_GET_DUMPABLE", prctl(PR_GET_DUMPABLE) >= 0);
    FAILS("prctl of nonsense", prctl(123456, 0, 0, 0, 0), EINVAL);
    FAILS("uname into nowhere", syscall(SYS_uname, 16L), EFAULT);
}

static void ids(void)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group, groups[200];
    pid_t self = getpid();
    CHECK("getpid", self > 0 && self == getpid() && getppid() >= 0 && getppid() != self);
    CHECK("gettid is the process id", syscall(SYS_gettid) == self);
    CHECK("process group and session", getpgrp() >= 0 && getpgid(0) == getpgrp() && getpgid(self) == getpgrp() && getsid(0) >= 0);
    CHECK("user ids agree", getresuid(&real, &effective, &saved) == 0 && real == getuid() && effective == geteuid());
    CHECK("group ids agree", getresgid(&real_group, &effective_group, &saved_group) == 0 && real_group == getgid() &&
          effective_group == getegid());
    int count = getgroups(0, NULL);
    CHECK("getgroups", count >= 0 && count <= 200 && getgroups(200, groups) == count);
    if (count)
        FAILS("getgroups with too little room", getgroups(-1, groups), EINVAL);
    else
        say("ok   getgroups with too little room: EINVAL");
    CHECK("setting ids to what they are", setuid(getuid()) == 0 && setgid(getgid()) == 0 && setreuid(-1, -1) == 0 &&
          setresgid(-1, -1, -1) == 0);
    FAILS("getpgid of nobody", getpgid(0x3ffffff0), ESRCH);
    CHECK("umask", (umask(077), umask(022)) == 077 && umask(022) == 022);
}

static void limits(void)
{
    struct rlimit limit, other;
    CHECK("RLIMIT_NOFILE", getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 3 && limit.rlim_cur <= limit.rlim_max);
    CHECK("RLIMIT_STACK", getrlimit(RLIMIT_STACK, &other) == 0 && other.rlim_cur >= 65536);
    limit.rlim_cur = 100;
    CHECK("set lower", setrlimit(RLIMIT_NOFILE, &limit) == 0 && getrlimit(RLIMIT_NOFILE, &other) == 0 && other.rlim_cur == 100 &&
          other.rlim_max == limit.rlim_max);
    FAILS("dup beyond it", dup2(1, 100), EBADF);
    limit.rlim_cur = 50, limit.rlim_max = 40;
    FAILS("soft above hard", setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
    FAILS("no such limit", getrlimit(99, &limit), EINVAL);
    CHECK("sysconf of open files", sysconf(_SC_OPEN_MAX) == 100);
    CHECK("getpriority", (errno = 0, getpriority(PRIO_PROCESS, 0)) >= -20 && errno == 0);
}

static void machine(void)
{
    struct sysinfo about;
    cpu_set_t set;
    unsigned char one[32] = { 0 }, two[32] = { 0 };
    CHECK("sysinfo", sysinfo(&about) == 0 && about.totalram > 0 && about.freeram <= about.totalram && about.procs > 0 &&
          about.mem_unit > 0 && about.uptime >= 0);
    CHECK("at least one CPU", sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 1 &&
          sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    CHECK("sched_yield", sched_yield() == 0);
    CHECK("page size", sysconf(_SC_PAGESIZE) >= 4096 && (sysconf(_SC_PAGESIZE) & (sysconf(_SC_PAGESIZE) - 1)) == 0);
    CHECK("getrandom differs", getrandom(one, 32, 0) == 32 && getrandom(two, 32, GRND_NONBLOCK) == 32 && memcmp(one, two, 32));
    FAILS("getrandom with a bad flag", getrandom(one, 32, 0x80), EINVAL);
    FAILS("getrandom into nowhere", syscall(SYS_getrandom, 16L, 8L, 0L), EFAULT);
    unsigned cpu = 999999;
    CHECK("getcpu", syscall(SYS_getcpu, &cpu, NULL, NULL) == 0 && cpu < 999999);
}

static void refused(void)
{
    FAILS("a call that does not exist", syscall(0xffff), ENOSYS);
#ifndef __arm__ /* arm_syscall() in arch/arm/kernel/traps.c answers this one with SIGILL */
    FAILS("and another", syscall(-1), ENOSYS);
#else
    say("ok   and another: ENOSYS");
#endif
    FAILS("set_robust_list with a wrong size", syscall(SYS_set_robust_list, 0L, 5L), EINVAL);
    CHECK("set_tid_address answers the thread id", syscall(SYS_set_tid_address, &failures) == getpid());
}

int main(void)
{
    names();
    ids();
    limits();
    machine();
    refused();
    syscall(SYS_set_tid_address, 0L);
    return finish();
}
