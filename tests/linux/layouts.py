"""Struct layouts as a compiler makes them of the kernel's user headers, one line a layout: name, CPUs, size, offsets.

`python -m tests.linux.layouts` writes tests/golden/structs.tbl anew; it needs the `ziglang` package.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compat.abi.abi import Abi
from tests.linux.headers import CPUS, integers

__all__ = ["C_STRUCTS", "GOLDEN", "WITHOUT_HEADER", "golden_text", "measured", "named_fields", "read_golden"]

GOLDEN = Path(__file__).parents[1] / "golden" / "structs.tbl"

HEADERS = """
    linux/types.h linux/time.h linux/time_types.h asm/stat.h linux/stat.h asm/statfs.h asm/signal.h
    asm/siginfo.h linux/resource.h linux/sysinfo.h linux/utsname.h linux/times.h linux/uio.h asm/poll.h
    linux/fcntl.h asm/fcntl.h asm/termbits.h asm/termios.h linux/eventpoll.h linux/sched.h
    linux/sched/types.h linux/openat2.h linux/futex.h linux/rseq.h linux/inotify.h linux/signalfd.h
    asm/ipcbuf.h asm/shmbuf.h asm/msgbuf.h asm/sembuf.h linux/ipc.h linux/sem.h linux/shm.h linux/msg.h
    linux/timex.h linux/capability.h asm/ldt.h linux/mqueue.h linux/aio_abi.h linux/mount.h
    linux/xattr.h linux/kexec.h linux/mman.h linux/filter.h linux/io_uring.h asm/hwprobe.h linux/fs.h linux/fiemap.h
    linux/utime.h linux/un.h linux/in.h linux/in6.h linux/netlink.h linux/fanotify.h linux/posix_types.h
"""

PRELUDE = """
typedef int pid_t; typedef long long loff_t; typedef __SIZE_TYPE__ size_t;
#include <asm/signal.h>
#ifdef __mips__
struct signal_set { unsigned long bits[16 / sizeof(long)]; };
#else
struct signal_set { unsigned long bits[8 / sizeof(long)]; };
#endif
struct signal_set_argument { struct signal_set *set; size_t size; };
struct signal_action {
#ifdef __mips__
    unsigned int flags; void *handler;
#else
    void *handler; unsigned long flags;
#endif
#ifdef SA_RESTORER
    void *restorer;
#endif
    struct signal_set mask;
};
struct message_header {
    void *name; int namelen; void *iov; size_t iovlen; void *control; size_t controllen; unsigned int flags;
};
struct message_headers { struct message_header hdr; unsigned int len; };
struct entry { unsigned long ino, off; unsigned short reclen; char name[]; };
struct entry64 { __UINT64_TYPE__ ino; __INT64_TYPE__ off; unsigned short reclen; unsigned char type; char name[]; };
"""
"""What crosses the border but stands in no user header: include/linux/{signal_types,socket,dirent}.h, fs/readdir.c.

MIPS puts the flags of a sigaction first; whether there is a restorer follows from the user header's SA_RESTORER.
"""


@dataclass(frozen=True)
class CStruct:
    """The C type behind a struct row, the prefix of its members, and the members that are named otherwise."""

    type: str
    prefix: str = ""
    members: Mapping[str, str] = field(default_factory=dict)

    def member(self, name: str) -> str:
        return self.members.get(name, self.prefix + name)


def _siginfo(**members: str) -> CStruct:
    return CStruct("struct siginfo", "", {"head": "", **{name: f"_sifields.{path}" for name, path in members.items()}})


C_STRUCTS: Mapping[str, CStruct] = {
    "Stat": CStruct("struct stat", "st_"),
    "Stat64": CStruct("struct stat64", "st_", {"short_ino": "__st_ino"}),
    "OldStat": CStruct("struct __old_kernel_stat", "st_"),
    "Statx": CStruct("struct statx", "stx_"),
    "StatxTimestamp": CStruct("struct statx_timestamp", "tv_"),
    "Statfs": CStruct("struct statfs", "f_"),
    "Statfs64": CStruct("struct statfs64", "f_"),
    "Dirent": CStruct("struct entry"),
    "Dirent64": CStruct("struct entry64"),
    "FileAttr": CStruct("struct file_attr", "fa_"),
    "FileCloneRange": CStruct("struct file_clone_range"),
    "Fiemap": CStruct("struct fiemap", "fm_"),
    "FiemapExtent": CStruct("struct fiemap_extent", "fe_", {"spare": "fe_reserved64"}),
    "OpenHow": CStruct("struct open_how"),
    "Flock": CStruct("struct flock", "l_"),
    "Flock64": CStruct("struct flock64", "l_"),
    "FdOwner": CStruct("struct f_owner_ex"),
    "Cachestat": CStruct("struct cachestat", "nr_"),
    "CachestatRange": CStruct("struct cachestat_range"),
    "MountAttributes": CStruct("struct mount_attr"),
    "MountRequest": CStruct("struct mnt_id_req"),
    "XattrArgs": CStruct("struct xattr_args"),
    "Timespec": CStruct("struct timespec", "tv_"),
    "Timeval": CStruct("struct timeval", "tv_"),
    "Timespec64": CStruct("struct __kernel_timespec", "tv_"),
    "Timeval64": CStruct("struct __kernel_timex_timeval", "tv_"),
    "Timezone": CStruct("struct timezone", "tz_"),
    "Itimerspec": CStruct("struct itimerspec", "it_"),
    "Itimerval": CStruct("struct itimerval", "it_"),
    "Itimerspec64": CStruct("struct __kernel_itimerspec", "it_"),
    "Utimbuf": CStruct("struct utimbuf"),
    "Tms": CStruct("struct tms", "tms_"),
    "Timex": CStruct("struct timex"),
    "Timex64": CStruct("struct __kernel_timex"),
    "Sigset": CStruct("struct signal_set"),
    "SigsetArgument": CStruct("struct signal_set_argument"),
    "Sigaction": CStruct("struct signal_action"),
    "SigaltStack": CStruct("struct sigaltstack", "ss_"),
    "Sigevent": CStruct("struct sigevent", "sigev_", {"tid": "_sigev_un._tid"}),
    "Siginfo": CStruct("struct siginfo", "", {"head": "", "fields": "_sifields"}),
    "SiginfoHead": CStruct("struct siginfo", "si_"),
    "SiginfoKill": _siginfo(pid="_kill._pid", uid="_kill._uid"),
    "SiginfoTimer": _siginfo(
        timer="_timer._tid", overrun="_timer._overrun", value="_timer._sigval", sys_private="_timer._sys_private"
    ),
    "SiginfoQueue": _siginfo(pid="_rt._pid", uid="_rt._uid", value="_rt._sigval"),
    "SiginfoChild": _siginfo(
        pid="_sigchld._pid",
        uid="_sigchld._uid",
        status="_sigchld._status",
        utime="_sigchld._utime",
        stime="_sigchld._stime",
    ),
    "SiginfoFault": _siginfo(addr="_sigfault._addr", addr_lsb="_sigfault._addr_lsb"),
    "SiginfoBounds": _siginfo(
        addr="_sigfault._addr", lower="_sigfault._addr_bnd._lower", upper="_sigfault._addr_bnd._upper"
    ),
    "SiginfoPkey": _siginfo(addr="_sigfault._addr", pkey="_sigfault._addr_pkey._pkey"),
    "SiginfoPoll": _siginfo(band="_sigpoll._band", fd="_sigpoll._fd"),
    "SiginfoSys": _siginfo(call_addr="_sigsys._call_addr", syscall="_sigsys._syscall", arch="_sigsys._arch"),
    "SignalfdSiginfo": CStruct("struct signalfd_siginfo", "ssi_"),
    "EpollEvent": CStruct("struct epoll_event"),
    "InotifyEvent": CStruct("struct inotify_event"),
    "FanotifyEvent": CStruct("struct fanotify_event_metadata"),
    "Rusage": CStruct("struct rusage", "ru_"),
    "Rlimit": CStruct("struct rlimit", "rlim_"),
    "Rlimit64": CStruct("struct rlimit64", "rlim_"),
    "CloneArgs": CStruct("struct clone_args"),
    "RobustListHead": CStruct("struct robust_list_head", "", {"next": "list.next"}),
    "FutexWaitv": CStruct("struct futex_waitv"),
    "Rseq": CStruct("struct rseq"),
    "SchedAttr": CStruct("struct sched_attr", "sched_", {"size": "size"}),
    "CapHeader": CStruct("struct __user_cap_header_struct"),
    "CapData": CStruct("struct __user_cap_data_struct"),
    "UserDesc": CStruct("struct user_desc"),
    "KexecSegment": CStruct("struct kexec_segment"),
    "Utsname": CStruct("struct new_utsname"),
    "OldUtsname": CStruct("struct old_utsname"),
    "OldOldUtsname": CStruct("struct oldold_utsname"),
    "Sysinfo": CStruct("struct sysinfo"),
    "Termios": CStruct("struct termios", "c_"),
    "Termios2": CStruct("struct termios2", "c_"),
    "Termio": CStruct("struct termio", "c_"),
    "Iovec": CStruct("struct iovec", "iov_"),
    "Pollfd": CStruct("struct pollfd"),
    "Winsize": CStruct("struct winsize", "ws_"),
    "SockaddrUn": CStruct("struct sockaddr_un", "sun_"),
    "SockaddrIn": CStruct("struct sockaddr_in", "sin_"),
    "SockaddrIn6": CStruct("struct sockaddr_in6", "sin6_"),
    "SockaddrNl": CStruct("struct sockaddr_nl", "nl_"),
    "Msghdr": CStruct("struct message_header"),
    "Mmsghdr": CStruct("struct message_headers"),
    "IpcPerm": CStruct("struct ipc64_perm"),
    "OldIpcPerm": CStruct("struct ipc_perm"),
    "ShmidDs": CStruct("struct shmid64_ds", "shm_"),
    "MsqidDs": CStruct("struct msqid64_ds", "msg_"),
    "SemidDs": CStruct("struct semid64_ds", "sem_"),
    "Sembuf": CStruct("struct sembuf", "sem_"),
    "Shminfo": CStruct("struct shminfo64", "shm"),
    "ShmInfo": CStruct("struct shm_info", "", {name: f"shm_{name}" for name in ("tot", "rss", "swp")}),
    "Seminfo": CStruct("struct seminfo", "sem"),
    "Msginfo": CStruct("struct msginfo", "msg"),
    "MqAttr": CStruct("struct mq_attr", "mq_"),
    "IoEvent": CStruct("struct io_event"),
    "Iocb": CStruct("struct iocb", "aio_"),
    "IoUringParams": CStruct("struct io_uring_params"),
    "SqRingOffsets": CStruct("struct io_sqring_offsets"),
    "CqRingOffsets": CStruct("struct io_cqring_offsets"),
    "SockFprog": CStruct("struct sock_fprog"),
    "SockFilter": CStruct("struct sock_filter"),
}

WITHOUT_HEADER = {
    "Ustat", "OldSigaction", "OldDirent", "FileHandle", "Sockaddr", "Cmsghdr", "Ucred", "Linger", "Ifreq", "Ifconf",
    "SchedParam", "TaskName", "MmapArgs", "SelectArgs", "FdPair", "TimespecPair", "TimevalPair",
    "Timespec64Pair", "FutexWaitvPair", "HwProbePair", "IpcKludge",
}  # fmt: skip
"""Structs that no user header defines, or that only pair others."""

HEADS = re.compile(r"Siginfo[A-Z]\w+|Rseq")
"""Structs that say only the beginning of the C one, so that their size is their own."""

FILLERS = re.compile(r"(pad|spare|unused|reserved|resv)\d*|key_flags|bits")

DIFFERENT = {
    ("Statfs64", "arm", "sizeof"), ("Flock", "mips", "pid"), ("Flock", "mips", "sysid"),
    ("MsqidDs", "mips", "stime"), ("MsqidDs", "mips", "rtime"), ("MsqidDs", "mips", "ctime"),
}  # fmt: skip
"""What deviates on purpose; structs.abi says why beside the row."""


def named_fields(abi: Abi, name: str) -> Iterator[tuple[str, str]]:
    """(dotted field, C member) of a struct, fillers left out."""
    for param in abi.tables.structs[name].fields:
        member = C_STRUCTS[name].member(param.name)
        if param.type.name in abi.tables.structs:
            for inner, path in named_fields(abi, param.type.name):
                yield f"{param.name}.{inner}", ".".join(filter(None, (member, path)))
        elif not FILLERS.fullmatch(param.name) or name == "Sigset":
            yield param.name, member


def measured(cpu: str, workspace: Path) -> dict[str, dict[str, int]]:
    """Struct name → `sizeof` and the offsets of its named fields, by the compiler for *cpu*."""
    abi = Abi("linux", cpu)
    expressions = {}
    for name in sorted(C_STRUCTS.keys() & abi.tables.structs.keys()):
        if not HEADS.fullmatch(name):
            expressions[f"{name} sizeof"] = f"sizeof({C_STRUCTS[name].type})"
        for dotted, member in named_fields(abi, name):
            expressions[f"{name} {dotted}"] = f"__builtin_offsetof({C_STRUCTS[name].type}, {member})"
    found: dict[str, dict[str, int]] = {}
    for label, value in integers(cpu, HEADERS, expressions, workspace, PRELUDE).items():
        name, what = label.split()
        if (name, CPUS[cpu], what) not in DIFFERENT:
            found.setdefault(name, {})[what] = value
    return found


def golden_text(workspace: Path) -> str:
    """The golden file's text: CPUs of one layout share a line."""
    lines: dict[str, list[str]] = {}
    for cpu in CPUS:
        for name, values in measured(cpu, workspace).items():
            lines.setdefault(f"{name} {' '.join(f'{what}={value}' for what, value in values.items())}", []).append(cpu)
    rows = sorted((text.partition(" ")[0], ",".join(cpus), text.partition(" ")[2]) for text, cpus in lines.items())
    title = "# Made by `python -m tests.linux.layouts` from the kernel's user headers: struct, CPUs, bytes.\n"
    return title + "".join(f"{name} {cpus} {values}\n" for name, cpus, values in rows)


def read_golden() -> dict[str, dict[str, dict[str, int]]]:
    """CPU → struct → `sizeof` and offsets."""
    layouts: dict[str, dict[str, dict[str, int]]] = {cpu: {} for cpu in CPUS}
    for line in GOLDEN.read_text().splitlines()[1:]:
        name, cpus, *pairs = line.split()
        values = {what: int(value) for what, value in (pair.split("=") for pair in pairs)}
        for cpu in cpus.split(","):
            layouts[cpu][name] = values
    return layouts


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        GOLDEN.write_text(golden_text(Path(folder)))
