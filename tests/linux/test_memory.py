"""mmap and its kin through the tables: results and error numbers as mmap(2), mremap(2), madvise(2) … give them."""

import errno
import fcntl
import os
import resource
from collections.abc import Iterable

import pytest

from compat.errors import MemoryFault
from compat.memory import PAGE, Mark
from compat.sandbox.grants import Grant, open_grant
from compat.sandbox.mounts import MountTable
from compat.sandbox.view import FileView
from shims.posix.openfiles import OpenFile
from tests.linux.guest import Guest

ANONYMOUS = ("MAP_PRIVATE", "MAP_ANONYMOUS")
AT = 0x20_0000


class Mapper:
    """A guest with the memory calls, flags by name."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.memory = guest.process.memory
        self.abi = guest.abi
        self.names = {"MapFlags", "MapProt"}

    def flags(self, kind: str, names: Iterable[str]) -> int:
        return self.abi.flags(kind).encode(names)

    def mmap(self, length, rights="rw", flags=ANONYMOUS, *, at=0, fd=-1, offset=0):
        prot = sum({"r": 1, "w": 2, "x": 4}[c] for c in rights)
        return self.guest.call("mmap", at, length, prot, self.flags("MapFlags", flags), fd, offset)

    def mremap(self, address, old, new, *names, to=0):
        flags = self.flags("RemapFlags", [f"MREMAP_{n}" for n in names])
        return self.guest.call("mremap", address, old, new, flags, to)

    def advise(self, address, length, name):
        return self.guest.call("madvise", address, length, self.abi.constants("MemoryAdvice").encode(name))

    def open(self, path, flags):
        file = OpenFile(self.guest.process.host, os.open(path, flags), path=bytes(path))
        return self.guest.process.files.add(file)

    def text(self, address, size):
        return self.memory.read(address, size)


@pytest.fixture
def m(guest):
    return Mapper(guest)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"".join(bytes([65 + n]) * PAGE for n in range(4)))
    return path


def error_of(call, *arguments, **options):
    with pytest.raises(OSError) as caught:
        call(*arguments, **options)
    name = errno.errorcode[caught.value.errno]
    return "EOPNOTSUPP" if name == "ENOTSUP" else name  # one number on Linux


# --- mmap ---


def test_new_memory_is_zero_and_writable(m):
    at = m.mmap(3 * PAGE - 5)
    assert at % PAGE == 0
    assert m.text(at, 3 * PAGE) == bytes(3 * PAGE)
    m.memory.write(at, b"kept")
    assert m.text(at, 4) == b"kept"


@pytest.mark.parametrize(
    ("length", "options", "expected"),
    [
        (0, {}, "EINVAL"),
        (PAGE, {"offset": 5}, "EINVAL"),
        (PAGE, {"at": AT + 1, "flags": (*ANONYMOUS, "MAP_FIXED")}, "EINVAL"),
        (PAGE, {"at": PAGE, "flags": (*ANONYMOUS, "MAP_FIXED")}, "EPERM"),
        (PAGE, {"flags": ("MAP_ANONYMOUS",)}, "EINVAL"),
        (PAGE, {"flags": ("MAP_SHARED", "MAP_ANONYMOUS", "MAP_GROWSDOWN")}, "EINVAL"),
        (PAGE, {"flags": (*ANONYMOUS, "MAP_HUGETLB")}, "ENOMEM"),
        (PAGE, {"flags": ("MAP_PRIVATE",), "fd": 77}, "EBADF"),
        (PAGE, {"flags": ("MAP_PRIVATE",), "fd": -1}, "EBADF"),
        (-1, {}, "ENOMEM"),
        (-PAGE, {"at": AT, "flags": (*ANONYMOUS, "MAP_FIXED")}, "ENOMEM"),
        (PAGE, {"at": -PAGE, "flags": (*ANONYMOUS, "MAP_FIXED")}, "ENOMEM"),
    ],
)
def test_bad_requests_to_map(m, length, options, expected):
    assert error_of(m.mmap, length, **options) == expected


def test_a_range_taken_is_replaced_or_refused(m):
    at = m.mmap(PAGE)
    m.memory.write(at, b"old")
    assert error_of(m.mmap, PAGE, flags=(*ANONYMOUS, "MAP_FIXED_NOREPLACE"), at=at) == "EEXIST"
    assert m.mmap(PAGE, at=at) != at
    assert m.mmap(PAGE, flags=(*ANONYMOUS, "MAP_FIXED"), at=at) == at
    assert m.text(at, 3) == bytes(3)


def test_a_hint_is_followed(m):
    assert m.mmap(PAGE, at=AT + 5) == AT + PAGE


def test_low_memory_for_those_who_need_it(make_guest):
    m = Mapper(make_guest("x86-64"))
    assert m.mmap(PAGE, flags=(*ANONYMOUS, "MAP_32BIT")) + PAGE <= 1 << 31
    assert m.mmap(PAGE) >= 1 << 32


@pytest.mark.parametrize(
    ("how", "rights", "flags", "expected"),
    [
        (os.O_RDONLY, "rw", ("MAP_SHARED",), "EACCES"),
        (os.O_WRONLY, "r", ("MAP_PRIVATE",), "EACCES"),
        (os.O_WRONLY, "w", ("MAP_SHARED",), "EACCES"),
        (os.O_PATH, "r", ("MAP_PRIVATE",), "EBADF"),
        (os.O_RDWR, "r", ("MAP_SHARED_VALIDATE", "MAP_SYNC"), "EOPNOTSUPP"),
        (os.O_RDWR, "r", ("MAP_PRIVATE", "MAP_GROWSDOWN"), "EINVAL"),
        (os.O_RDWR, "r", ("MAP_PRIVATE", "MAP_HUGETLB"), "EINVAL"),
    ],
)
def test_files_that_may_not_be_mapped_so(m, file, how, rights, flags, expected):
    assert error_of(m.mmap, PAGE, rights, flags, fd=m.open(file, how)) == expected


def test_folders_and_pipes_cant_be_mapped(m, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert error_of(m.mmap, PAGE, "r", ("MAP_PRIVATE",), fd=m.open(tmp_path, os.O_RDONLY)) == "ENODEV"
    assert error_of(m.mmap, PAGE, "r", ("MAP_PRIVATE",), fd=m.open(tmp_path / "pipe", os.O_RDWR)) == "ENODEV"


def test_private_and_shared_files(m, file):
    fd = m.open(file, os.O_RDWR)
    private = m.mmap(PAGE, "rw", ("MAP_PRIVATE",), fd=fd, offset=PAGE)
    shared = m.mmap(PAGE, "rw", ("MAP_SHARED",), fd=fd, offset=2 * PAGE)
    m.guest.process.files.close(fd)
    m.memory.write(private, b"mine")
    m.memory.write(shared, b"ours")
    assert m.text(private, 5) == b"mineB"
    content = file.read_bytes()
    assert content[PAGE : PAGE + 4] == b"BBBB"
    assert content[2 * PAGE : 2 * PAGE + 5] == b"oursC"


def test_a_read_only_descriptor_may_be_mapped_shared_to_read(m, file):
    at = m.mmap(PAGE, "r", ("MAP_SHARED",), fd=m.open(file, os.O_RDONLY))
    assert m.text(at, 1) == b"A"
    assert error_of(m.guest.call, "mprotect", at, PAGE, 3) == "EACCES"


def test_a_sealed_memfd_may_be_mapped_shared_to_read(m):
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    os.write(fd, b"seal" * 1024)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    number = m.guest.process.files.add(OpenFile(m.guest.process.host, fd, path=b"/memfd:sealed"))
    assert error_of(m.mmap, PAGE, "rw", ("MAP_SHARED",), fd=number) == "EPERM"
    at = m.mmap(PAGE, "r", ("MAP_SHARED",), fd=number)
    assert m.text(at, 4) == b"seal"
    assert error_of(m.guest.call, "mprotect", at, PAGE, 3) == "EACCES"


def test_dev_zero_is_memory(m):
    at = m.mmap(2 * PAGE, "rw", ("MAP_PRIVATE",), fd=m.open(OsPath("/dev/zero"), os.O_RDWR))
    m.memory.write(at + PAGE, b"written")
    assert m.text(at + PAGE, 7) == b"written"


class OsPath(str):
    def __bytes__(self) -> bytes:
        return os.fsencode(self)


def test_limits_of_address_space_and_data(m):
    limits = m.guest.process.limits
    limits["RLIMIT_AS"] = (m.memory.mapped + 2 * PAGE, 1 << 40)
    assert error_of(m.mmap, 3 * PAGE, "") == "ENOMEM"
    at = m.mmap(2 * PAGE, "")
    assert error_of(m.mremap, at, 2 * PAGE, 3 * PAGE, "MAYMOVE") == "ENOMEM"


def test_reading_means_executing_for_old_programs(m):
    m.guest.process.personality = m.abi.flags("Personality").encode(["READ_IMPLIES_EXEC"])
    at = m.mmap(PAGE, "r")
    assert m.memory.rights(at) == 5
    m.guest.call("mprotect", at, PAGE, 3)
    assert m.memory.rights(at) == 7


def test_the_old_form_takes_its_arguments_from_memory(make_guest):
    for cpu in ("x86", "s390x"):
        guest = make_guest(cpu)
        fields = {"length": PAGE, "prot": 3, "flags": guest.abi.flags("MapFlags").encode(ANONYMOUS)}
        at = guest.call("mmap", guest.struct("MmapArgs", fields | {"fd": guest.abi.cpu.mask}))
        guest.process.memory.write(at, b"here")
        assert error_of(guest.call, "mmap", guest.struct("MmapArgs", fields | {"offset": 3})) == "EINVAL"
        with pytest.raises(MemoryFault):
            guest.call("mmap", PAGE)


def test_mmap2_counts_pages(make_guest, file):
    m = Mapper(make_guest("ppc"))
    flags = m.flags("MapFlags", ["MAP_PRIVATE"])
    at = m.guest.call("mmap2", 0, PAGE, 1, flags, m.open(file, os.O_RDONLY), 3)
    assert m.text(at, 1) == b"D"


@pytest.mark.parametrize("call", ["ftruncate", "open"])
def test_a_file_that_the_guest_cuts_off_faults(m, file, call):
    fd = m.open(file, os.O_RDWR)
    at = m.mmap(2 * PAGE, "r", ("MAP_SHARED",), fd=fd)
    assert m.memory.fill(at + PAGE, 1)
    m.memory.flush = False
    if call == "ftruncate":
        m.guest.call("ftruncate", fd, 1)
    else:
        view = FileView(m.guest.process.host, MountTable(open_grant(m.guest.process.host, Grant(b"/", b"/"))))
        m.guest.process.view, m.guest.process.directory = view, view.root()
        flags = m.abi.flags("OpenFlags").encode(["O_RDWR", "O_TRUNC"])
        m.guest.call("open", m.guest.put(os.fsencode(file) + b"\0"), flags, 0)
    assert m.memory.flush
    assert m.memory.fill(at + PAGE, 1) is None


# --- munmap, mprotect ---


def test_unmapping(m):
    at = m.mmap(3 * PAGE)
    m.guest.call("munmap", at + PAGE, 1)
    assert m.memory.areas.find(at + PAGE) is None
    m.guest.call("munmap", at + PAGE, PAGE)
    for address, length in ((at + 1, PAGE), (at, 0), (-PAGE, PAGE), (at, -1)):
        assert error_of(m.guest.call, "munmap", address, length) == "EINVAL"


def test_protecting(m):
    at = m.mmap(3 * PAGE)
    m.guest.call("mprotect", at + PAGE, 1, 1)
    with pytest.raises(MemoryFault):
        m.memory.write(at + PAGE, b"x")
    m.guest.call("mprotect", at + 1000 * PAGE, 0, 1)
    m.guest.call("munmap", at + PAGE, PAGE)
    assert error_of(m.guest.call, "mprotect", at, 3 * PAGE, 1) == "ENOMEM"
    assert m.memory.rights(at) == 1
    assert m.memory.rights(at + 2 * PAGE) == 3
    assert error_of(m.guest.call, "mprotect", at + 1, PAGE, 1) == "EINVAL"
    assert error_of(m.guest.call, "mprotect", at, PAGE, 0x4000) == "EINVAL"
    assert error_of(m.guest.call, "mprotect", at, -1 & ~(PAGE - 1), 1) == "ENOMEM"


def test_growing_stacks_only(m):
    grows = m.flags("MapProt", ["PROT_READ", "PROT_GROWSDOWN"])
    both = m.flags("MapProt", ["PROT_GROWSDOWN", "PROT_GROWSUP"])
    at = m.mmap(2 * PAGE)
    assert error_of(m.guest.call, "mprotect", at, PAGE, grows) == "EINVAL"
    assert error_of(m.guest.call, "mprotect", at, PAGE, both) == "EINVAL"
    stack = m.mmap(2 * PAGE, flags=(*ANONYMOUS, "MAP_GROWSDOWN", "MAP_FIXED"), at=AT)
    m.guest.call("mprotect", stack + PAGE, PAGE, grows)
    assert m.memory.rights(stack) == 1


# --- mremap ---


def test_growing_in_place_moving_and_shrinking(m):
    at = m.mmap(2 * PAGE, flags=(*ANONYMOUS, "MAP_FIXED"), at=AT)
    m.memory.write(at, b"moved")
    assert m.mremap(at, 2 * PAGE, 4 * PAGE) == at
    assert m.mremap(at, 4 * PAGE, 2 * PAGE) == at
    assert m.memory.areas.find(at + 2 * PAGE) is None
    m.mmap(PAGE, flags=(*ANONYMOUS, "MAP_FIXED"), at=at + 2 * PAGE)
    assert error_of(m.mremap, at, 2 * PAGE, 3 * PAGE) == "ENOMEM"
    to = m.mremap(at, 2 * PAGE, 3 * PAGE, "MAYMOVE")
    assert to != at
    assert m.text(to, 5) == b"moved"
    assert m.memory.areas.find(at) is None
    assert m.mremap(to, 3 * PAGE, PAGE, "MAYMOVE", "FIXED", to=AT + 16 * PAGE) == AT + 16 * PAGE
    assert m.text(AT + 16 * PAGE, 5) == b"moved"


def test_memory_left_behind_is_empty(m):
    at = m.mmap(PAGE)
    m.memory.write(at, b"taken")
    to = m.mremap(at, PAGE, PAGE, "MAYMOVE", "DONTUNMAP")
    assert m.text(to, 5) == b"taken"
    assert m.text(at, 5) == bytes(5)


def test_bad_requests_to_move(m):
    at = m.mmap(4 * PAGE)
    assert error_of(m.mremap, at, PAGE, PAGE, "FIXED", to=AT) == "EINVAL"
    assert error_of(m.mremap, at, PAGE, 2 * PAGE, "MAYMOVE", "DONTUNMAP") == "EINVAL"
    assert error_of(m.mremap, at + 1, PAGE, PAGE) == "EINVAL"
    assert error_of(m.mremap, at, PAGE, 0) == "EINVAL"
    assert error_of(m.mremap, at, 0, PAGE, "MAYMOVE") == "EINVAL"
    assert error_of(m.mremap, at, 2 * PAGE, 2 * PAGE, "MAYMOVE", "FIXED", to=at + PAGE) == "EINVAL"
    assert error_of(m.mremap, at, PAGE, PAGE, "MAYMOVE", "FIXED", to=AT + 1) == "EINVAL"
    assert error_of(m.mremap, AT, PAGE, 2 * PAGE, "MAYMOVE") == "EFAULT"
    assert error_of(m.mremap, at, 1 << 30, 1 << 31, "MAYMOVE") == "EFAULT"


def test_an_old_length_of_zero_maps_a_file_twice(m, file):
    fd = m.open(file, os.O_RDWR)
    at = m.mmap(2 * PAGE, "rw", ("MAP_SHARED",), fd=fd, offset=PAGE)
    twin = m.mremap(at + PAGE, 0, PAGE, "MAYMOVE")
    m.memory.write(twin, b"twin")
    assert m.text(at + PAGE, 4) == b"twin"


def test_pages_of_a_file_in_another_order(m, file):
    at = m.mmap(4 * PAGE, "rw", ("MAP_SHARED",), fd=m.open(file, os.O_RDWR))
    m.guest.call("remap_file_pages", at, PAGE, 0, 3, 0)
    assert m.text(at, 1) == b"D"
    assert error_of(m.guest.call, "remap_file_pages", m.mmap(PAGE), PAGE, 0, 0, 0) == "EINVAL"
    assert error_of(m.guest.call, "remap_file_pages", at, PAGE, 1, 0, 0) == "EINVAL"


# --- brk ---


def test_the_break(m):
    process = m.guest.process
    process.break_start = process.break_end = AT
    assert m.guest.call("brk", 0) == AT
    assert m.guest.call("brk", AT + 100) == AT + 100
    m.memory.write(AT + 4000, b"x")
    assert m.guest.call("brk", AT + 3 * PAGE) == AT + 3 * PAGE
    assert m.memory.areas.find(AT).name == b"[heap]"
    assert len([a for a in m.memory.areas if a.name == b"[heap]"]) == 1
    assert m.guest.call("brk", AT + 1) == AT + 1
    assert m.memory.areas.find(AT).size == PAGE
    m.mmap(PAGE, flags=(*ANONYMOUS, "MAP_FIXED"), at=AT + 2 * PAGE)
    assert m.guest.call("brk", AT + 3 * PAGE) == AT + 1
    assert m.guest.call("brk", -1) == AT + 1
    assert m.guest.call("brk", AT - 1) == AT + 1
    process.limits["RLIMIT_DATA"] = (PAGE, PAGE)
    assert m.guest.call("brk", AT + PAGE + 1) == AT + 1


# --- madvise ---


def test_dont_need_is_zero_or_the_file_again(m, file):
    at = m.mmap(PAGE)
    mapped = m.mmap(PAGE, "rw", ("MAP_PRIVATE",), fd=m.open(file, os.O_RDONLY))
    for address in (at, mapped):
        m.memory.write(address, b"gone")
        m.advise(address, PAGE, "MADV_DONTNEED")
    assert m.text(at, 4) == bytes(4)
    assert m.text(mapped, 4) == b"AAAA"


def test_advice_and_what_may_take_it(m, file):
    at = m.mmap(2 * PAGE)
    mapped = m.mmap(PAGE, "rw", ("MAP_SHARED",), fd=m.open(file, os.O_RDWR))
    for name in ("NORMAL", "RANDOM", "WILLNEED", "COLD", "HUGEPAGE", "MERGEABLE", "FREE", "POPULATE_WRITE", "DONTDUMP"):
        m.advise(at, PAGE, f"MADV_{name}")
    assert error_of(m.advise, mapped, PAGE, "MADV_FREE") == "EINVAL"
    assert error_of(m.advise, mapped, PAGE, "MADV_WIPEONFORK") == "EINVAL"
    assert error_of(m.advise, at, PAGE, "MADV_REMOVE") == "EINVAL"
    assert error_of(m.advise, at, PAGE, "MADV_HWPOISON") == "EPERM"
    assert error_of(m.advise, at + 1, PAGE, "MADV_NORMAL") == "EINVAL"
    assert error_of(m.advise, at, -1, "MADV_NORMAL") == "EINVAL"
    assert error_of(m.guest.call, "madvise", at, PAGE, 9999) == "EINVAL"
    assert error_of(m.advise, AT, PAGE, "MADV_NORMAL") == "ENOMEM"
    m.advise(AT, 0, "MADV_NORMAL")
    m.guest.call("mprotect", at, PAGE, 1)
    assert error_of(m.advise, at, PAGE, "MADV_POPULATE_WRITE") == "EINVAL"
    m.guest.call("mlock", at + PAGE, PAGE)
    assert error_of(m.advise, at + PAGE, PAGE, "MADV_DONTNEED") == "EINVAL"
    m.advise(at + PAGE, PAGE, "MADV_DONTNEED_LOCKED")


def test_all_but_the_hole_is_served(m):
    at = m.mmap(3 * PAGE)
    m.memory.write(at + 2 * PAGE, b"gone")
    m.guest.call("munmap", at + PAGE, PAGE)
    assert error_of(m.advise, at, 3 * PAGE, "MADV_DONTNEED") == "ENOMEM"
    assert m.text(at + 2 * PAGE, 4) == bytes(4)


def test_a_hole_is_punched_into_the_file(m, file):
    at = m.mmap(4 * PAGE, "rw", ("MAP_SHARED",), fd=m.open(file, os.O_RDWR))
    m.advise(at + PAGE, PAGE, "MADV_REMOVE")
    assert file.read_bytes()[PAGE - 1 : 2 * PAGE + 1] == b"A" + bytes(PAGE) + b"C"


def test_marks_for_forks(m):
    at = m.mmap(PAGE)
    m.advise(at, PAGE, "MADV_DONTFORK")
    m.advise(at, PAGE, "MADV_WIPEONFORK")
    assert m.memory.areas.find(at).marks == Mark.NOT_FORKED | Mark.WIPED_BY_FORK
    m.advise(at, PAGE, "MADV_DOFORK")
    m.advise(at, PAGE, "MADV_KEEPONFORK")
    assert m.memory.areas.find(at).marks == 0


# --- msync, mincore, mlock ---


def test_making_durable(m, file):
    at = m.mmap(2 * PAGE, "rw", ("MAP_SHARED",), fd=m.open(file, os.O_RDWR))
    sync, later, again = (m.flags("MsyncFlags", [f"MS_{n}"]) for n in ("SYNC", "ASYNC", "INVALIDATE"))
    for flags in (sync, later, again, sync | again, 0):
        m.guest.call("msync", at, PAGE + 1, flags)
    assert error_of(m.guest.call, "msync", at, PAGE, sync | later) == "EINVAL"
    assert error_of(m.guest.call, "msync", at, PAGE, 0x80) == "EINVAL"
    assert error_of(m.guest.call, "msync", at + 1, PAGE, sync) == "EINVAL"
    assert error_of(m.guest.call, "msync", AT, PAGE, sync) == "ENOMEM"
    m.guest.call("mlock", at, PAGE)
    assert error_of(m.guest.call, "msync", at, PAGE, again) == "EBUSY"


def test_what_is_in_core(m):
    at = m.mmap(3 * PAGE)
    m.memory.write(at + PAGE, b"x")
    m.guest.call("mprotect", at, PAGE, 0)
    vector = m.guest.put(b"\7\7\7\7")
    m.guest.call("mincore", at, 2 * PAGE + 1, vector)
    found = m.guest.bytes_at(vector, 4)
    assert found[1] == 1
    assert found[0] in (0, 1)
    assert found[3] == 7
    assert error_of(m.guest.call, "mincore", at + 1, PAGE, vector) == "EINVAL"
    assert error_of(m.guest.call, "mincore", AT, PAGE, vector) == "ENOMEM"
    with pytest.raises(MemoryFault):
        m.guest.call("mincore", at, PAGE, AT)


def test_locking_within_the_limit(m):
    limits = m.guest.process.limits
    limits["RLIMIT_MEMLOCK"] = (2 * PAGE, 4 * PAGE)
    at = m.mmap(4 * PAGE)
    m.guest.call("mlock", at + 5, PAGE)
    m.guest.call("mlock", at, 2 * PAGE)
    assert error_of(m.guest.call, "mlock", at + 2 * PAGE, 1) == "ENOMEM"
    assert error_of(m.mmap, PAGE, flags=(*ANONYMOUS, "MAP_LOCKED")) == "EAGAIN"
    m.guest.call("munlock", at, 2 * PAGE)
    m.guest.call("mlock2", at + 2 * PAGE, 1, 1)
    assert error_of(m.guest.call, "mlock2", at, 1, 2) == "EINVAL"
    assert error_of(m.guest.call, "munlock", AT, PAGE) == "ENOMEM"
    limits["RLIMIT_MEMLOCK"] = (0, 0)
    assert error_of(m.guest.call, "mlock", at, PAGE) == "EPERM"
    assert error_of(m.guest.call, "mlockall", m.flags("LockAllFlags", ["MCL_CURRENT"])) == "EPERM"


def test_locking_everything(m):
    m.guest.process.limits["RLIMIT_MEMLOCK"] = (1 << 20, 1 << 20)
    current, future, lazy = (m.flags("LockAllFlags", [f"MCL_{n}"]) for n in ("CURRENT", "FUTURE", "ONFAULT"))
    for flags in (0, lazy, 0x80):
        assert error_of(m.guest.call, "mlockall", flags) == "EINVAL"
    m.guest.call("mlockall", current | future)
    assert all(area.marks & Mark.LOCKED for area in m.memory.areas)
    assert m.memory.areas.find(m.mmap(PAGE)).marks & Mark.LOCKED
    m.guest.call("munlockall")
    assert not any(area.marks & Mark.LOCKED for area in m.memory.areas)
    assert not m.memory.areas.find(m.mmap(PAGE)).marks


# --- the rest ---


def test_sealing(make_guest):
    m = Mapper(make_guest("x86-64"))
    at = m.mmap(PAGE)
    m.guest.call("mseal", at, PAGE, 0)
    for call, arguments in (("munmap", ()), ("mprotect", (1,))):
        assert error_of(m.guest.call, call, at, PAGE, *arguments) == "EPERM"
    assert error_of(m.guest.call, "mseal", at, PAGE, 1) == "EINVAL"
    assert error_of(m.guest.call, "mseal", AT, PAGE, 0) == "ENOMEM"
    assert error_of(Mapper(make_guest("ppc")).guest.call, "mseal", AT, PAGE, 0) == "ENOSYS"


def test_a_cpu_without_keys(m):
    at = m.mmap(PAGE)
    assert error_of(m.guest.call, "pkey_alloc", 0, 0) == "ENOSPC"
    assert error_of(m.guest.call, "pkey_alloc", 1, 0) == "EINVAL"
    assert error_of(m.guest.call, "pkey_free", 1) == "EINVAL"
    assert error_of(m.guest.call, "pkey_mprotect", at, PAGE, 1, 1) == "EINVAL"
    m.guest.call("pkey_mprotect", at, PAGE, 1, -1)
    assert m.memory.rights(at) == 1


def test_copying_within_the_process(m):
    at = m.mmap(3 * PAGE)
    m.guest.call("mprotect", at + 2 * PAGE, PAGE, 0)
    m.memory.write(at, b"abcdefghij")
    word = m.abi.word_codec()

    def vector(*spans):
        return m.guest.put(b"".join(word.pack(n) for span in spans for n in span))

    local = vector((at + PAGE, 3), (at + PAGE + 10, 4))
    pid = m.guest.process.pid
    assert m.guest.call("process_vm_readv", pid, local, 2, vector((at + 1, 9)), 1, 0) == 7
    assert m.text(at + PAGE, 14) == b"bcd" + bytes(7) + b"efgh"
    assert m.guest.call("process_vm_writev", pid, vector((at, 2)), 1, vector((at + 2 * PAGE - 1, 2)), 1, 0) == 1
    with pytest.raises(MemoryFault):
        m.guest.call("process_vm_readv", pid, local, 1, vector((AT, 1)), 1, 0)
    assert error_of(m.guest.call, "process_vm_readv", 1, local, 1, local, 1, 0) == "ESRCH"
    assert error_of(m.guest.call, "process_vm_readv", pid, local, 1, local, 1, 1) == "EINVAL"
    assert error_of(m.guest.call, "process_vm_readv", pid, local, 1025, local, 1, 0) == "EINVAL"


HOSTILE = [
    0,
    1,
    PAGE,
    AT,
    0x7FFF_F000,
    0xFFFF_F000,
    0xFFFF_FFFF,
    1 << 47,
    (1 << 63) - 1,
    (1 << 64) - PAGE,
    (1 << 64) - 1,
]
CALLS = {
    "mmap": 6,
    "munmap": 2,
    "mprotect": 3,
    "msync": 3,
    "madvise": 3,
    "mincore": 3,
    "mlock": 2,
    "munlock": 2,
    "mlockall": 1,
    "brk": 1,
    "mremap": 5,
    "remap_file_pages": 5,
    "mlock2": 3,
    "mseal": 3,
    "pkey_mprotect": 4,
    "process_vm_readv": 6,
}


@pytest.mark.parametrize("name", CALLS)
def test_wild_arguments_give_errors_not_accidents(m, name):
    kept = m.mmap(4 * PAGE)
    for seed in range(150):
        pool = [*HOSTILE, kept, kept + PAGE]
        arguments = [pool[(seed * 7 + k * (seed // 11 + 3)) % len(pool)] for k in range(CALLS[name])]
        try:
            m.guest.call(name, *arguments)
        except (OSError, MemoryFault):
            pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 << 20
