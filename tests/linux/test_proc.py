"""/proc and /dev as a guest sees them: exact formats, present state, nothing of the host beyond what is granted."""

import errno
import os
import re
import signal
import stat
import time
from pathlib import Path

import pytest

from compat.abi.tables import load_tables
from compat.host import ASKING, questions
from compat.host.census import Census, Entry
from compat.memory import PAGE, Mark
from compat.process import Options, Program
from compat.sandbox.default import NOWHERE
from compat.sandbox.place import Opened
from shims.linux.bpf import Instruction
from shims.linux.bpf import Program as Checked
from shims.linux.heeding import heed_questions
from shims.linux.proc_status import cpu_list
from shims.linux.seccomp import Filter
from shims.linux.view import build_view
from shims.posix.openfiles import OpenFile
from shims.posix.state import Child
from tests.linux.guest import Guest, refused


class Seen:
    """A guest with a view, whose files a test reads by path."""

    def __init__(self, guest: Guest, folder, options=None) -> None:
        self.guest = guest
        self.process = guest.process
        if options is not None:
            self.process.options = options
        program = folder / "program"
        program.write_bytes(b"code" * PAGE)
        self.process.executable = Opened(os.open(program, os.O_RDONLY), None, os.fsencode(program), None)
        self.process.arguments = [b"program", b"an argument"]
        self.process.environment = [b"A=1", b"B=2"]
        guest.thread.name = b"program"
        build_view(self.process, Program(os.fsencode(program), [], []))
        self.view = self.process.view

    def open(self, path, flags=os.O_RDONLY):
        with self.view.resolve(path, NOWHERE) as place:
            return place.open(flags)

    def text(self, path: bytes) -> bytes:
        opened = self.open(path)
        try:
            with os.fdopen(os.dup(opened.fd), "rb") as file:
                return file.read()
        finally:
            os.close(opened.fd)

    def link(self, path: bytes) -> bytes:
        with self.view.resolve(path, NOWHERE, follow=False) as place:
            return place.readlink()

    def names(self, path: bytes) -> list[bytes]:
        with self.view.resolve(path, NOWHERE) as place:
            return [entry.name for entry in place.listdir()]

    def file(self, path, flags=os.O_RDWR) -> int:
        opened = self.open(os.fsencode(path), flags)
        return self.process.files.add(OpenFile(self.process.host, opened.fd, path=opened.guest_path, opened=opened))


@pytest.fixture
def seen(guest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Seen(guest, tmp_path)
    yield made
    made.view.close()


def fields(text: bytes) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in text.decode().splitlines())


# --- maps ---


def test_maps_have_the_kernels_columns(seen, tmp_path):
    memory = seen.process.memory
    (tmp_path / "mapped").write_bytes(bytes(2 * PAGE))
    fd = os.open(tmp_path / "mapped", os.O_RDWR)
    backing = memory.backings.get(fd, b"/lib/mapped", writable=True)
    memory.clear()
    memory.map(PAGE, 5, address=0x40_0000, fixed=True, backing=backing, offset=PAGE)
    memory.map(PAGE, 3, address=0x50_0000, fixed=True)
    memory.map(PAGE, 0, address=0x60_0000, fixed=True, name=b"[heap]")
    memory.map(PAGE, 3, address=0x70_0000, fixed=True, shared=True)
    memory.map(PAGE, 1, address=0x80_0000, fixed=True, shared=True, backing=backing)
    state = os.fstat(fd)
    device = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x} {state.st_ino}"
    width = 73 if seen.process.abi.cpu.bits == 64 else 49

    def line(text, name):
        return f"{text:<{width}}{name}\n"

    shared = 0x70_0000 // PAGE
    assert seen.text(b"/proc/self/maps").decode() == (
        line(f"00400000-00401000 r-xp 00001000 {device} ", "/lib/mapped")
        + "00500000-00501000 rw-p 00000000 00:00 0 \n"
        + line("00600000-00601000 ---p 00000000 00:00 0 ", "[heap]")
        + line(f"00700000-00701000 rw-s 00000000 00:01 {shared} ", "/dev/zero (deleted)")
        + line(f"00800000-00801000 r--s 00000000 {device} ", "/lib/mapped")
    )
    os.unlink(tmp_path / "mapped")
    assert b"/lib/mapped (deleted)\n" in seen.text(b"/proc/self/maps")
    os.close(fd)


def test_areas_in_several_parts_of_ram_are_one_mapping(seen):
    memory = seen.process.memory
    memory.clear()
    memory.map(PAGE, 3, address=0x50_1000, fixed=True)
    memory.map(PAGE, 3, address=0x50_0000, fixed=True)
    assert len(memory.areas) == 2
    assert seen.text(b"/proc/self/maps") == b"00500000-00502000 rw-p 00000000 00:00 0 \n"


def test_the_padding_is_that_of_this_machine():
    """The host is a 64-bit Linux too: its own maps put names into the same column."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.rstrip().endswith("[stack]"):
            assert line.index("[stack]") == 73


def test_smaps_and_sums(seen):
    memory = seen.process.memory
    memory.clear()
    at = memory.map(4 * PAGE, 3, marks=Mark.LOCKED)
    memory.write(at, b"x")
    text = seen.text(b"/proc/self/smaps").decode()
    assert re.search(r"^Size: +16 kB$", text, re.M)
    assert re.search(r"^Locked: +16 kB$", text, re.M)
    assert re.search(r"^VmFlags: rd wr mr mw me lo $", text, re.M)
    resident = int(re.search(r"^Rss: +(\d+) kB$", text, re.M)[1])
    assert 4 <= resident <= 16
    assert b"[rollup]" in seen.text(b"/proc/self/smaps_rollup")
    assert seen.text(b"/proc/self/statm").split()[:2] == [b"4", b"%d" % (resident // 4)]
    found = fields(seen.text(b"/proc/self/status"))
    assert (found["VmSize"], found["VmLck"]) == ("      16 kB", "      16 kB")


# --- the process ---


def test_arguments_and_environment(seen):
    assert seen.text(b"/proc/self/cmdline") == b"program\0an argument\0"
    assert seen.text(b"/proc/self/environ") == b"A=1\0B=2\0"
    seen.process.auxv = b"\1\2"
    assert seen.text(b"/proc/self/auxv") == b"\1\2"
    assert seen.link(b"/proc/self/exe") == seen.process.executable.guest_path
    assert seen.text(b"/proc/self/exe")[:4] == b"code"


def test_stat_has_fifty_two_fields(seen):
    seen.guest.thread.name = b"odd) name"
    text = seen.text(b"/proc/self/stat")
    assert text.startswith(b"%d (odd) name) R " % seen.process.pid)
    assert len(text[text.rindex(b")") + 2 :].split()) == 50
    assert text.endswith(b"\n")
    rest = text[text.rindex(b")") + 2 :].split()
    assert int(rest[20]) == seen.process.memory.mapped
    assert int(rest[1]) == 0


def test_status_tells_signals_and_ids(seen):
    process, thread = seen.process, seen.guest.thread
    process.actions = {1: Action(handler=1), 2: Action(handler=0x1000)}
    thread.mask = 0b1000
    found = fields(seen.text(b"/proc/self/status"))
    assert (found["Pid"], found["Tgid"], found["PPid"]) == (str(process.pid), str(process.pid), "0")
    assert found["Uid"] == "\t".join([str(os.getuid())] * 4)
    assert [int(found[name], 16) for name in ("SigIgn", "SigCgt", "SigBlk")] == [1, 2, 8]
    assert len(found["SigBlk"]) == 16
    assert found["Name"] == "program"
    assert found["Threads"] == "1"


class Action:
    def __init__(self, handler):
        self.handler = handler


def test_every_line_of_the_hosts_own_status_is_there(seen):
    own = {line.split(":")[0] for line in Path("/proc/self/status").read_text().splitlines()}
    missing = own - fields(seen.text(b"/proc/self/status")).keys()
    assert missing <= {"HugetlbPages", "x86_Thread_features", "x86_Thread_features_locked", "untag_mask"} | {
        name for name in missing if name.startswith("Speculation")
    }


def test_limits_look_like_the_hosts(seen):
    seen.process.limits.clear()
    ours = seen.text(b"/proc/self/limits").decode().splitlines()
    theirs = Path("/proc/self/limits").read_text().splitlines()
    assert [line[:25] for line in ours] == [line[:25] for line in theirs]
    assert ours[0] == theirs[0]
    cpu = next(line for line in theirs if line.startswith("Max cpu time"))
    assert cpu in ours


def test_a_thread_can_be_renamed(seen):
    pid = seen.process.pid
    assert seen.text(b"/proc/self/comm") == b"program\n"
    node = seen.open(b"/proc/self/comm", os.O_WRONLY).node
    node.on_write(b"a name that is far too long\n")
    assert seen.guest.thread.name == b"a name that is "
    assert seen.text(b"/proc/thread-self/comm") == b"a name that is \n"
    assert seen.link(b"/proc/thread-self") == b"%d/task/%d" % (pid, pid)
    assert seen.names(b"/proc/self/task") == [b".", b"..", b"%d" % pid]


def test_only_the_guests_own_processes_are_shown(seen):
    pid = seen.process.pid
    numbers = [name for name in seen.names(b"/proc") if name.isdigit()]
    assert b"%d" % pid in numbers
    assert b"1" not in numbers
    for name in (b"/proc/1", b"/proc/%d" % os.getppid(), b"/proc/0%d" % pid, b"/proc/-1", b"/proc/" + b"9" * 30):
        with pytest.raises(FileNotFoundError):
            seen.text(name + b"/stat")
    assert seen.link(b"/proc/self") == b"%d" % pid


def test_a_child_is_shown_with_what_the_host_tells(seen):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        os.read(read_end, 1)
        os._exit(0)
    try:
        seen.process.root_pid = os.getpid()
        assert seen.text(b"/proc/%d/stat" % pid).startswith(b"%d (" % pid)
        assert fields(seen.text(b"/proc/%d/status" % pid))["PPid"] == str(os.getpid())
        assert seen.text(b"/proc/%d/cmdline" % pid) == b""
    finally:
        os.close(write_end)
        os.close(read_end)
        os.waitpid(pid, 0)


@pytest.fixture
def asked(seen):
    """The pid of a child like the guest, which answers questions while it waits."""
    seen.process.census = Census()
    seen.process.engine.at_rest = lambda: True
    ready, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        seen.process.pid = os.getpid()
        seen.process.dumpable = 1
        heed_questions(seen.process)
        os.write(write_end, b"x")
        while True:
            signal.pause()
    os.read(ready, 1)
    os.close(ready)
    os.close(write_end)
    seen.process.children[pid] = Child(17, 1)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_what_only_the_process_knows_it_tells_when_asked(seen, asked, tmp_path):
    own = seen.text(b"/proc/self/maps")
    assert own == seen.text(b"/proc/%d/maps" % asked) != b""
    assert seen.link(b"/proc/%d/cwd" % asked) == os.fsencode(tmp_path)
    (tmp_path / "data").write_bytes(b"content")
    assert seen.names(b"/proc/%d/fd" % asked) == [b".", b".."], "a file that the parent alone opens later"
    seen.file(tmp_path / "data")
    assert seen.names(b"/proc/%d/fd" % asked) == [b".", b".."]


def test_who_does_not_answer_is_another_users(seen, monkeypatch):
    monkeypatch.setattr(questions, "_PATIENCE", 0.1)
    seen.process.census = Census()
    pid = os.fork()
    if pid == 0:
        signal.signal(ASKING, signal.SIG_IGN)
        while True:
            signal.pause()
    try:
        time.sleep(0.05)
        seen.process.children[pid] = Child(17, 1)
        with refused(errno.EACCES):
            seen.text(b"/proc/%d/maps" % pid)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_the_first_process_is_shown_without_a_parent(seen):
    process = seen.process
    process.census = Census()
    process.root_pid = os.getppid()
    born = process.host.relation(process.root_pid).born
    process.census.enter(process.root_pid, Entry(born, True, b"first", b"/bin/first", b"first\0", 8192))
    text = seen.text(b"/proc/%d/stat" % process.root_pid)
    assert text[text.rindex(b")") + 2 :].split()[1] == b"0"
    assert fields(seen.text(b"/proc/%d/status" % process.root_pid))["PPid"] == "0"
    assert fields(seen.text(b"/proc/self/status"))["PPid"] == str(process.root_pid)


def test_a_child_is_shown_with_what_it_told_the_census(seen):
    seen.process.census = Census()
    pid = os.fork()
    if pid == 0:
        signal.pause()
    try:
        born = seen.process.host.relation(pid).born
        seen.process.census.enter(pid, Entry(born, True, b"a) b", b"/bin/b", b"b\0-x\0", 8192, b"A=1\0" * 3000))
        assert b"%d" % pid in seen.names(b"/proc")
        assert seen.text(b"/proc/%d/cmdline" % pid) == b"b\0-x\0"
        assert seen.text(b"/proc/%d/comm" % pid) == b"a) b\n"
        assert seen.text(b"/proc/%d/environ" % pid) == b"A=1\0" * 3000
        with seen.view.resolve(b"/proc/%d/environ" % pid, NOWHERE) as place:
            assert (place.stat().st_uid, stat.S_IMODE(place.stat().st_mode)) == (os.geteuid(), 0o400)
        assert re.match(rb"%d \(a\) b\) [RS] %d " % (pid, os.getpid()), seen.text(b"/proc/%d/stat" % pid))
        assert seen.text(b"/proc/%d/task/%d/statm" % (pid, pid)).startswith(b"2 ")
        assert fields(seen.text(b"/proc/%d/status" % pid))["Name"] == "a) b"
        assert seen.link(b"/proc/%d/exe" % pid) == b"/bin/b"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert b"%d" % pid not in seen.names(b"/proc")


# --- files ---


def test_descriptors_are_links_to_the_very_files(seen, tmp_path):
    (tmp_path / "data").write_bytes(b"content")
    number = seen.file(tmp_path / "data")
    name = b"/proc/self/fd/%d" % number
    assert seen.link(name) == os.fsencode(tmp_path / "data")
    assert seen.text(name) == b"content"
    os.unlink(tmp_path / "data")
    assert seen.link(name).endswith(b"data (deleted)")
    assert seen.text(name) == b"content"
    assert b"%d" % number in seen.names(b"/proc/self/fd")
    with seen.view.resolve(name, NOWHERE, follow=False) as place:
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for bad in (b"77", b"0%d" % number, b"x", b"-1"):
        with pytest.raises(FileNotFoundError):
            seen.link(b"/proc/self/fd/" + bad)


def test_descriptors_tell_position_and_flags(seen, tmp_path):
    (tmp_path / "data").write_bytes(b"content")
    number = seen.file(tmp_path / "data")
    os.lseek(seen.process.files.get(number).fd, 3, os.SEEK_SET)
    seen.process.files.slot(number).close_on_exec = True
    found = fields(seen.text(b"/proc/self/fdinfo/%d" % number))
    values = seen.process.abi.flags("OpenFlags").values
    assert found["pos"] == "3"
    assert int(found["flags"], 8) == values["O_RDWR"] | values["O_CLOEXEC"]
    assert found["ino"] == str(os.stat(tmp_path / "data").st_ino)
    mounts = seen.text(b"/proc/self/mountinfo").decode().splitlines()
    assert any(line.startswith(found["mnt_id"] + " ") and str(tmp_path) in line for line in mounts)


def test_folders(seen, tmp_path):
    assert seen.link(b"/proc/self/cwd") == os.fsencode(tmp_path)
    assert seen.text(b"/proc/self/cwd/program")[:4] == b"code"
    assert seen.link(b"/proc/self/root") == b"/"
    assert set(seen.names(b"/proc/self/root/")) == set(seen.names(b"/"))
    assert b"/proc proc rw 0 0\n" in seen.text(b"/proc/mounts")


# --- the machine ---


@pytest.mark.parametrize(
    ("cpu", "pattern"),
    [
        ("x86", r"processor\t: 0\nvendor_id\t: \w+\n(.*\n)*flags\t\t: fpu .*\bcx8\b"),
        ("x86-64", r"processor\t: 0\n(.*\n)*flags\t\t: .*\bsse2\b.*\blm\b"),
        (
            "arm",
            r"processor\t: 0\nmodel name\t: ARMv7.*\n(.*\n)*Features\t: .*\nCPU impl.*\nCPU architecture: 7",
        ),
        ("aarch64", r"processor\t: 0\nBogoMIPS\t: .*\nFeatures\t: fp asimd .*\n(.*\n)*CPU architecture: 8"),
        ("riscv64", r"processor\t: 0\nhart\t\t: 0\nisa\t\t: rv64imafdc"),
        ("mips", r"system type\t\t: .*\nmachine\t\t\t: .*\nprocessor\t\t: 0\ncpu model\t\t: MIPS"),
        ("mips64el", r"(.*\n)*isa\t\t\t: .*mips64r2"),
        ("ppc", r"processor\t: 0\ncpu\t\t: .*\nclock\t\t: .*MHz"),
        ("ppc64le", r"(.*\n)*timebase\t: \d+"),
        ("s390x", r"vendor_id       : IBM/S390\n# processors    : \d+\n(.*\n)*processor 0: version = "),
    ],
)
def test_the_cpu_is_the_guests(make_guest, tmp_path, monkeypatch, cpu, pattern):
    monkeypatch.chdir(tmp_path)
    text = Seen(make_guest(cpu), tmp_path).text(b"/proc/cpuinfo").decode()
    assert re.match(pattern, text), text
    count = len(os.sched_getaffinity(0))
    assert len(re.findall(r"^processor", text, re.M)) == count
    assert load_tables("linux", cpu).cpu.name == cpu


def test_memory_is_the_hosts_or_what_was_granted(make_guest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = Seen(make_guest("x86-64"), tmp_path).text(b"/proc/meminfo")
    assert text.split(b"\n")[0] == Path("/proc/meminfo").read_bytes().split(b"\n")[0]
    text = Seen(make_guest("x86-64"), tmp_path, Options(memory=64 << 20)).text(b"/proc/meminfo")
    assert text.startswith(b"MemTotal:          65536 kB\nMemFree:  ")


def test_the_rest_of_the_machine(seen):
    assert re.match(rb"cpu +\d+ .*\ncpu\d+ ", seen.text(b"/proc/stat"))
    assert len(seen.text(b"/proc/uptime").split()) == 2
    assert len(seen.text(b"/proc/loadavg").split()) == 5
    assert seen.text(b"/proc/version").startswith(b"Linux version ")
    assert seen.text(b"/proc/sys/kernel/ostype") == b"Linux\n"
    assert seen.text(b"/proc/sys/kernel/osrelease").split()[0] in seen.text(b"/proc/version")
    assert seen.text(b"/proc/sys/vm/mmap_min_addr") == b"65536\n"
    assert seen.text(b"/proc/sys/fs/pipe-max-size") == b"1048576\n"
    once, again = (seen.text(b"/proc/sys/kernel/random/uuid") for _ in range(2))
    assert once != again
    assert len({seen.text(b"/proc/sys/kernel/random/boot_id") for _ in range(2)}) == 1


def test_without_a_network_its_tables_are_empty(seen, make_guest, tmp_path):
    for name in (b"tcp", b"udp", b"unix", b"route"):
        assert seen.text(b"/proc/net/" + name).count(b"\n") == 1
    assert seen.text(b"/proc/net/dev").splitlines()[2:][0].startswith(b"    lo: ")
    granted = Seen(make_guest("x86-64"), tmp_path, Options(network=True))
    assert b"lo:" in granted.text(b"/proc/net/dev")


def test_everything_can_be_read_and_nothing_written(seen):
    folders = [b"/proc", b"/dev"]
    count = 0
    while folders:
        folder = folders.pop()
        for name in seen.names(folder):
            path = folder + b"/" + name
            if name in (b".", b"..") or name in (b"root", b"cwd"):
                continue
            with seen.view.resolve(path, NOWHERE, follow=False) as place:
                kind = stat.S_IFMT(place.stat().st_mode)
            if kind == stat.S_IFDIR:
                folders.append(path)
            elif kind == stat.S_IFREG and path.startswith(b"/proc"):
                seen.text(path)
                count += 1
                if os.path.basename(path) not in (b"comm", b"oom_score_adj"):
                    with pytest.raises(OSError) as caught:
                        seen.open(path, os.O_WRONLY)
                    assert caught.value.errno == errno.EACCES
    assert count > 100


# --- /dev ---


def test_devices(seen):
    null, zero = seen.open(b"/dev/null", os.O_RDWR), seen.open(b"/dev/zero")
    assert os.write(null.fd, b"gone") == 4
    assert os.read(null.fd, 4) == b""
    assert os.read(zero.fd, 4) == bytes(4)
    full = seen.open(b"/dev/full", os.O_WRONLY)
    with pytest.raises(OSError) as caught:
        os.write(full.fd, b"x")
    assert caught.value.errno == errno.ENOSPC
    for opened in (null, zero, full):
        os.close(opened.fd)
    with seen.view.resolve(b"/dev/urandom", NOWHERE) as place:
        state = place.stat()
    assert stat.S_ISCHR(state.st_mode)
    assert (os.major(state.st_rdev), os.minor(state.st_rdev)) == (1, 9)


def test_no_other_device_of_the_host(seen):
    for name in (b"mem", b"kmem", b"sda", b"fuse", b"kvm", b"loop0", b"console"):
        with pytest.raises(FileNotFoundError):
            seen.open(b"/dev/" + name)


def test_terminals_that_the_guest_makes(seen):
    before = set(seen.names(b"/dev/pts"))
    master = seen.open(b"/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    (made,) = set(seen.names(b"/dev/pts")) - before
    import fcntl

    fcntl.ioctl(master.fd, 0x40045431, bytes(4))  # TIOCSPTLCK: unlock
    other = seen.open(b"/dev/pts/" + made, os.O_RDWR | os.O_NOCTTY)
    os.write(other.fd, b"typed")
    assert os.read(master.fd, 5) == b"typed"
    for number in range(64):
        if b"%d" % number not in {made, *before}:
            with pytest.raises(FileNotFoundError):
                seen.open(b"/dev/pts/%d" % number)
    os.close(master.fd)
    os.close(other.fd)


def test_shared_memory_is_private_to_the_run(seen):
    opened = seen.open(b"/dev/shm/mine", os.O_RDWR | os.O_CREAT)
    assert b"mine" in seen.names(b"/dev/shm")
    assert not os.path.exists("/dev/shm/mine")
    os.close(opened.fd)


def test_standard_streams_have_names(seen):
    read_end, write_end = os.pipe()
    seen.process.files.put(0, OpenFile(seen.process.host, read_end))
    assert seen.link(b"/dev/stdin") == b"/proc/self/fd/0"
    assert seen.link(b"/dev/fd") == b"/proc/self/fd"
    assert seen.link(b"/proc/self/fd/0").startswith(b"pipe:[")
    os.write(write_end, b"through")
    os.close(write_end)
    assert seen.text(b"/dev/stdin") == b"through"


def test_lists_of_cpus():
    assert cpu_list([0]) == "0"
    assert cpu_list([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"


# --- /sys ---


def test_sys_tells_of_processors(seen):
    count = len(os.sched_getaffinity(0))
    assert seen.text(b"/sys/devices/system/cpu/online") == (b"0-%d\n" % (count - 1) if count > 1 else b"0\n")
    first = b"/sys/devices/system/cpu/cpu0/topology/"
    assert int(seen.text(first + b"thread_siblings").replace(b",", b""), 16) == 1
    assert int(seen.text(first + b"core_siblings").replace(b",", b""), 16) == (1 << count) - 1
    for cache in seen.names(b"/sys/devices/system/cpu/cpu0/cache")[2:]:
        place = b"/sys/devices/system/cpu/cpu0/cache/" + cache
        assert int(seen.text(place + b"/level")) in range(1, 5)
        assert int(seen.text(place + b"/shared_cpu_map").replace(b",", b""), 16) in (1, (1 << count) - 1)
    assert seen.names(b"/sys/block")[2:] == []
    with seen.view.resolve(b"/sys", NOWHERE) as place:
        assert place.statfs().type == 0x62656572


def test_modes_of_seccomp_are_told(seen):
    seen.guest.thread.strict = True
    assert fields(seen.text(b"/proc/self/status"))["Seccomp"] == "1"
    accept = Checked([Instruction(6, 0, 0, 0x7FFF0000)])
    seen.guest.thread.strict = False
    seen.guest.thread.filters = Filter(accept, 1, Filter(accept, 1, None))
    found = fields(seen.text(b"/proc/self/status"))
    assert (found["Seccomp"], found["Seccomp_filters"]) == ("2", "2")
