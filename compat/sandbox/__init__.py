"""What of the host a guest may see: mounts, confined path resolution, synthetic files.

    view = default_view(host, cwd=, program=, sysroot=, grants=[parse_mount(text)], proc=, dev=, trust=)
    cwd = start_folder(view, b"/home/me/x")                 # an Opened, as are a guest's descriptors:
    Opened(fd, node, guest_path, mount)                     # fd is the host's, and the keeper closes it;
                                                            # node: if synthetic; mount None: stdio, pipes
    view.open(path, base, flags, mode) -> Opened            # openat(2); base: an open folder, such as cwd
    with view.resolve(path, base, follow=True) as place:    # to look at or change a file
    with view.entry(path, base) as place:                   # to create, remove, rename a name; never followed
    with view.held(opened) as place:                        # fchmod fchown futimens f*xattr, AT_EMPTY_PATH
    view.fstat(opened)                                      # os.stat_result
    view.listdir(opened)                                    # [Dirent(name, ino, type)], "." and ".." first
    view.path(opened)                                       # getcwd(2): the present path, or ENOENT
    view.name(opened); mounts_text(view)                    # texts of /proc/self/fd/N and /proc/self/mounts

    place.guest_path .mount .last .slash .busy .exists()    # exists() raises no ENOENT
    look:   open(flags, mode) -> Opened, location() -> Opened (chdir), stat readlink access(mode, effective=)
            statfs getxattr(a) listxattr listdir
    entry:  mkdir(mode) mknod(mode, device) symlink(target) link(source) unlink rmdir rename(to, flags)
    file:   chmod(mode) chown(owner, group) utime(times) truncate(length) setxattr(a, value) removexattr(a)
    All raise OSError with the kernel's errno, in the kernel's order. Flags and numbers are the host's.

    Directory(entries, lookup=) File(content, on_write=) Link(target, magic=) Device(path, (major, minor))
    Contents may be callables, asked at each look. A magic link returns an Opened, which it goes on owning.

Rules for shims
  - Never give the host a guest's path, nor *at calls, fchmod, fchown, futimens or setxattr to an Opened.fd:
    a read-only mount would be written, or left. Go through the view.
  - Reading, writing, seeking, locking, ftruncate on Opened.fd are the host's. But a File node with `on_write`
    is written by calling that, and reading a Directory node is EISDIR.
  - Only known ioctls pass: TIOCSTI types into the user's terminal, FS_IOC_SETFLAGS changes read-only mounts.
  - Negative lengths and bad flags are refused before a path is looked at. The umask is the host's.
"""
