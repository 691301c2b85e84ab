/* Names of files: the calls that take a folder, "..", links that lead on or around, names that are too long. */
#include "sample.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static void create(int folder, const char *name, const char *text)
{
    int fd = openat(folder, name, O_CREAT | O_WRONLY, 0600);
    write(fd, text, strlen(text));
    close(fd);
}

static int holds(int folder, const char *name, const char *text)
{
    char buffer[64];
    int fd = openat(folder, name, O_RDONLY);
    ssize_t got = read(fd, buffer, sizeof buffer);
    close(fd);
    return got == (ssize_t)strlen(text) && !memcmp(buffer, text, got);
}

static void folders(void)
{
    struct stat about, other;
    char buffer[64];
    CHECK("mkdirat", mkdirat(AT_FDCWD, "d", 0755) == 0);
    int d = open("d", O_RDONLY | O_DIRECTORY), f;
    create(d, "f", "in d");
    CHECK("openat", holds(AT_FDCWD, "d/f", "in d") && holds(d, "f", "in d"));
    CHECK("..", holds(d, "../d/./f", "in d") && holds(AT_FDCWD, "d/../d//f", "in d"));
    CHECK("faccessat", faccessat(d, "f", R_OK, 0) == 0);
    CHECK("fstatat", fstatat(d, "f", &about, 0) == 0 && about.st_size == 4);
    CHECK("linkat", linkat(d, "f", AT_FDCWD, "l", 0) == 0 && stat("l", &other) == 0 && other.st_ino == about.st_ino);
    CHECK("symlinkat", symlinkat("f", d, "s") == 0 && holds(d, "s", "in d"));
    CHECK("readlinkat", readlinkat(d, "s", buffer, 64) == 1 && buffer[0] == 'f');
    CHECK("AT_SYMLINK_NOFOLLOW", fstatat(d, "s", &other, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(other.st_mode));
    CHECK("AT_EMPTY_PATH", fstatat(d, "", &other, AT_EMPTY_PATH) == 0 && S_ISDIR(other.st_mode));
    CHECK("renameat", renameat(AT_FDCWD, "l", d, "g") == 0 && holds(d, "g", "in d"));
    CHECK("fchmodat", fchmodat(d, "g", 0644, 0) == 0 && fstatat(d, "f", &other, 0) == 0 && (other.st_mode & 0777) == 0644);
    CHECK("linkat does not follow", linkat(d, "s", d, "t", 0) == 0 && readlinkat(d, "t", buffer, 64) == 1);
    FAILS("openat below a file", openat(f = openat(d, "f", O_RDONLY), "x", O_RDONLY), ENOTDIR);
    FAILS("openat with a bad folder", openat(999, "f", O_RDONLY), EBADF);
    CHECK("an absolute name needs no folder", openat(999, "/dev/null", O_RDONLY) == f + 1 && close(f + 1) == 0);
    FAILS("fstatat of the empty name", fstatat(d, "", &about, 0), ENOENT);
    FAILS("unlinkat of a folder", unlinkat(AT_FDCWD, "d", 0), EISDIR);
    FAILS("unlinkat of a file as a folder", unlinkat(d, "f", AT_REMOVEDIR), ENOTDIR);
    FAILS("unlinkat with a bad flag", unlinkat(d, "f", 0x4000), EINVAL);
    CHECK("fchdir", fchdir(d) == 0 && holds(AT_FDCWD, "f", "in d"));
    char *here = getcwd(NULL, 0);
    CHECK("getcwd", here && here[0] == '/' && !strcmp(here + strlen(here) - 2, "/d"));
    free(here);
    CHECK("chdir ..", chdir("..") == 0 && holds(AT_FDCWD, "d/f", "in d"));
    FAILS("chdir to a file", chdir("d/f"), ENOTDIR);
    FAILS("chdir to nothing", chdir("nothing"), ENOENT);
    FAILS("fchdir to a file", fchdir(f), ENOTDIR);
    CHECK("unlinkat", !unlinkat(d, "f", 0) && !unlinkat(d, "g", 0) && !unlinkat(d, "s", 0) && !unlinkat(d, "t", 0));
    close(f);
    CHECK("a removed folder", unlinkat(AT_FDCWD, "d", AT_REMOVEDIR) == 0 && fstat(d, &about) == 0 && about.st_nlink == 0);
    FAILS("nothing can be made in it", openat(d, "new", O_CREAT | O_WRONLY, 0600), ENOENT);
    close(d);
}

static void links(void)
{
    struct stat about;
    char name[] = "link-00", target[] = "link-00";
    mkdir("a", 0755), mkdir("a/b", 0755);
    create(AT_FDCWD, "a/b/f", "deep");
    CHECK("a link to a folder", symlink("a/b", "to") == 0 && holds(AT_FDCWD, "to/f", "deep"));
    CHECK(".. behind a link is the target's parent", symlink("a", "to/../up") == 0 && access("a/up", F_OK) == -1 &&
          lstat("a/up", &about) == 0);
    unlink("a/up");
    char *here = getcwd(NULL, 0), whole[PATH_MAX];
    strcat(strcpy(whole, here), "/a/b/f");
    CHECK("an absolute link", symlink(whole, "far") == 0 && holds(AT_FDCWD, "far", "deep"));
    free(here);
    CHECK("a dangling link", symlink("nowhere", "dangling") == 0 && lstat("dangling", &about) == 0);
    FAILS("stat of it", stat("dangling", &about), ENOENT);
    FAILS("O_EXCL sees the link", open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
    create(AT_FDCWD, "dangling", "new");
    CHECK("O_CREAT makes its target", holds(AT_FDCWD, "nowhere", "new") && unlink("nowhere") == 0);
    symlink("loop", "loop");
    FAILS("a link to itself", open("loop", O_RDONLY), ELOOP);
    FAILS("two links in a circle", (symlink("two", "one"), symlink("one", "two"), stat("one", &about)), ELOOP);
    create(AT_FDCWD, "link-00", "end");
    for (int i = 1; i <= 41; i++) {
        name[5] = '0' + i / 10, name[6] = '0' + i % 10;
        symlink(target, name);
        strcpy(target, name);
    }
    CHECK("40 links in a row", holds(AT_FDCWD, "link-40", "end"));
    FAILS("41 are too many", open("link-41", O_RDONLY), ELOOP);
    FAILS("a link with a slash behind it to a file", open("far/", O_RDONLY), ENOTDIR);
    CHECK("a link with a slash behind it to a folder", lstat("to/", &about) == 0 && S_ISDIR(about.st_mode));
    FAILS("rmdir of a link", rmdir("to"), ENOTDIR);
    CHECK("rename of a link moves the link", rename("to", "moved") == 0 && lstat("moved", &about) == 0 && S_ISLNK(about.st_mode));
    for (int i = 0; i <= 41; i++) {
        name[5] = '0' + i / 10, name[6] = '0' + i % 10;
        unlink(name);
    }
    unlink("a/b/f"), rmdir("a/b"), rmdir("a"), unlink("moved"), unlink("far"), unlink("dangling"), unlink("loop");
    unlink("one"), unlink("two");
}

static void lengths(void)
{
    static char name[PATH_MAX + 100];
    memset(name, 'n', sizeof name - 1);
    FAILS("a name of 4,195 letters", open(name, O_RDONLY), ENAMETOOLONG);
    name[256] = 0;
    FAILS("a name of 256 letters", open(name, O_CREAT | O_WRONLY, 0600), ENAMETOOLONG);
    name[255] = 0;
    int fd = open(name, O_CREAT | O_WRONLY, 0600);
    CHECK("a name of 255 letters", fd >= 0 && close(fd) == 0 && unlink(name) == 0);
    memset(name, '/', PATH_MAX - 2);
    name[0] = '.', name[PATH_MAX - 2] = '.', name[PATH_MAX - 1] = 0;
    CHECK("a path of 4,095 letters", access(name, F_OK) == 0);
    name[PATH_MAX - 1] = '.', name[PATH_MAX] = 0;
    FAILS("a path of 4,096 letters", access(name, F_OK), ENAMETOOLONG);
    FAILS("a link to the empty name", symlink("", "empty"), ENOENT);
    CHECK("bytes that are no letters", mkdir("\xff\x01 \xc3\xa4\\", 0700) == 0 && rmdir("\xff\x01 \xc3\xa4\\") == 0);
    CHECK("above the root is the root", access("/../../dev/null", F_OK) == 0);
    FAILS("rmdir of .", rmdir("."), EINVAL);
    FAILS("rmdir of ..", rmdir("a/.."), ENOENT);
    FAILS("mkdir of the root", mkdir("/", 0700), EEXIST);
    FAILS("open of a file with a slash behind it", (close(open("p", O_CREAT, 0600)), open("p/", O_RDONLY)), ENOTDIR);
    unlink("p");
}

int main(void)
{
    umask(022);
    enter_fresh_directory();
    folders();
    links();
    lengths();
    leave_fresh_directory();
    return finish();
}
