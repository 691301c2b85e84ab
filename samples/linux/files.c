/* Files and folders: what works, and the error of each wrong call. */
#include "sample.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

static int same(int fd, const char *text)
{
    char buffer[200];
    ssize_t got = pread(fd, buffer, sizeof buffer, 0);
    return got == (ssize_t)strlen(text) && !memcmp(buffer, text, got);
}

static void reading_and_writing(void)
{
    char buffer[32];
    int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK("open creates", fd >= 0);
    CHECK("the lowest free descriptor", dup(fd) == fd + 1 && close(fd + 1) == 0);
    CHECK("write", write(fd, "0123456789", 10) == 10);
    CHECK("lseek set", lseek(fd, 3, SEEK_SET) == 3);
    CHECK("read", read(fd, buffer, 4) == 4 && !memcmp(buffer, "3456", 4));
    CHECK("lseek cur", lseek(fd, -1, SEEK_CUR) == 6);
    CHECK("lseek end", lseek(fd, -2, SEEK_END) == 8);
    CHECK("read stops at the end", read(fd, buffer, 32) == 2 && read(fd, buffer, 32) == 0);
    CHECK("pread", pread(fd, buffer, 3, 5) == 3 && !memcmp(buffer, "567", 3));
    CHECK("pread leaves the position", lseek(fd, 0, SEEK_CUR) == 10);
    CHECK("pwrite", pwrite(fd, "ab", 2, 1) == 2 && same(fd, "0ab3456789"));
    CHECK("a hole reads as zero", pwrite(fd, "z", 1, 12) == 1 && pread(fd, buffer, 3, 10) == 3 &&
          !memcmp(buffer, "\0\0z", 3));
    CHECK("ftruncate", ftruncate(fd, 4) == 0 && same(fd, "0ab3"));
    CHECK("truncate grows", truncate("a", 6) == 0 && pread(fd, buffer, 9, 0) == 6 &&
          !memcmp(buffer, "0ab3\0\0", 6));
    CHECK("read of nothing", read(fd, buffer, 0) == 0);
    CHECK("fsync, fdatasync", fsync(fd) == 0 && fdatasync(fd) == 0);
    CHECK("close", close(fd) == 0);
    FAILS("close twice", close(fd), EBADF);
    FAILS("open exclusively what exists", open("a", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    FAILS("open a missing file", open("missing", O_RDONLY), ENOENT);
    FAILS("open in a missing folder", open("missing/x", O_CREAT | O_WRONLY, 0600), ENOENT);
    FAILS("open below a file", open("a/x", O_RDONLY), ENOTDIR);
    FAILS("open a file as a folder", open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
    FAILS("open a folder for writing", open(".", O_WRONLY), EISDIR);
    FAILS("open the empty name", open("", O_RDONLY), ENOENT);
    FAILS("read a bad descriptor", read(999, buffer, 1), EBADF);
    FAILS("write a bad descriptor", write(-1, buffer, 1), EBADF);
    fd = open("a", O_RDONLY);
    FAILS("write where only reading is allowed", write(fd, "x", 1), EBADF);
    FAILS("lseek before the start", lseek(fd, -1, SEEK_SET), EINVAL);
    FAILS("lseek with a bad whence", lseek(fd, 0, 99), EINVAL);
    FAILS("pread at a negative offset", pread(fd, buffer, 1, -1), EINVAL);
    FAILS("ftruncate where only reading is allowed", ftruncate(fd, 0), EINVAL);
    close(fd);
    fd = open("a", O_WRONLY);
    FAILS("read where only writing is allowed", read(fd, buffer, 1), EBADF);
    close(fd);
    fd = open(".", O_RDONLY);
    FAILS("read a folder", read(fd, buffer, 1), EISDIR);
    close(fd);
    fd = open("a", O_WRONLY | O_TRUNC);
    CHECK("O_TRUNC", lseek(fd, 0, SEEK_END) == 0);
    close(fd);
}

static void appending_and_vectors(void)
{
    char one[3], two[4];
    int fd = open("v", O_RDWR | O_CREAT | O_APPEND, 0600);
    struct iovec out[3] = { { "abc", 3 }, { "", 0 }, { "defg", 4 } };
    CHECK("writev", writev(fd, out, 3) == 7);
    lseek(fd, 0, SEEK_SET);
    struct iovec in[2] = { { one, 3 }, { two, 4 } };
    CHECK("readv", readv(fd, in, 2) == 7 && !memcmp(one, "abc", 3) && !memcmp(two, "defg", 4));
    CHECK("O_APPEND writes at the end", lseek(fd, 0, SEEK_SET) == 0 && write(fd, "h", 1) == 1 && same(fd, "abcdefgh"));
    in[0].iov_len = 2;
    CHECK("preadv", preadv(fd, in, 2, 1) == 6 && !memcmp(one, "bc", 2) && !memcmp(two, "defg", 4));
    CHECK("fcntl F_GETFL", (fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE)) == (O_APPEND | O_RDWR));
    CHECK("fcntl F_SETFL", fcntl(fd, F_SETFL, 0) == 0 && (fcntl(fd, F_GETFL) & O_APPEND) == 0);
    out[0].iov_base = "AB";
    out[0].iov_len = 2;
    CHECK("pwritev", pwritev(fd, out, 1, 6) == 2 && same(fd, "abcdefAB"));
    FAILS("readv with a negative count", readv(fd, in, -1), EINVAL);
    close(fd);
    CHECK("unlink", unlink("v") == 0);
    FAILS("unlink what is gone", unlink("v"), ENOENT);
}

static void attributes(void)
{
    struct stat about, other;
    struct statvfs system;
    int fd = open("a", O_RDWR);
    write(fd, "12345", 5);
    CHECK("fstat", fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size == 5 && about.st_nlink == 1);
    CHECK("stat is the same file", stat("a", &other) == 0 && about.st_ino == other.st_ino && about.st_dev == other.st_dev);
    CHECK("the mode given to open", (about.st_mode & 07777) == 0640);
    CHECK("chmod", chmod("a", 0751) == 0 && stat("a", &about) == 0 && (about.st_mode & 07777) == 0751);
    CHECK("fchmod", fchmod(fd, 0600) == 0 && fstat(fd, &about) == 0 && (about.st_mode & 07777) == 0600);
    CHECK("umask", umask(027) >= 0 && umask(022) == 027);
    CHECK("access", access("a", R_OK | W_OK) == 0 && access("a", F_OK) == 0);
    FAILS("access of a missing file", access("missing", F_OK), ENOENT);
    FAILS("access with a bad mode", access("a", 64), EINVAL);
    struct timespec times[2] = { { 1000000001, 500000000 }, { 1234567890, 250000000 } };
    CHECK("utimensat", utimensat(AT_FDCWD, "a", times, 0) == 0 && stat("a", &about) == 0 &&
          about.st_atim.tv_sec == 1000000001 && about.st_mtim.tv_sec == 1234567890 && about.st_mtim.tv_nsec == 250000000);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = 77;
    CHECK("UTIME_OMIT", futimens(fd, times) == 0 && fstat(fd, &about) == 0 && about.st_atim.tv_sec == 1000000001 &&
          about.st_mtim.tv_sec == 77);
    times[1].tv_nsec = 1000000000;
    FAILS("utimensat with too many nanoseconds", futimens(fd, times), EINVAL);
    CHECK("blocks and block size", about.st_blksize > 0 && about.st_blocks >= 0);
    CHECK("statvfs", statvfs(".", &system) == 0 && system.f_bsize > 0 && system.f_namemax > 0);
    CHECK("flock", flock(fd, LOCK_EX | LOCK_NB) == 0 && flock(fd, LOCK_UN) == 0);
    CHECK("/dev/null", stat("/dev/null", &about) == 0 && S_ISCHR(about.st_mode));
    close(fd);
}

static void names(void)
{
    struct stat about, other;
    char buffer[32];
    CHECK("link", link("a", "b") == 0 && stat("a", &about) == 0 && about.st_nlink == 2);
    FAILS("link to a name in use", link("a", "b"), EEXIST);
    FAILS("link of a missing file", link("missing", "c"), ENOENT);
    CHECK("symlink", symlink("a", "s") == 0);
    FAILS("symlink to a name in use", symlink("a", "s"), EEXIST);
    memset(buffer, '#', sizeof buffer);
    CHECK("readlink adds no end", readlink("s", buffer, sizeof buffer) == 1 && buffer[0] == 'a' && buffer[1] == '#');
    FAILS("readlink of a plain file", readlink("a", buffer, sizeof buffer), EINVAL);
    CHECK("lstat sees the link", lstat("s", &about) == 0 && S_ISLNK(about.st_mode) && about.st_size == 1);
    CHECK("stat follows it", stat("s", &about) == 0 && stat("a", &other) == 0 && about.st_ino == other.st_ino);
    FAILS("O_NOFOLLOW", open("s", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK("rename", rename("b", "c") == 0 && access("b", F_OK) == -1 && access("c", F_OK) == 0);
    CHECK("rename of two names of one file does nothing", rename("a", "c") == 0 && access("a", F_OK) == 0);
    FAILS("rename of a missing file", rename("missing", "b"), ENOENT);
    CHECK("mkdir", mkdir("d", 0755) == 0 && stat("d", &about) == 0 && S_ISDIR(about.st_mode));
    FAILS("mkdir of a name in use", mkdir("d", 0755), EEXIST);
    FAILS("mkdir in a missing folder", mkdir("missing/d", 0755), ENOENT);
    FAILS("rename a file over a folder", rename("c", "d"), EISDIR);
    FAILS("rename a folder over a file", rename("d", "c"), ENOTDIR);
    FAILS("rename a folder into itself", rename("d", "d/e"), EINVAL);
    FAILS("rmdir of a file", rmdir("c"), ENOTDIR);
    CHECK("rename into a folder", rename("c", "d/c") == 0);
    FAILS("rmdir of a full folder", rmdir("d"), ENOTEMPTY);
    CHECK("unlink", unlink("d/c") == 0 && stat("a", &about) == 0 && about.st_nlink == 1);
    CHECK("unlink removes the link, not the file", unlink("s") == 0 && access("a", F_OK) == 0);
    CHECK("rmdir", rmdir("d") == 0);
    FAILS("unlink of a folder", unlink("."), EISDIR);
    CHECK("mkfifo", mkfifo("p", 0600) == 0 && stat("p", &about) == 0 && S_ISFIFO(about.st_mode) && unlink("p") == 0);
}

static int compare(const void *one, const void *two)
{
    return strcmp(*(char **)one, *(char **)two);
}

static void listing(void)
{
    static char text[300][16];
    char *found[300];
    int count = 0, right = 1;
    mkdir("many", 0700);
    for (int i = 0; i < 200; i++) {
        char name[] = "many/entry-000";
        name[11] += i / 100, name[12] += i / 10 % 10, name[13] += i % 10;
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    DIR *folder = opendir("many");
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) && count < 300) {
        found[count] = strncpy(text[count], entry->d_name, 15);
        count++;
    }
    qsort(found, count, sizeof *found, compare);
    for (int i = 2; i < count; i++)
        right &= !strncmp(found[i], "entry-", 6) && atoi(found[i] + 6) == i - 2;
    CHECK("getdents lists each name once, with . and ..", count == 202 && right && !strcmp(found[0], ".") && !strcmp(found[1], ".."));
    rewinddir(folder);
    entry = readdir(folder);
    long place = telldir(folder);
    entry = readdir(folder);
    char second[300];
    strcpy(second, entry ? entry->d_name : "");
    seekdir(folder, place);
    entry = readdir(folder);
    CHECK("seekdir goes back", entry && !strcmp(second, entry->d_name));
    closedir(folder);
    for (int i = 2; i < count; i++) {
        char name[32] = "many/";
        unlink(strcat(name, found[i]));
    }
    CHECK("empty again", rmdir("many") == 0);
}

static void descriptors(void)
{
    int fd = open("a", O_RDWR | O_CLOEXEC), copy = dup(fd), far = fcntl(fd, F_DUPFD, 50);
    char buffer[4];
    CHECK("F_DUPFD gives at least that number", far >= 50);
    CHECK("O_CLOEXEC, not copied by dup", fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(copy, F_GETFD) == 0);
    CHECK("F_SETFD", fcntl(copy, F_SETFD, FD_CLOEXEC) == 0 && fcntl(copy, F_GETFD) == FD_CLOEXEC);
    lseek(fd, 2, SEEK_SET);
    CHECK("copies share the position", lseek(copy, 0, SEEK_CUR) == 2 && read(far, buffer, 1) == 1 && lseek(fd, 0, SEEK_CUR) == 3);
    CHECK("dup2 to itself", dup2(fd, fd) == fd);
    CHECK("dup2 closes the target", dup2(fd, copy) == copy);
    CHECK("dup3 with O_CLOEXEC", dup3(fd, copy, O_CLOEXEC) == copy && fcntl(copy, F_GETFD) == FD_CLOEXEC);
    FAILS("dup3 to itself", dup3(fd, fd, 0), EINVAL);
    FAILS("dup of a bad descriptor", dup(999), EBADF);
    FAILS("dup2 of a bad descriptor", dup2(999, fd), EBADF);
    FAILS("dup2 to a negative number", dup2(fd, -1), EBADF);
    FAILS("fcntl with a bad command", fcntl(fd, 9999), EINVAL);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10 };
    CHECK("F_SETLK", fcntl(fd, F_SETLK, &lock) == 0);
    CHECK("F_GETLK sees no lock of another", fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK);
    close(fd), close(copy), close(far);
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
    memset(buffer, 1, 4);
    CHECK("/dev/null", write(null, "abc", 3) == 3 && read(null, buffer, 4) == 0);
    CHECK("/dev/zero", read(zero, buffer, 4) == 4 && !memcmp(buffer, "\0\0\0\0", 4));
    FAILS("/dev/null is no terminal", isatty(null) ? 0 : -1, ENOTTY);
    close(null), close(zero);
}

static void pointers(void)
{
    int fd = open("a", O_RDWR);
    struct stat about;
    void *wild = (void *)16;
    FAILS("read into nowhere", read(fd, wild, 1), EFAULT);
    FAILS("write from nowhere", write(fd, wild, 1), EFAULT);
    FAILS("open a name from nowhere", open(wild, O_RDONLY), EFAULT);
    FAILS("getcwd into too little", getcwd((char *)&about, 1) ? 0 : -1, ERANGE);
    close(fd);
}

int main(void)
{
    umask(022);
    enter_fresh_directory();
    reading_and_writing();
    appending_and_vectors();
    attributes();
    names();
    listing();
    descriptors();
    pointers();
    unlink("a");
    leave_fresh_directory();
    return finish();
}
