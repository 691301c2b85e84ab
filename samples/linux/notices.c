/* inotify: what happens to files is told, in order, with names. */
#include "sample.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int watcher, folder, cookie;

static const struct { uint32_t bit; const char *name; } kinds[] = {
    { IN_ACCESS, "access" }, { IN_MODIFY, "modify" }, { IN_ATTRIB, "attrib" }, { IN_CLOSE_WRITE, "close-write" },
    { IN_CLOSE_NOWRITE, "close-nowrite" }, { IN_OPEN, "open" }, { IN_MOVED_FROM, "moved-from" },
    { IN_MOVED_TO, "moved-to" }, { IN_CREATE, "create" }, { IN_DELETE, "delete" }, { IN_DELETE_SELF, "delete-self" },
    { IN_MOVE_SELF, "move-self" }, { IN_IGNORED, "ignored" }, { IN_Q_OVERFLOW, "overflow" }, { IN_ISDIR, "folder" },
};

/* Print every event that waits. */
static void tell(const char *what)
{
    char buffer[2048] __attribute__((aligned(8)));
    long got = read(watcher, buffer, sizeof buffer);
    say("%s:", what);
    for (char *at = buffer; at < buffer + got;) {
        struct inotify_event *event = (void *)at;
        char line[400], *end = line;
        for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (event->mask & kinds[i].bit) {
                *end++ = ' ';
                strcpy(end, kinds[i].name);
                end += strlen(end);
            }
        *end = 0;
        if (event->mask & IN_MOVED_FROM)
            cookie = event->cookie;
        say("  watch %d%s%s%s%s", event->wd, line, event->len ? " " : "", event->len ? event->name : "",
            event->mask & IN_MOVED_TO && (int)event->cookie == cookie ? " (same cookie)" : "");
        at += sizeof *event + event->len;
    }
}

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    write(fd, text, strlen(text));
    close(fd);
}

static void refusals(void)
{
    char small[8];
    FAILS("a bad flag", inotify_init1(1), EINVAL);
    FAILS("nothing has happened", read(watcher, small, sizeof small), EAGAIN);
    FAILS("no such file", inotify_add_watch(watcher, "absent", IN_OPEN), ENOENT);
    FAILS("no event in the mask", inotify_add_watch(watcher, ".", 0), EINVAL);
    FAILS("add and create", inotify_add_watch(watcher, ".", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
    FAILS("a pipe is no instance", inotify_add_watch(0, ".", IN_OPEN), EINVAL);
    FAILS("nor is nothing", inotify_add_watch(999, ".", IN_OPEN), EBADF);
    FAILS("no such watch", inotify_rm_watch(watcher, 77), EINVAL);
    put("file", "x");
    FAILS("a file is no folder", inotify_add_watch(watcher, "file", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    FAILS("not through the file", inotify_add_watch(watcher, "file/x", IN_OPEN), ENOTDIR);
}

static void events(void)
{
    struct pollfd wait = { watcher, POLLIN, 0 };
    int waiting = 0, link;
    folder = inotify_add_watch(watcher, ".", IN_ALL_EVENTS & ~IN_ACCESS);
    CHECK("a watch", folder > 0);
    FAILS("the same again with IN_MASK_CREATE", inotify_add_watch(watcher, ".", IN_OPEN | IN_MASK_CREATE), EEXIST);
    CHECK("again: the same number", inotify_add_watch(watcher, ".", IN_ALL_EVENTS & ~IN_ACCESS) == folder);
    CHECK("poll has nothing", poll(&wait, 1, 0) == 0);
    put("file", "more");
    CHECK("poll has something", poll(&wait, 1, 1000) == 1 && wait.revents == POLLIN);
    CHECK("FIONREAD tells how much", ioctl(watcher, FIONREAD, &waiting) == 0 && waiting == 3 * (16 + 16));
    tell("written to");
    mkdir("inner", 0700);
    rename("file", "inner/moved");
    rename("inner/moved", "back");
    rename("back", "other name that is longer than one word");
    chmod("inner", 0755);
    tell("moved about");
    unlink("other name that is longer than one word");
    rmdir("inner");
    tell("removed");
    symlink("nowhere", "link");
    link = inotify_add_watch(watcher, "link", IN_ATTRIB | IN_DELETE_SELF | IN_DONT_FOLLOW);
    CHECK("a link itself", link > folder);
    unlink("link");
    tell("a link");
    CHECK("no watch left", inotify_rm_watch(watcher, folder) == 0);
    tell("no watch");
}

/* A reader that waits, woken by another process. */
static void waiting(void)
{
    CHECK("to blocking", fcntl(watcher, F_SETFL, 0) == 0);
    inotify_add_watch(watcher, ".", IN_CREATE | IN_DELETE);
    int pid = fork();
    if (!pid) {
        usleep(50000);
        put("by the child", "");
        _exit(0);
    }
    tell("from another process");
    waitpid(pid, NULL, 0);
    unlink("by the child");
    tell("gone");
    inotify_add_watch(watcher, "/dev/null", IN_DELETE_SELF | IN_ONESHOT);
    CHECK("a device can be watched", 1);
}

int main(void)
{
    int tube[2];
    close(0);
    pipe(tube);
    enter_fresh_directory();
    watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK("inotify_init1", watcher >= 0 && fcntl(watcher, F_GETFD) == FD_CLOEXEC && (fcntl(watcher, F_GETFL) & O_NONBLOCK));
    refusals();
    events();
    waiting();
    CHECK("closed", close(watcher) == 0);
    leave_fresh_directory();
    return finish();
}
